// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension BrokenFile {
    /// A fault with settings that are wrong; `{` of its settings stands at column 45, its name at 47.
    private static func fault(_ text: String, _ messages: String...) -> BrokenFile {
        BrokenFile("{ latency: 3s }", text, messages)
    }

    private static func needsHTTP2(_ fault: String) -> String {
        "`\(fault)` works on HTTP/2, and the mock `api` speaks HTTP/1.1 alone; give the mock `api` http2: true"
    }

    private static let rates =
        "B/s, kB/s, MB/s, GB/s, KiB/s, MiB/s, GiB/s, bit/s, kbit/s, Mbit/s, Gbit/s"
    private static let bytes = "B, kB, MB, GB, KiB, MiB, GiB"

    static let faults: [BrokenFile] = [
        fault("bandwidth", "24:45: `fault` cannot be `bandwidth` alone; write { bandwidth: … }"),
        fault("latncy", "24:45: `fault` cannot be `latncy`; write { latency: 3s } or refuse"),
        fault("{ latency: 3s, refuse: {} }", "24:45: `fault` must name one fault; write a step for each"),
        fault("{ refuse: 3s }", "24:55: `refuse` has no settings; write fault: refuse"),
        fault(
            "{ bandwidth: { rate: 1 } }",
            "24:66: `rate` of `bandwidth` must be bytes a second, not `1`; write one such as 64KiB/s (\(rates))"),
        fault("{ bandwidth: {} }", "24:58: the fault `bandwidth` needs `rate`; write rate: 64KiB/s"),
        fault(
            "{ limit_data: 1.5B }",
            "24:59: `bytes` of `limit_data` must be a number of bytes, not `1.5B`; "
                + "write one such as 100 or 1KiB (\(bytes))"
        ),
        fault("{ loss: 3 }", "24:53: `rate` of `loss` must be from 0% to 100%, not 300%; write 3%"),
        fault(
            "{ slicer: { size: 10, variation: 10 } }",
            "24:78: `variation` of `slicer` must be below its `size`, 10, not 10"),
        fault("{ slicer: 0 }", "24:55: `size` of `slicer` must be at least 1"),
        fault("{ timeout: 25h }", "24:56: `after` of `timeout` must be at most 24h, not 25h"),
        fault("{ timeout: {} }", "24:56: the fault `timeout` needs `after`; write after: 3s"),
        fault("{ blackhole: dat }", "24:58: `stage` of `blackhole` cannot be `dat`; did you mean `data`?"),
        fault("{ half_close: both }", "24:59: `side` of `half_close` cannot be `both`; write client or server"),
        fault("{ reset: { byte: 3 } }", "24:56: unknown key `byte` in the fault `reset`; did you mean `bytes`?"),
        fault("{ stall: { at_byte: 0, times: 2 } }", "24:68: at byte 0 a stream stalls once; remove `times`"),
        fault("{ status: 700 }", "24:55: `code` of `status` must be 200..599, not 700"),
        fault(
            "{ status: { code: 204, body: x } }", "24:68: an answer of status 204 has no body; remove `body`"),
        fault("{ truncate: 100% }", "24:57: `at` of `truncate` must be below 100%; write one such as 50%"),
        fault("{ wrong_length: 0 }", "24:61: a `delta` of 0 changes nothing; write one such as 10 or -10"),
        fault("{ garbage: 0 }", "24:56: `garbage` must be from 1B to 16MiB, not 0B"),
        fault("{ slow_body: { chunks: 0, over: 1s } }", "24:68: `chunks` of `slow_body` must be 1..10000, not 0"),
        fault(
            "{ slow_headers: 1 }",
            "24:61: `per` of `slow_headers` must be a duration, not a number (`1`); write 1s or 1ms"),
        fault(
            "{ header_flood: { count: 100000, size: 1MiB } }",
            "24:47: `header_flood` must be at most 16MiB in all; lower `count` or `size`"),
        fault("{ drop_header: 'a b' }", "24:60: `a b` is no name of a header; write one such as X-Test"),
        fault(
            "{ set_header: { name: X-A, value: \"a\\nb\" } }",
            "24:79: `value` of `set_header` has a control character; write it on one line"),
        fault(
            "{ latency: { latency: 1s, distribution: lognormal } }",
            "24:85: `distribution` cannot be `lognormal` alone; write { lognormal: { median: 3ms, sigma: 0.4 } }"),
        fault(
            "{ latency: { latency: 1s, distribution: { pareto: { minimum: 1s, shape: 1 } } } }",
            "24:58: `latency` is part of the distribution already; remove it"),
        fault(
            "{ latency: { distribution: { pareto: { minimum: 1s, shape: 0 } } } }",
            "24:104: `shape` must be above 0 and at most 100, not 0"),
        fault(
            "refuse, stream: up", "24:53: `refuse` has no `stream`; remove it"),
        fault(
            "refuse, match: { path: /a }", "24:53: `refuse` works on connections, not on requests; remove `match`"),
        fault(
            "{ status: 500 }, decide: connection",
            "24:62: `status` is decided about for every request; remove `decide`"),
        fault("{ status: 500 }, stream: up", "24:62: `status` works on answers; remove `stream`"),
        fault("{ latency: 1s }, match: {}", "24:69: `match` matches everything; name a method, a path or a header"),
        fault(
            "{ latency: 1s }, match: { paths: /a }",
            "24:71: unknown key `paths` in `match`; did you mean `path`?"),
        fault(
            "{ latency: 1s }, match: { path: a }",
            "24:77: `path` of a match must begin with /, not `a`; write /a"),
        fault("{ latency: 1s }, nth: 0", "24:67: `nth` must be 1..1000000000, not 0"),
        fault("{ latency: 1s }, decide: reqest", "24:70: `decide` cannot be `reqest`; did you mean `request`?"),
        fault(
            "{ duplicate: 2 }",
            "24:47: `duplicate` is about datagrams, and links are TCP; "
                + "write a step dns: { name: orders.internal, duplicate: 2 }"),
        fault(
            "reorder",
            "24:45: `reorder` is about datagrams, and links are TCP; "
                + "write a step dns: { name: orders.internal, reorder: 50ms }"),
        fault(
            "{ goaway: ENHANCE_CALM }",
            "24:55: `code` of `goaway` is no error of HTTP/2: `ENHANCE_CALM`; did you mean `ENHANCE_YOUR_CALM`?"),
        fault(
            "{ goaway: FAREWELL }",
            "24:55: `code` of `goaway` is no error of HTTP/2: `FAREWELL`; "
                + "write a name such as INTERNAL_ERROR, or a number"),
        fault(
            "{ goaway: { after: 3 } }, decide: request", "24:47: " + needsHTTP2("goaway"),
            "24:71: `after` counts the requests of a connection; remove `decide`"),
        fault(
            "{ goaway: { answerd: no } }", "24:47: " + needsHTTP2("goaway"),
            "24:57: unknown key `answerd` in the fault `goaway`; did you mean `answered`?"),
        fault(
            "goaway, stream: up", "24:45: " + needsHTTP2("goaway"),
            "24:53: `goaway` works on answers; remove `stream`"),
        fault(
            "{ rst_stream: CANCELL }",
            "24:59: `code` of `rst_stream` is no error of HTTP/2: `CANCELL`; did you mean `CANCEL`?"),
        fault("{ rst_stream: {} }", "24:59: the fault `rst_stream` needs `code`; write code: INTERNAL_ERROR"),
        fault("rst_stream", "24:45: `fault` cannot be `rst_stream` alone; write { rst_stream: … }"),
        fault(
            "{ rst_stream: { code: 2, at: bodi } }",
            "24:74: `at` of `rst_stream` cannot be `bodi`; did you mean `body`?"),
        fault(
            "{ ping_flood: {} }", "24:47: `ping_flood` does not say how many; write rate: 1000/s or count: 1000"),
        fault(
            "{ ping_flood: 1000000/s }",
            "24:59: `rate` of `ping_flood` must be above 0/s and at most 100000/s, not 1000000/s"),
        fault(
            "{ ping_flood: { count: 20000 } }", "24:68: `count` of `ping_flood` must be 1..10000, not 20000"),
        fault(
            "{ ping_flood: 10/s }, match: { path: /a }", "24:47: " + needsHTTP2("ping_flood"),
            "24:67: `ping_flood` works on connections, not on requests; remove `match`"),
    ]

    static let tcpFaults: [(String, [String])] = [
        (
            "fault: { status: 500 }",
            ["24:47: `status` needs a link that knows HTTP; give the link `wire` protocol: http"]
        ),
        ("fault: goaway", ["24:45: `goaway` needs a link that knows HTTP; give the link `wire` protocol: http"]),
        (
            "fault: { latency: 1s }, match: { path: /a }",
            ["24:62: requests are known on a link that knows HTTP only; give the link `wire` protocol: http"]
        ),
        (
            "fault: { latency: 1s }, decide: request",
            ["24:62: requests are known on a link that knows HTTP only; give the link `wire` protocol: http"]
        ),
        ("fault: { latency: 1s }, toxicity: 10%, nth: 2, count: 3", []),
    ]

    static let goodFaults: [String] = [
        "fault: { latency: { latency: 1s, jitter: 100ms, distribution: normal, connect: true } }",
        "fault: { latency: { distribution: { lognormal: { median: 3ms, sigma: 0.4 } } } }",
        "fault: { latency: { distribution: { pareto: { minimum: 3ms, shape: 1.5 } } } }",
        "fault: { bandwidth: 64KiB/s }", "fault: { bandwidth: { rate: 8Mbit/s } }", "fault: { bandwidth: 0 }",
        "fault: { loss: 10% }", "fault: { loss: { rate: 10%, correlation: 25% } }",
        "fault: { slicer: 100 }", "fault: { slicer: { size: 100, variation: 10, delay: 1ms } }",
        "fault: { timeout: 0s }", "fault: { timeout: { after: 5s } }", "fault: { blackhole: data }",
        "fault: { blackhole: { stage: connect } }", "fault: refuse", "fault: reset", "fault: { reset: {} }",
        "fault: { reset: { after: 1s, bytes: 1KiB } }", "fault: { half_close: client }", "fault: half_open",
        "fault: { limit_data: 1KiB }", "fault: { stall: { at_byte: 1KiB, for: 1s, times: 2 } }",
        "fault: { slow_close: 1s }", "fault: { corrupt: 0.1% }", "fault: { status: 503 }",
        "fault: { status: { code: 503, rate: 10%, body: 'no $(rate)' } }", "fault: { truncate: 50% }",
        "fault: { truncate: { at: 1KiB } }, stream: up", "fault: { wrong_length: -5 }", "fault: bad_chunk",
        "fault: { garbage: 100 }", "fault: { slow_headers: 100ms }", "fault: { slow_headers: { per: 100ms } }",
        "fault: { slow_body: { chunks: 4, over: 2s } }", "fault: { header_flood: { count: 10, size: 1kB } }",
        "fault: { drop_header: X-Test }", "fault: { set_header: { name: X-Test, value: '1' } }", "fault: early_close",
        "fault: { latency: 1s }, decide: request, toxicity: 10%",
        "fault: reset, match: { method: post, path: /a, header: { X-Test: '1' } }, nth: 3, count: 5",
        "fault: { latency: 1s }, match: { header: X-Test }",
    ]

    /// Those on HTTP/2, for a mock that speaks it.
    static let goodFrameFaults: [String] = [
        "fault: goaway", "fault: { goaway: NO_ERROR }",
        "fault: { goaway: { code: 11, after: 100, answered: false } }", "fault: goaway, decide: connection",
        "fault: { goaway: { answered: false } }, match: { path: /a }, nth: 3",
        "fault: { rst_stream: refused_stream }, toxicity: 10%",
        "fault: { rst_stream: { code: 8, at: body } }, match: { method: POST }, count: 5",
        "fault: { ping_flood: 1000/s }", "fault: { ping_flood: { rate: 10/s, count: 50000 } }, stream: both, nth: 1",
        "fault: { ping_flood: { count: 300 } }, stream: up",
    ]
}

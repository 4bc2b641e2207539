// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension BrokenFile {
    /// Mistakes in targets and marks of expectations.
    static let targets: [BrokenFile] = [
        .init(
            "id: dark", "id: trips",
            "27:11: there are two expectations `trips`; rename one"),
        .init(
            "target: api,", "target: pair,",
            "26:26: `pair` is a group of 2 mocks; name one: pair-1, pair-2"),
        .init(
            "target: api,", "target: pair-1,",
            "26:26: the mock `pair-1` is no target of an upstream; add it to the Kong document's upstream"),
        .init(
            "target: api,", "target: apy,",
            "26:26: there is no target `apy`; did you mean `api`?"),
        .init(
            "becomes: unhealthy", "becomes: sick",
            "26:40: `becomes` cannot be `sick`; write healthy or unhealthy"),
        .init(
            "after: errors", "after: errrors",
            "26:58: `errrors` is neither a variable nor a mark; did you mean `errors`?"),
        .init(
            "after: errors", "after: tripped",
            "26:5: the mark `tripped` waits for itself; measure one of them from a step"),
    ]

    /// Mistakes in bounds and expressions.
    static let bounds: [BrokenFile] = [
        .init(
            "within: 12 requests", "within: 12",
            "26:74: `within` must be over a duration or a number of requests, not a number; write 12s or "
                + "12ms, or 12 requests"),
        .init(
            "within: 12 requests", "within: < 12 requests",
            "26:74: a bound cannot start with `<`; write <="),
        .init(
            "within: 12 requests", "within: 90%",
            "26:74: `within` must be over a duration or a number of requests, not a ratio; write <= 15s, >= "
                + "99%, == 0, 10s..15s or 3 ± 1"),
        .init(
            "within: 12 requests", "within: 5s..3s",
            "26:74: `within` allows nothing: 5s is more than 3s; put the smaller first"),
        .init(
            "within: 12 requests", "within: 5s after errors",
            "26:77: `after` is a key of its own here; write after: <mark>"),
        .init(
            "within: 12 requests", #"within: "$(hc.active.healthy.intervall)""#,
            "26:77: `hc.active.healthy` has no `intervall`; did you mean `interval`?"),
        .init(
            "within: 12 requests", #"within: "$(hc.active)""#,
            "26:77: `hc.active` is no single value; name a field: hc.active.unhealthy.interval"),
        .init(
            "within: 12 requests", #"within: "$(hc(down).active.timeout)""#,
            "26:77: there is no upstream `down`; there is `up`"),
        .init(
            "within: 12 requests", #"within: "$(rate + slow)""#,
            "26:82: `+` cannot join a rate and a duration"),
        .init(
            "within: 12 requests", #"within: "$(slow - 1)""#,
            "26:82: `-` cannot join a duration and a number; give the number a unit: 5s or 5ms"),
        .init(
            "within: 12 requests", #"within: "$(slow-errors)""#,
            "26:77: `slow-errors` is neither a variable nor a mark; a minus needs blanks around it: slow - "
                + "errors"),
        .init(
            "within: 12 requests", #"within: "$(floor(slow))""#,
            "26:77: `floor` needs a number, not a duration"),
        .init(
            "within: 12 requests", #"within: "$(flor(2.5))""#,
            "26:77: there is no function `flor`; did you mean `floor`?"),
        .init(
            "within: 12 requests", #"within: "$((((3s)))""#,
            "26:85: `)` is missing before the end"),
        .init(
            "within: 12 requests", "within: 3s..",
            "26:78: something is missing at the end"),
        .init(
            "within: 12 requests", #"within: "3s # 4s""#,
            "26:78: `#` has no meaning in an expression"),
        .init(
            "within: 12 requests", #"within: "$(inflight(ap, errors)) requests""#,
            "26:77: there is no mock `ap`; did you mean `api`?"),
        .init(
            "within: 12 requests, ", "",
            "26:5: a `becomes` expectation needs `within`; write within: 300ms or within: 12 requests"),
    ]

    /// Mistakes in windows, filters and invariants.
    static let filters: [BrokenFile] = [
        .init(
            "0ms..100ms after tripped", "0ms..100ms",
            "27:50: `starts` needs the mark it is measured from; write 0ms..100ms after <mark>"),
        .init(
            "0ms..100ms after tripped", "0ms..100ms after dark.end",
            "27:5: the mark `dark.end` waits for itself; measure one of them from a step"),
        .init(
            "starts: 0ms..100ms after tripped, ", "",
            "27:5: a window without bounds says nothing; give starts, ends, lasts or count"),
        .init(
            "{ status: 503 }", "{ status: 5033 }",
            "27:35: `status` cannot be `5033`; write 503, 5xx, 500..504 or [500, 503]"),
        .init(
            "{ status: 503 }", "{ status: 503, origin: upsteam }",
            "27:48: `origin` cannot be `upsteam`; did you mean `upstream`?"),
        .init(
            #"">= 99%""#, "99%",
            #"28:36: `availability` does not say whether `99%` is a lower or an upper bound; write "<= 99%", "#
                + #"">= 99%" or "== 99%""#),
        .init(
            #"">= 99%""#, #"">= 5s""#,
            "28:36: `availability` must be over a ratio, not a duration; write <= 15s, >= 99%, == 0, "
                + "10s..15s or 3 ± 1"),
        .init(
            "during: errors.end", "during: lag.end",
            "28:54: the mark `lag.end` is never made: the step has no end; give it `for:`, or `restart: "
                + "after 10s` when it kills"),
        .init(
            "during: errors.end..end", "during: 10..end",
            "28:54: the start of `during` must be a mark or a time, not a number (`10`); write 10s or 10ms"),
        .init(
            "during: errors.end..end", "during: errors.end",
            "28:54: `during` needs two marks; write errors.end..end, or a step with `for:`"),
        .init(
            "during: errors.end..end", "during: 5s..3s",
            "28:54: `during` ends before it starts; put the earlier mark first"),
        .init(
            "of: users", "of: user",
            "28:75: there is no load `user`; did you mean `users`?"),
        .init(
            #"id: after-all, availability: ">= 99%""#, #"id: after-all, availabilty: ">= 99%""#,
            "28:22: unknown key `availabilty` in an expectation; did you mean `availability`?"),
        .init(
            #"id: after-all, availability: ">= 99%", during: errors.end..end, of: users"#,
            "id: after-all, metric: { name: x }",
            "28:30: `metric` needs `of`; write of: gateway", "28:30: `metric` needs `is`; write is: == 1"),
        .init(
            #"id: after-all, availability: ">= 99%", during: errors.end..end, of: users"#,
            "id: after-all, traffic: { to: api }",
            "28:31: `traffic` has no bound; give count, share, nodes or moved"),
        .init(
            #"id: after-all, availability: ">= 99%", during: errors.end..end, of: users"#,
            "id: after-all, traffic: { to: api, moved: 0 }",
            "28:31: `moved` needs `since`; write since: start..<mark>"),
        .init(
            #"id: after-all, availability: ">= 99%", during: errors.end..end, of: users"#,
            "id: after-all, traffic: { to: api, count: 0, since: start..end }",
            "28:59: `since` belongs to `moved`; give moved, or use during:"),
        .init(
            #"id: after-all, availability: ">= 99%", during: errors.end..end, of: users"#,
            "id: after-all, traffic: { to: api, moved: 0, since: end..end - 1s }",
            "28:59: `since` ends before it starts; put the earlier mark first"),
        .init(
            #"id: after-all, availability: ">= 99%", during: errors.end..end, of: users"#,
            "id: after-all, traffic: { to: api, count: 1, nods: 1 }",
            "28:52: unknown key `nods` in `traffic`; did you mean `nodes`?"),
        .init(
            #"id: after-all, availability: ">= 99%", during: errors.end..end, of: users"#,
            "id: after-all, traffic: { to: api, nodes: 50% }",
            "28:49: `nodes` must be over a number, not a ratio; write <= 15s, >= 99%, == 0, 10s..15s or 3 ± 1"),
        .init(
            "never: { status: 502 }", #"never: { status: 502, while: "health(api) == unhealthy" }"#,
            "30:27: `while` belongs to `traffic`, `probes` and `connections`; use `during:` of the invariant"),
        .init(
            "never: { status: 502 }", "nevr: { status: 502 }",
            "30:5: unknown key `nevr` in an invariant; did you mean `never`?",
            "30:5: an invariant says either `always` or `never`; write never: { status: 502 }"),
        .init(
            "never: { status: 502 }", #"never: { traffic: { to: api }, while: "health(api) = unhealthy" }"#,
            "30:56: `=` has no meaning in an expression; write =="),
        .init(
            "never: { status: 502 }", "never: {}",
            "30:12: `never` matches every answer; narrow it: { status: 502 }"),
        .init(
            "never: { status: 502 }", "always: { process: gateway }",
            "30:13: `always` needs `is`; write is: running"),
        .init(
            "never: { status: 502 }", "always: { latency: 1s }",
            #"30:24: `latency` does not say whether `1s` is a lower or an upper bound; write "<= 1s", ">= "#
                + #"1s" or "== 1s""#),
    ]
}

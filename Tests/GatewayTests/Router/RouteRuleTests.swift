// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import Testing

/// Kong's order and rules, one row a consequence (router flavour traditional_compatible).
@Suite struct RouteRuleTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let rule: String
        let routes: [Route]
        /// Each request, and the route that must answer; nil for none.
        let requests: [(RequestSketch, String?)]
        var testDescription: String { rule }

        init(_ rule: String, _ routes: [Route], _ requests: [(RequestSketch, String?)]) {
            (self.rule, self.routes, self.requests) = (rule, routes, requests)
        }
    }

    @Test(arguments: priorities + pathRules + hostRules + headerRules + otherRules)
    func `a request gets the route that the rules say`(row: Row) throws {
        // The order of the configuration must not matter.
        for routes in [row.routes, row.routes.reversed()] {
            let table = RouteTable(routes)
            #expect(table.problems.isEmpty)
            for (request, expected) in row.requests {
                #expect(try table.match(request)?.route.route.id == expected, "\(row.rule): \(request)")
            }
        }
    }

    static let priorities: [Row] = [
        Row(
            "more attributes beat everything else",
            [.sketch("a", methods: ["GET"], hosts: ["*.b.com"]), .sketch("z", paths: ["~/long/.*"], regexPriority: 9)],
            [(.init("/long/x", host: "a.b.com"), "a"), (.init("/long/x"), "z")]),
        Row(
            "a host beats a method", [.sketch("a", hosts: ["b.com"]), .sketch("z", methods: ["GET"])],
            [(.init("/", host: "b.com"), "a"), (.init("/", host: "c.com"), "z"), (.init("PUT", "/"), nil)]),
        Row(
            "a path beats a method", [.sketch("a", paths: ["/"]), .sketch("z", methods: ["GET"])], [(.init("/"), "a")]),
        Row(
            "a plain host beats more headers of the same number of attributes",
            [.sketch("a", hosts: ["b.com"]), .sketch("z", headers: [("x", ["1"]), ("y", ["1"])])],
            [(.init("/", host: "b.com", fields: [("X", "1"), ("Y", "1")]), "a")]),
        Row(
            "headers beat a wildcard host",
            [.sketch("a", headers: [("x", ["1"])]), .sketch("z", hosts: ["*.com"])],
            [(.init("/", host: "b.com", fields: [("X", "1")]), "a"), (.init("/", host: "b.com"), "z")]),
        Row(
            "a plain host beats a wildcard host",
            [.sketch("a", hosts: ["a.b.com"]), .sketch("z", hosts: ["*.b.com"])],
            [(.init("/", host: "a.b.com"), "a"), (.init("/", host: "c.b.com"), "z")]),
        Row(
            "one wildcard among the hosts makes all of them wild",
            [.sketch("a", hosts: ["a.b.com"]), .sketch("z", hosts: ["a.b.com", "*.c.com"])],
            [(.init("/", host: "a.b.com"), "a"), (.init("/", host: "x.c.com"), "z")]),
        Row(
            "a wildcard host with a path beats a plain host without",
            [.sketch("a", hosts: ["*.b.com"], paths: ["/p"]), .sketch("z", hosts: ["a.b.com"])],
            [(.init("/p", host: "a.b.com"), "a"), (.init("/q", host: "a.b.com"), "z")]),
        Row(
            "more headers beat fewer",
            [.sketch("a", headers: [("x", ["1"]), ("y", ["1"])]), .sketch("z", headers: [("x", ["1"])])],
            [(.init("/", fields: [("x", "1"), ("y", "1")]), "a"), (.init("/", fields: [("x", "1")]), "z")]),
        Row(
            "more headers beat longer and regular paths",
            [
                .sketch("a", paths: ["/p"], headers: [("x", ["1"]), ("y", ["1"])]),
                .sketch("z", paths: ["~/path/longer"], headers: [("x", ["1"])], regexPriority: 5),
            ],
            [(.init("/path/longer", fields: [("x", "1"), ("y", "1")]), "a")]),
        Row(
            "a regular expression beats a prefix, even an exact one",
            [.sketch("a", paths: ["~/p"]), .sketch("z", paths: ["/path/exact"])],
            [(.init("/path/exact"), "a")]),
        Row(
            "a larger regex_priority comes first",
            [
                .sketch("a", paths: ["~/p.*"], regexPriority: 4_000_000_000),
                .sketch("z", paths: ["~/path"], regexPriority: 1),
            ], [(.init("/path"), "a")]),
        Row(
            "regex_priority means nothing to a prefix",
            [.sketch("a", paths: ["/path"]), .sketch("z", paths: ["/p"], regexPriority: 9)], [(.init("/path"), "a")]),
        Row(
            "the longer prefix comes first", [.sketch("a", paths: ["/path/long"]), .sketch("z", paths: ["/path"])],
            [(.init("/path/long/x"), "a"), (.init("/path/lon"), "z")]),
        Row(
            "the length of a regular expression means nothing",
            [.sketch("a", paths: ["~/path/long"]), .sketch("z", paths: ["~/p"])], [(.init("/path/long"), "z")]),
        Row(
            "of equals, the larger identifier comes first",
            [.sketch("0a", paths: ["/p"]), .sketch("1a", paths: ["/p"]), .sketch("19", paths: ["/p"])],
            [(.init("/p"), "1a")]),
        Row(
            "paths of one route rank by their own length",
            [.sketch("a", paths: ["/p", "/q/long/long"]), .sketch("z", paths: ["/q/long", "/p"])],
            [(.init("/q/long/long"), "a"), (.init("/q/long/x"), "z")]),
        Row(
            "a prefix beside a regular expression in one route ranks as a prefix",
            [.sketch("z", paths: ["~/r", "/p"]), .sketch("a", paths: ["~/p"])],
            [(.init("/p"), "a"), (.init("/r"), "z")]),
        Row(
            "an attribute that does not match never lets half a match win",
            [.sketch("z", methods: ["POST"], paths: ["/p"]), .sketch("a", paths: ["/"])],
            [(.init("/p"), "a"), (.init("POST", "/p"), "z")]),
        Row(
            "a longer prefix of another host is no match",
            [
                .sketch("a", hosts: ["a.com"], paths: ["/"]), .sketch("b", hosts: ["a.com"], paths: ["/p"]),
                .sketch("z", hosts: ["b.com"], paths: ["/p/long"]),
            ],
            [
                (.init("/p/long", host: "a.com"), "b"), (.init("/p/long", host: "b.com"), "z"),
                (.init("/x", host: "a.com"), "a"), (.init("/x", host: "b.com"), nil),
            ]),
    ]

    static let pathRules: [Row] = [
        Row(
            "a prefix is a string prefix, not one of segments", [.sketch("a", paths: ["/route"])],
            [
                (.init("/route"), "a"), (.init("/routereq"), "a"), (.init("/route/x"), "a"), (.init("/rout"), nil),
                (.init("/Route"), nil), (.init("/x/route"), nil),
            ]),
        Row("a slash catches all", [.sketch("a", paths: ["/"])], [(.init("/"), "a"), (.init("/any/thing?x"), "a")]),
        Row(
            "a regular expression is anchored at its start only", [.sketch("a", paths: [#"~/users/\d+"#])],
            [
                (.init("/users/12/profile"), "a"), (.init("/users/x"), nil), (.init("/v1/users/12"), nil),
                (.init("/users/"), nil),
            ]),
        Row(
            "an alternative need not begin like the first", [.sketch("a", paths: ["~/one|/two"])],
            [(.init("/one"), "a"), (.init("/two"), "a"), (.init("/three/two"), nil)]),
        Row(
            "alternatives within a group are no matter of the beginning",
            [
                .sketch("a", paths: ["~/users/(?<kind>one|two)/x"]), .sketch("b", paths: [#"~/p[(]|/q[)]\("#]),
                .sketch("c", paths: ["~/c(?#(|)|/d"]),
            ],
            [
                (.init("/users/two/x"), "a"), (.init("/users/three/x"), nil), (.init("/p("), "b"),
                (.init(#"/q)%5C("#), nil), (.init("/d"), "c"),
            ]),
        Row(
            "what a repetition makes optional is not asked for",
            [.sketch("a", paths: ["~/ab?c", "~/x{0,1}y", "~/k*/l"])],
            [
                (.init("/ac"), "a"), (.init("/abc"), "a"), (.init("/y"), "a"), (.init("//l"), nil),
                (.init("/kk/l"), "a"),
            ]),
        Row(
            "an escaped dot is a dot", [.sketch("a", paths: [#"~/file\.txt$"#])],
            [(.init("/file.txt"), "a"), (.init("/filextxt"), nil), (.init("/file.txts"), nil)]),
        Row(
            "paths are normal before they are compared",
            [.sketch("a", paths: ["/plain/a.b.c"]), .sketch("b", paths: ["/endel%2Fst"])],
            [
                (.init("/plain/a.b.c"), "a"), (.init("/pl%61in/a%2Eb.c"), "a"), (.init("//plain///a.b.c"), "a"),
                (.init("/x/../plain/./a.b.c"), "a"), (.init("/x/%2e%2E/plain/a.b.c"), "a"),
                (.init("/endel%2Fst"), "b"), (.init("/endel%2fst"), "b"), (.init("/endel/st"), nil),
            ]),
        Row(
            "a regular expression sees decoded characters, reserved ones encoded",
            [.sketch("a", paths: [#"~/meta/\\d\+ \."#]), .sketch("b", paths: ["~/reserved%2Fabc"])],
            [
                (.init("/meta/%5Cd+%20%2E"), "a"), (.init("/meta/1"), nil), (.init("/reserved%2fabc"), "b"),
                (.init("/reserved/abc"), nil),
            ]),
        Row(
            "an absolute target without a path asks for the slash", [.sketch("a", paths: ["/"], stripPath: false)],
            [(.init("http://example.org"), "a"), (.init("http://example.org?x"), "a")]),
        Row(
            "the asterisk is no path",
            [.sketch("a", paths: ["/"]), .sketch("b", paths: ["~/.*"]), .sketch("c", methods: ["OPTIONS"])],
            [(.init("OPTIONS", "*"), "c"), (.init("OPTIONS", "/"), "b")]),
        Row(
            "what is no UTF-8 finds no route (the router answers with an error in Kong, hence 404)",
            [.sketch("a", paths: ["/"]), .sketch("b", methods: ["GET"])],
            [(.init("/caf%E9"), nil), (.init("/caf%C3%A9"), "a")]),
    ]

    static let hostRules: [Row] = [
        Row(
            "a host is compared whole and in any case", [.sketch("a", hosts: ["Api.Example.com"])],
            [
                (.init("/", host: "api.example.COM"), "a"), (.init("/", host: "example.com"), nil),
                (.init("/", host: "x.api.example.com"), nil), (.init("/", host: "api.example.com.org"), nil),
            ]),
        Row(
            "an asterisk in front stands for any number of labels", [.sketch("a", hosts: ["*.example.com"])],
            [
                (.init("/", host: "x.example.com"), "a"), (.init("/", host: "X.y.Example.com"), "a"),
                (.init("/", host: "example.com"), nil), (.init("/", host: "xexample.com"), nil),
                (.init("/", host: "x.example.com.org"), nil),
            ]),
        Row(
            "so does one at the end", [.sketch("a", hosts: ["example.*"])],
            [
                (.init("/", host: "example.com"), "a"), (.init("/", host: "Example.co.uk"), "a"),
                (.init("/", host: "example"), nil), (.init("/", host: "x.example.com"), nil),
                (.init("/", host: "examples.com"), nil),
            ]),
        Row(
            "a host without a port fits any port", [.sketch("a", hosts: ["a.com", "*.b.com"])],
            [(.init("/", host: "a.com:1234"), "a"), (.init("/", host: "x.b.com:99"), "a")]),
        Row(
            "a host with a port fits this port only", [.sketch("a", hosts: ["a.com:81", "*.b.com:82", "c.*:83"])],
            [
                (.init("/", host: "a.com:81"), "a"), (.init("/", host: "a.com:82"), nil),
                (.init("/", host: "x.b.com:82"), "a"), (.init("/", host: "x.b.com:81"), nil),
                (.init("/", host: "c.org:83"), "a"), (.init("/", host: "c.org"), nil),
            ]),
        Row(
            "a request whose host has no port is for the listening port", [.sketch("a", hosts: ["a.com:8000"])],
            [(.init("/", host: "a.com"), "a"), (.init("/", host: "a.com", port: 80), nil)]),
        Row(
            "an IPv6 address stands in brackets or not", [.sketch("a", hosts: ["::11", "[::12]", "[::13]:81"])],
            [
                (.init("/", host: "[::11]"), "a"), (.init("/", host: "[::11]:90"), "a"),
                (.init("/", host: "[::12]"), "a"),
                (.init("/", host: "[::13]:81"), "a"), (.init("/", host: "[::13]:82"), nil),
            ]),
        Row(
            "the host of an absolute target counts", [.sketch("a", hosts: ["a.com"]), .sketch("b", hosts: ["b.com"])],
            [(.init("http://a.com/x", host: "b.com"), "a")]),
        Row(
            "without a host, routes with hosts do not match",
            [.sketch("a", hosts: ["*.com"]), .sketch("b", paths: ["/"])],
            [(.init("/", host: nil), "b")]),
        Row(
            "an empty port is none", [.sketch("a", hosts: ["a.com"]), .sketch("b", hosts: ["b.com:80"])],
            [(.init("/", host: "a.com:"), "a"), (.init("/", host: "b.com:", port: 80), "b")]),
    ]

    static let headerRules: [Row] = [
        Row(
            "names and values of headers are compared in any case",
            [.sketch("a", headers: [("X-Version", ["v1", "V2"])])],
            [
                (.init("/", fields: [("x-version", "V1")]), "a"), (.init("/", fields: [("X-VERSION", "v2")]), "a"),
                (.init("/", fields: [("x-version", "v3")]), nil), (.init("/", fields: [("x-version", "v11")]), nil),
                (.init("/"), nil),
            ]),
        Row(
            "any of several request values may match", [.sketch("a", headers: [("x", ["2"])])],
            [(.init("/", fields: [("x", "1"), ("X", "2")]), "a"), (.init("/", fields: [("x", "1, 2")]), nil)]),
        Row(
            "all headers must match", [.sketch("a", headers: [("x", ["1"]), ("y", ["1"])])],
            [(.init("/", fields: [("x", "1")]), nil), (.init("/", fields: [("y", "1"), ("x", "1")]), "a")]),
        Row(
            "a value with ~* in front is a regular expression, in any case and anywhere",
            [.sketch("a", headers: [("x", ["~*B[0-9]$"])])],
            [
                (.init("/", fields: [("x", "ab1")]), "a"), (.init("/", fields: [("x", "aB1c")]), nil),
                (.init("/", fields: [("x", "-"), ("x", "b7")]), "a"),
            ]),
    ]

    static let otherRules: [Row] = [
        Row(
            "methods are compared exactly, and none implies another", [.sketch("a", methods: ["GET", "PURGE"])],
            [
                (.init("GET", "/"), "a"), (.init("PURGE", "/"), "a"), (.init("HEAD", "/"), nil),
                (.init("OPTIONS", "/"), nil), (.init("get", "/"), nil), (.init("PURGES", "/"), nil),
            ]),
        Row(
            "server names do not count without TLS", [.sketch("a", snis: ["a.com"])],
            [
                (.init("/"), "a"), (.init("/", scheme: .https), nil),
                (.init("/", scheme: .https, serverName: "a.com"), "a"),
                (.init("/", scheme: .https, serverName: "b.com"), nil),
            ]),
        Row(
            "server names may be wild", [.sketch("a", snis: ["*.a.com", "b.*", "c.com."])],
            [
                (.init("/", scheme: .https, serverName: "x.A.com"), "a"),
                (.init("/", scheme: .https, serverName: "b.org"), "a"),
                (.init("/", scheme: .https, serverName: "c.com"), "a"),
                (.init("/", scheme: .https, serverName: "a.com"), nil),
            ]),
        Row(
            "protocols are no matcher", [.sketch("a", paths: ["/"], protocols: ["https"])], [(.init("/"), "a")]),
        Row(
            "routes of a disabled service do not exist",
            [.sketch("z", paths: ["/p"], service: "off"), .sketch("a", paths: ["/"])], [(.init("/p"), "a")]),
        Row("a route needs no service", [.sketch("a", paths: ["/"], service: nil)], [(.init("/"), "a")]),
        Row(
            "routes for streams are not for requests",
            [.sketch("a", snis: ["a.com"], protocols: ["tls"])], [(.init("/"), nil)]),
        Row("a route without attributes matches all", [.sketch("a")], [(.init("/x"), "a")]),
        Row("no routes, no match", [], [(.init("/"), nil)]),
    ]
}

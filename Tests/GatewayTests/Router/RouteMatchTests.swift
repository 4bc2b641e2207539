// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import Testing

/// Whether one route matches one request.
@Suite struct RouteMatchTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var name: String
        var request: TestRequest
        var matches: Bool
        var route: @Sendable (inout Route) -> Void
        var testDescription: String { name }

        init(
            _ name: String, _ request: TestRequest, _ matches: Bool, route: @escaping @Sendable (inout Route) -> Void
        ) {
            (self.name, self.request, self.matches, self.route) = (name, request, matches, route)
        }
    }

    private func check(_ row: Row) {
        let found = row.request.match(in: makeTable([makeRoute("r", row.route)]))
        #expect((found != nil) == row.matches)
    }

    @Test(arguments: [
        Row("a prefix is not segment aware", .init(path: "/routereq"), true) { $0.paths = ["/route"] },
        Row("a prefix is case-sensitive", .init(path: "/Route"), false) { $0.paths = ["/route"] },
        Row("a path shorter than the prefix", .init(path: "/rout"), false) { $0.paths = ["/route"] },
        Row("a slash catches all", .init(path: "/anything/at/all"), true) { $0.paths = ["/"] },
        Row("any of several paths", .init(path: "/b/x"), true) { $0.paths = ["/a", "/b"] },
        Row("a regex is anchored at the start", .init(path: "/x/users/1"), false) { $0.paths = [#"~/users/\d"#] },
        Row("a regex is not anchored at the end", .init(path: "/users/1/more"), true) { $0.paths = [#"~/users/\d"#] },
        Row("a regex may anchor its end", .init(path: "/users/1/more"), false) { $0.paths = [#"~/users/\d+$"#] },
        Row("a path is normalised first", .init(path: "/a/../%72oute//x"), true) { $0.paths = ["/route/x"] },
        Row("reserved characters stay encoded", .init(path: "/a%2fb"), true) { $0.paths = ["/a%2Fb"] },
        Row("an encoded slash is no slash", .init(path: "/a%2Fb"), false) { $0.paths = ["/a/b"] },
    ])
    func `a path matches as Kong compares it`(row: Row) { check(row) }

    @Test(arguments: [
        Row("the same host", .init(host: "api.test"), true) { $0.hosts = ["api.test"] },
        Row("case does not matter", .init(host: "API.Test"), true) { $0.hosts = ["Api.tesT"] },
        Row("another host", .init(host: "api.test.org"), false) { $0.hosts = ["api.test"] },
        Row("the port of the request does not matter", .init(host: "api.test:99"), true) { $0.hosts = ["api.test"] },
        Row("a host with a port needs it", .init(host: "api.test:99"), true) { $0.hosts = ["api.test:99"] },
        Row("and no other", .init(host: "api.test:98"), false) { $0.hosts = ["api.test:99"] },
        Row("without one the listener's counts", .init(host: "api.test", listenerPort: 99), true) {
            $0.hosts = ["api.test:99"]
        },
        Row("which must be the same", .init(host: "api.test", listenerPort: 98), false) { $0.hosts = ["api.test:99"] },
        Row("*.test covers one label", .init(host: "api.test"), true) { $0.hosts = ["*.test"] },
        Row("*.test covers several labels", .init(host: "a.b.c.test"), true) { $0.hosts = ["*.test"] },
        Row("*.test does not cover test", .init(host: "test"), false) { $0.hosts = ["*.test"] },
        Row("api.* covers any end", .init(host: "api.test.org"), true) { $0.hosts = ["api.*"] },
        Row("api.* needs the dot", .init(host: "apis.test"), false) { $0.hosts = ["api.*"] },
        Row("a wildcard may have a port", .init(host: "a.test:99"), true) { $0.hosts = ["*.test:99"] },
        Row("that must be the same", .init(host: "a.test:98"), false) { $0.hosts = ["*.test:99"] },
        Row("any of several hosts", .init(host: "b.test"), true) { $0.hosts = ["a.test", "b.test"] },
        Row("a request without a host", .init(host: ""), false) { $0.hosts = ["a.test"] },
        Row("an IPv6 host keeps its brackets", .init(host: "[::1]:80"), true) { $0.hosts = ["[::1]"] },
    ])
    func `a host matches as Kong compares it`(row: Row) { check(row) }

    @Test(arguments: [
        Row("a method is exact", .init(method: "GET"), true) { $0.methods = ["POST", "GET"] },
        Row("GET does not imply HEAD", .init(method: "HEAD"), false) { $0.methods = ["GET"] },
        Row("a header of that value", .init(headers: [("x-version", "V1")]), true) {
            $0.headers = [routeHeader("X-Version", "v1")]
        },
        Row("another value", .init(headers: [("x-version", "v10")]), false) {
            $0.headers = [routeHeader("X-Version", "v1")]
        },
        Row("any value of the route", .init(headers: [("x-version", "v2")]), true) {
            $0.headers = [routeHeader("X-Version", "v1", "v2")]
        },
        Row("any line of the request", .init(headers: [("a", "1"), ("a", "2")]), true) {
            $0.headers = [routeHeader("a", "2")]
        },
        Row("all names are needed", .init(headers: [("a", "1")]), false) {
            $0.headers = [routeHeader("a", "1"), routeHeader("b", "1")]
        },
        Row("~* is a regex without case", .init(headers: [("a", "beta-V12")]), true) {
            $0.headers = [routeHeader("a", #"~*v\d+$"#)]
        },
        Row("~* that does not occur", .init(headers: [("a", "beta")]), false) {
            $0.headers = [routeHeader("a", #"~*v\d+$"#)]
        },
        Row("an SNI over TLS", .init(serverName: "SNI.test"), true) { $0.snis = ["sni.test."] },
        Row("another SNI over TLS", .init(serverName: "other.test"), false) { $0.snis = ["sni.test"] },
        Row("an SNI means nothing without TLS", .init(), true) { $0.snis = ["sni.test"] },
        Row("a route without attributes matches nothing", .init(), false) { _ in },
        Row("a stream route is none of ours", .init(), false) { ($0.protocols, $0.snis) = (["tls"], ["a"]) },
    ])
    func `a method, a header or a server name matches as Kong compares it`(row: Row) { check(row) }

    @Test func `the routes of a disabled service do not exist`() {
        let route = makeRoute("r") { $0.paths = ["/"] }
        #expect(TestRequest().match(in: makeTable([route], services: [makeService(enabled: false)])) == nil)
    }

    @Test func `a route without a service matches and says so`() {
        let route = makeRoute("r") { ($0.paths, $0.serviceID) = (["/"], nil) }
        let found = TestRequest().match(in: makeTable([route]))
        #expect(found != nil && found?.match.service == nil)
    }

    @Test func `a regex hands over what it caught by number and by name`() throws {
        let route = makeRoute("r") { $0.paths = [#"~/(?<kind>users|teams)/(\d+)(/x)?"#] }
        let found = try #require(TestRequest(path: "/teams/42/profile").match(in: makeTable([route])))
        #expect(found.match.captures?.numbered == [1: "teams", 2: "42"])
        #expect(found.match.captures?.named == ["kind": "teams"])
        #expect(found.match.matchedPathLength == 9)
        #expect(found.upstreamPath == "/profile")
    }

    @Test func `a plain match leaves the received path as it is`() throws {
        let route = makeRoute("r") { $0.paths = ["/a"] }
        let table = makeTable([route])
        #expect(try #require(TestRequest(path: "/a/.well-known/b..c").match(in: table)).match.normalizedPath == nil)
        let slow = try #require(TestRequest(path: "/a//b").match(in: table)).match
        #expect(slow.normalizedPath.map { String(decoding: $0, as: UTF8.self) } == "/a/b")
    }

    @Test func `ten thousand routes find their own`() {
        var routes: [Route] = []
        for number in 0..<10_000 {
            routes.append(
                makeRoute("route-\(number)") {
                    $0.paths = ["/team-\(number % 100)/service-\(number)/"]
                    if number % 2 == 0 { $0.hosts = ["host-\(number % 50).test"] }
                })
        }
        let table = makeTable(routes)
        for number in stride(from: 0, to: 10_000, by: 37) {
            let request = TestRequest(
                host: "host-\(number % 50).test", path: "/team-\(number % 100)/service-\(number)/item")
            #expect(request.match(in: table)?.match.route.id == "route-\(number)")
        }
        #expect(TestRequest(path: "/team-1/service-2/").match(in: table) == nil)
    }

    @Test(
        arguments: [
            (#"/users/(?<id>\d+)$"#, nil), (#"/a[)(?=]b\+\+"#, nil), (#"/(?:a|b)++"#, "possessive"),
            (#"/(?=a)"#, "look-ahead"), (#"/(?!a)"#, "look-ahead"), (#"/(?<=a)b"#, "look-behind"), (#"/(a)\1"#, "\\1"),
            (#"/(?>a)"#, "atomic"), (#"/(?R)"#, "recursion"), (#"/\Ka"#, "\\K"), ("/(", "invalid regex"),
            ("/[a", "invalid regex"), ("/*+", "possessive"),
        ] as [(String, String?)])
    func `an expression the router cannot keep is refused with a reason`(pattern: String, fault: String?) {
        let found = RouteRegex.validateRegex(pattern)
        if let fault {
            #expect(found?.contains(fault) == true, "\(found ?? "accepted")")
            #expect(found?.contains("\n") == false)
        } else {
            #expect(found == nil)
        }
        #expect((RouteRegex(pattern) == nil) == (fault != nil))
    }

    @Test func `a route whose expression cannot be compiled is left out and named`() {
        let table = makeTable([makeRoute("bad") { $0.paths = ["~/(?=a)"] }, makeRoute("good") { $0.paths = ["/"] }])
        #expect(table.problems.count == 1 && table.problems[0].hasPrefix("route 'bad': invalid regex"))
        #expect(TestRequest().match(in: table)?.match.route.id == "good")
    }
}

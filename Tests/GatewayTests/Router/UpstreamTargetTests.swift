// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Testing
import Wire

/// What becomes of the path on its way to the service.
@Suite struct UpstreamTargetTests {
    /// Kong's own table (spec/fixtures/router_path_handling_tests.lua), the rows of `path_handling` v0: service path,
    /// route path (nil: the route asks for a host), strip_path (nil: both ways), request path, what the service gets.
    static let joins: [(String, String?, Bool?, String, String)] = [
        ("/", "/", nil, "/", "/"),
        ("/", "/", nil, "/route", "/route"),
        ("/", "/", nil, "/route/", "/route/"),
        ("/", "/", nil, "/routereq", "/routereq"),
        ("/", "/", nil, "/route/req", "/route/req"),
        ("/", "/route", false, "/route", "/route"),
        ("/", "/route", false, "/route/", "/route/"),
        ("/", "/route", false, "/routereq", "/routereq"),
        ("/", "/route", true, "/route", "/"),
        ("/", "/route", true, "/route/", "/"),
        ("/", "/route", true, "/routereq", "/req"),
        ("/", "/route/", false, "/route/", "/route/"),
        ("/", "/route/", false, "/route/req", "/route/req"),
        ("/", "/route/", true, "/route/", "/"),
        ("/", "/route/", true, "/route/req", "/req"),
        ("/srv", "/rou", false, "/roureq", "/srv/roureq"),
        ("/srv", "/rou", true, "/roureq", "/srv/req"),
        ("/srv/", "/rou", false, "/rou", "/srv/rou"),
        ("/srv/", "/rou", true, "/rou", "/srv"),
        ("/service", "/", nil, "/", "/service"),
        ("/service", "/", nil, "/route", "/service/route"),
        ("/service", "/", nil, "/route/", "/service/route/"),
        ("/service", "/", nil, "/routereq", "/service/routereq"),
        ("/service", "/", nil, "/route/req", "/service/route/req"),
        ("/service", "/route", false, "/route", "/service/route"),
        ("/service", "/route", false, "/route/", "/service/route/"),
        ("/service", "/route", false, "/routereq", "/service/routereq"),
        ("/service", "/route", true, "/route", "/service"),
        ("/service", "/route", true, "/route/", "/service/"),
        ("/service", "/route", true, "/routereq", "/service/req"),
        ("/service", "/route/", false, "/route/", "/service/route/"),
        ("/service", "/route/", false, "/route/req", "/service/route/req"),
        ("/service", "/route/", true, "/route/", "/service/"),
        ("/service", "/route/", true, "/route/req", "/service/req"),
        ("/service/", "/", nil, "/route/", "/service/route/"),
        ("/service/", "/", nil, "/", "/service/"),
        ("/service/", "/", nil, "/route", "/service/route"),
        ("/service/", "/", nil, "/routereq", "/service/routereq"),
        ("/service/", "/", nil, "/route/req", "/service/route/req"),
        ("/service/", "/route", false, "/route", "/service/route"),
        ("/service/", "/route", false, "/route/", "/service/route/"),
        ("/service/", "/route", false, "/routereq", "/service/routereq"),
        ("/service/", "/route", true, "/route", "/service"),
        ("/service/", "/route", true, "/route/", "/service/"),
        ("/service/", "/route", true, "/routereq", "/service/req"),
        ("/service/", "/route/", false, "/route/", "/service/route/"),
        ("/service/", "/route/", false, "/route/req", "/service/route/req"),
        ("/service/", "/route/", true, "/route/", "/service/"),
        ("/service/", "/route/", true, "/route/req", "/service/req"),
        ("/", nil, nil, "/", "/"),
        ("/", nil, nil, "/route", "/route"),
        ("/", nil, nil, "/route/", "/route/"),
        ("/service", nil, nil, "/", "/service"),
        ("/service", nil, nil, "/route", "/service/route"),
        ("/service", nil, nil, "/route/", "/service/route/"),
        ("/service/", nil, nil, "/", "/service/"),
        ("/service/", nil, nil, "/route", "/service/route"),
        ("/service/", nil, nil, "/route/", "/service/route/"),
        ("/service", "/route", true, "/route./req", "/service/req"),
        ("/service/", "/route", true, "/route./req", "/service/req"),
        ("/service", "/route", true, "/route%2E/req", "/service/req"),
        ("/service/", "/route", true, "/route%2e/req", "/service/req"),
        ("/service", "/route", true, "/route../req", "/service/req"),
        ("/service/", "/route", true, "/route../req", "/service/req"),
        ("/service", "/route", true, "/route%2E%2E/req", "/service/req"),
        ("/service/", "/route", true, "/route%2e%2E/req", "/service/req"),
        ("/service", "/route", false, "/route./req", "/service/route./req"),
        ("/service/", "/route", false, "/route./req", "/service/route./req"),
        ("/service", "/route", false, "/route%2E/req", "/service/route./req"),
        ("/service/", "/route", false, "/route%2e/req", "/service/route./req"),
        ("/service", "/route", false, "/route../req", "/service/route../req"),
        ("/service/", "/route", false, "/route%2e%2E/req", "/service/route../req"),
        // Beyond that table: the service path is the root and the rest is a dot segment, or longer than one.
        ("/", "/route", true, "/route./req", "/req"),
        ("/", "/route", true, "/route.", "/"),
        ("/", "/route", true, "/route..", "/"),
        ("/", "/route", true, "/route...", "/..."),
        ("/", "/route", true, "/route.x", "/.x"),
        ("/", "/route", true, "/route..x", "/..x"),
        ("/service", "/route", true, "/route..", "/service"),
        ("/service/", "/route", true, "/route.", "/service"),
        // Regular expressions strip what they matched.
        ("/", #"~/users/\d+/profile"#, true, "/users/123/profile/hello", "/hello"),
        ("/", #"~/users/(\d+)"#, true, "/users/123", "/"),
        ("/service", #"~/users/\d+"#, true, "/users/1x", "/service/x"),
        ("/service", #"~/users/\d+"#, false, "/users/1x", "/service/users/1x"),
        // Encoding: reserved characters stay as they were, all others are encoded again.
        ("/", "/", false, "/a%20b", "/a%20b"),
        ("/", "/", false, "/a\"b|c", "/a%22b%7Cc"),
        ("/", "/", false, "/%7euser%2fx", "/~user%2Fx"),
        ("/", "/", false, "/caf%c3%a9", "/caf%C3%A9"),
        ("/", "/", false, "/é", "/%C3%A9"),
        ("/", "/", false, "/100%", "/100%"),
        ("/", "/", false, "/%zz%2", "/%zz%2"),
        ("/", "/", false, "/a%0d%0Ab", "/a%0D%0Ab"),
        ("/s%2Ft", "/a%2Fb", true, "/a%2fb/c", "/s%2Ft/c"),
        ("/", "/", false, "/!*'();:@&=+$,/[]", "/!*'();:@&=+$,/[]"),
    ]

    @Test(arguments: joins)
    func `service path and request path are joined as Kong joins them`(
        servicePath: String, routePath: String?, stripPath: Bool?, requestPath: String, expected: String
    ) throws {
        for strips in stripPath.map({ [$0] }) ?? [false, true] {
            let route = Route.sketch(
                "a", hosts: routePath == nil ? ["example.org"] : [], paths: routePath.map { [$0] } ?? [],
                stripPath: strips)
            let table = RouteTable([route], servicePath: servicePath)
            for query in ["", "?", "?hello", "?a=%20b&&c=//../%zz?", "?é"] {
                let match = try #require(try table.match(RequestSketch(requestPath + query)))
                #expect(String(buffer: match.uri) == expected + query, "strip_path \(strips)")
            }
        }
    }

    @Test(arguments: [
        ("/route", "/route/x", "/route"), ("/", "/route", nil), ("/route/", "/route/", "/route/"),
        (#"~/users/\d+"#, "/users/12/x", "/users/12"), ("/route", "/x/../rout%65", "/route"),
        ("/a%2Fb", "/a%2fb", "/a%2Fb"), ("~/a.*", "/a%0Ab", "/a"), ("~/a[^x]*", "/a%0Abx", "/a%0Ab"), ("~/", "/x", nil),
    ])
    func `the stripped prefix is told unless it is a slash`(path: String, request: String, expected: String?) throws {
        let match = try #require(try RouteTable([.sketch("a", paths: [path])]).match(RequestSketch(request)))
        #expect(match.strippedPrefix.map { String(buffer: $0) } == expected)
        let kept = try #require(
            try RouteTable([.sketch("a", paths: [path], stripPath: false)]).match(RequestSketch(request)))
        #expect(kept.strippedPrefix == nil)
    }

    @Test(arguments: [
        ("/", false, "/orders/1?x=1", "/orders/1?x=1"), ("/", true, "/orders/1?x=1", "/orders/1?x=1"),
        ("/orders", true, "/orders/1?x=1", "/1?x=1"), ("/orders/", true, "/orders/1", "/1"),
        ("/orders/", true, "/orders/?x", "/?x"), ("/orders", false, "/orders/%2F", "/orders/%2F"),
    ])
    func `the target shares the bytes of the head where nothing changes`(
        path: String, stripPath: Bool, request: String, expected: String
    ) throws {
        let table = RouteTable([.sketch("a", paths: [path], stripPath: stripPath)])
        let head = try #require(RequestSketch(request).head())
        let match = try #require(table.match(head, scheme: .http, port: 80))
        #expect(String(buffer: match.uri) == expected)
        let isShared = head.bytes.withUnsafeReadableBytes { whole in
            match.uri.withUnsafeReadableBytes { part in
                guard let base = whole.baseAddress, let start = part.baseAddress else { return false }
                return start >= base && start + part.count <= base + whole.count
            }
        }
        #expect(isShared)
    }

    @Test func `targets without a path of their own`() throws {
        let table = RouteTable([.sketch("a")])
        #expect(try table.match(RequestSketch("http://a.com"))?.uri == ByteBuffer(string: "/"))
        #expect(try table.match(RequestSketch("http://a.com?q"))?.uri == ByteBuffer(string: "/?q"))
        #expect(try table.match(RequestSketch("http://a.com/x?q"))?.uri == ByteBuffer(string: "/x?q"))
        #expect(try table.match(RequestSketch("OPTIONS", "*"))?.uri == ByteBuffer(string: "*"))
        #expect(try table.match(RequestSketch("CONNECT", "a.com:443"))?.uri == ByteBuffer(string: "a.com:443"))
    }

    @Test func `groups of a regular expression are kept by number and name`() throws {
        let table = RouteTable([
            .sketch("a", paths: [#"~/users/(?P<user_id>[a-z \d]+)/profile/?(?<scope>[a-z]*)(/x)?"#])
        ])
        let match = try #require(try table.match(RequestSketch("/users/%6aohn%201984/profile/email")))
        #expect(match.capture("1") == "john 1984")
        #expect(match.capture("user_id") == "john 1984")
        #expect(match.capture("scope") == "email")
        #expect(match.capture("2") == "email")
        #expect(match.capture("3") == nil)
        #expect(match.captures.count == 2)
        #expect(try RouteTable([.sketch("a", paths: ["/"])]).match(RequestSketch("/x"))?.captures == [])
    }
}

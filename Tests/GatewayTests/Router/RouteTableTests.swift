// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Testing
import World

/// The table as a whole: many routes, bad ones, and bytes that nobody meant.
@Suite struct RouteTableTests {
    static let count = 10_000

    @Test func `each of ten thousand prefixes is found`() throws {
        let table = RouteTable((0..<Self.count).map { .sketch("\($0)", paths: ["/service-\($0)/v1/"]) })
        for number in 0..<Self.count {
            let match = try table.match(RequestSketch("/service-\(number)/v1/x"))
            try #require(match?.route.index == number)
        }
        #expect(try table.match(RequestSketch("/service-\(Self.count)/v1/")) == nil)
        #expect(try table.match(RequestSketch("/service-1/v")) == nil)
    }

    @Test func `each of ten thousand hosts is found, plain and wild`() throws {
        let table = RouteTable(
            (0..<Self.count).map { number in
                let host = ["a\(number).com", "*.b\(number).com", "c\(number).*"][number % 3]
                return .sketch("\(number)", hosts: [host], paths: ["/"])
            })
        for number in 0..<Self.count {
            let host = ["a\(number).com", "x.y.b\(number).com", "c\(number).org"][number % 3]
            let match = try table.match(RequestSketch("/x", host: host))
            try #require(match?.route.index == number)
        }
        #expect(try table.match(RequestSketch("/", host: "a\(Self.count).com")) == nil)
    }

    @Test func `each of a thousand regular expressions is found`() throws {
        let table = RouteTable((0..<1000).map { .sketch("\($0)", paths: [#"~/service-\#($0)/v\d+$"#]) })
        for number in 0..<1000 {
            let match = try table.match(RequestSketch("/service-\(number)/v12"))
            try #require(match?.route.index == number)
        }
    }

    @Test func `prefixes of prefixes of prefixes are all seen`() throws {
        let path = "/" + String(repeating: "ab/", count: 300)
        let lengths = 1...path.utf8.count
        let table = RouteTable(lengths.map { .sketch("\($0)", paths: [String(path.prefix($0))]) })
        for length in lengths {
            let match = try table.match(RequestSketch(path.prefix(length) + "x"))
            try #require(match?.route.route.id == "\(length)")
        }
    }

    @Test func `routes whose regular expression does not compile are left out and told`() throws {
        let table = RouteTable([
            .sketch("a", paths: ["~/(unclosed", "/p"]), .sketch("b", headers: [("x", ["~*[z-a]"])]),
            .sketch("c", paths: ["/"]),
        ])
        #expect(table.routes.map(\.route.id) == ["c"])
        #expect(table.routes.map(\.index) == [2])
        #expect(table.problems.count == 2)
        for problem in table.problems { #expect(!problem.description.contains("\n")) }
        #expect(table.problems.first?.description.contains("route 'a' is left out") == true)
        #expect(try table.match(RequestSketch("/p"))?.route.route.id == "c")
    }

    @Test func `the empty table has no route`() throws {
        #expect(try RouteTable.empty.match(RequestSketch("/")) == nil)
    }

    @Test func `the service of a route is at hand`() throws {
        let table = RouteTable([.sketch("a", paths: ["/a"]), .sketch("b", paths: ["/b"], service: nil)])
        #expect(try table.match(RequestSketch("/a"))?.route.service?.id == "service")
        #expect(try table.match(RequestSketch("/b"))?.route.service == nil)
    }

    @Test(arguments: UInt64(1)...4) func `no path traps`(seed: UInt64) throws {
        let table = RouteTable(
            [
                .sketch("a", paths: ["/"], stripPath: true),
                .sketch("b", paths: ["/a", "/..", "/%2F"], stripPath: true),
                .sketch("c", paths: ["~/[^a]*", "~/.*%"]), .sketch("d", hosts: ["*.a", "a.*", "a"]),
            ], servicePath: "/s")
        var random = RandomStream(seed: seed, name: "paths")
        let favourites = Array("//..%%aA2fFeE?".utf8)
        let hosts = ["a", "a.", ".a", "..", "a.a:", "x.a:80", "[::a]", "[::a]:8", "a.x.a.x", "."]
        var answered = 0
        for _ in 0..<3000 {
            let bytes = (0..<random.below(24)).map { _ in
                random.chance(0.2) ? UInt8(random.below(256)) : favourites[Int(random.below(UInt64(favourites.count)))]
            }
            let host = hosts[Int(random.below(UInt64(hosts.count)))]
            let start = Array((random.chance(0.2) ? "http://a" : "/").utf8)
            var request = RequestSketch("", host: host)
            request.target = start + bytes
            guard let head = request.head() else { continue }
            answered += 1
            guard let match = table.match(head, scheme: .http, port: 80) else { continue }
            let target = Array(match.uri.readableBytesView)
            #expect(target.first == UInt8(ascii: "/"), "seed \(seed), \(start + bytes)")
            // Nothing that could end the request line early.
            #expect(target.allSatisfy { $0 > 0x20 && $0 != 0x7F }, "seed \(seed), \(start + bytes)")
        }
        #expect(answered > 1000)
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import Testing
import World

/// Random routes and requests of few words, so that they meet: the table must agree with the plain reference.
@Suite struct RouteReferenceTests {
    struct Draw {
        var random: RandomStream

        mutating func one<T>(_ list: [T]) -> T { list[Int(random.below(UInt64(list.count)))] }
        mutating func some<T>(_ list: [T], chance: Double, most: Int) -> [T] {
            guard random.chance(chance) else { return [] }
            return (0...random.below(UInt64(most))).map { _ in one(list) }
        }
        mutating func unique(_ list: [String], chance: Double, most: Int) -> [String] {
            var seen: [String] = []
            for item in some(list, chance: chance, most: most) where !seen.contains(item) { seen.append(item) }
            return seen
        }

        static let paths = [
            "/", "/a", "/ab", "/a/", "/a/b", "/a/b/", "/a.b", "/a%2Fb", "/b", "/b/a/b", "/ba", "~/a", "~/a/b$",
            "~/[ab]+/",
            "~/(?<n>a|b)/?", #"~/a\.b"#, "~/ab?/b", "~/a{1,2}", "~/b|/a", "~/.*b", "~/a+", "~/é",
        ]
        static let hosts = [
            "a.com", "b.a.com", "*.a.com", "*.com", "a.*", "b.*", "b.a.*", "A.com:80", "*.a.com:81", "a.*:81", "c.org",
        ]
        static let requestHosts = [
            "a.com", "A.COM:80", "b.a.com", "c.b.a.com:81", "b.org", "a.org:81", "com", "b.a.org",
        ]
        static let segments = [
            "a", "b", "ab", "ba", "aa", ".", "..", "%2e", "%2E%2e", "", "a.b", "a%2fb", "%61", "a%20b", "é", "%C3%A9",
            "\"", "%",
        ]

        mutating func route(_ number: Int) -> Route {
            let names = unique(["x", "Y", "z-z"], chance: 0.3, most: 3)
            return .sketch(
                "\(random.uuid())", methods: unique(["GET", "POST", "PURGE"], chance: 0.3, most: 2),
                hosts: unique(Self.hosts, chance: 0.4, most: 3), paths: unique(Self.paths, chance: 0.8, most: 4),
                headers: names.map { ($0, unique(["1", "One", "two"], chance: 1, most: 2)) },
                regexPriority: Int(random.below(3)), stripPath: random.chance(0.5))
        }

        mutating func request() -> RequestSketch {
            let segments = some(Self.segments, chance: 0.95, most: 5)
            let target = "/" + segments.joined(separator: "/") + one(["", "", "?", "?q=a//b", "/"])
            return RequestSketch(
                one(["GET", "GET", "POST", "PURGE", "get"]), target, host: one(Self.requestHosts),
                fields: some([("X", "1"), ("x", "ONE"), ("y", "two"), ("Z-Z", "1"), ("q", "1")], chance: 0.5, most: 4),
                port: one([80, 81, 8000]))
        }
    }

    @Test(arguments: UInt64(1)...60) func `the table agrees with the reference`(seed: UInt64) throws {
        var draw = Draw(random: RandomStream(seed: seed, name: "routes"))
        let routes = (0..<(1 + draw.random.below(25))).map { draw.route(Int($0)) }
        let servicePath = draw.one(["/", "/s", "/s/", "/s%2Ft"])
        let table = RouteTable(routes, servicePath: servicePath)
        let reference = ReferenceRouter(routes, servicePath: servicePath)
        var found = 0
        for _ in 0..<200 {
            let request = draw.request()
            let answer = try table.match(request).map {
                ReferenceRouter.Answer(id: $0.route.route.id, target: String(buffer: $0.uri))
            }
            let expected = reference.match(request)
            try #require(answer == expected, "seed \(seed), \(request)")
            if answer != nil { found += 1 }
        }
        #expect(found > 0, "seed \(seed) tries nothing")
    }

    /// The bytes of a path against the text form that checks configured paths.
    @Test(arguments: UInt64(1)...4) func `paths are normal in the same way everywhere`(seed: UInt64) throws {
        var random = RandomStream(seed: seed, name: "normal paths")
        let table = RouteTable([.sketch("a", paths: ["/"], stripPath: false)])
        let pieces = ["/", "/", ".", "..", "%2e", "%2F", "%41", "%7e", "%20", "x", "%", "y", "%zz", ":", "%3a", "é"]
        for _ in 0..<2000 {
            let path =
                "/" + (0..<random.below(12)).map { _ in pieces[Int(random.below(UInt64(pieces.count)))] }.joined()
            let expected = ReferenceRouter.escaped(PathNormalization.normalized(path))
            let match = try #require(try table.match(RequestSketch(path)))
            try #require(String(buffer: match.uri) == expected, "seed \(seed), \(path)")
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import Testing

/// Of two routes that both match a request, which one wins.
@Suite struct RoutePriorityTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var name: String
        var winner: @Sendable (inout Route) -> Void
        var loser: @Sendable (inout Route) -> Void
        var testDescription: String { name }
    }

    private static let request = TestRequest(
        path: "/users/profile", headers: [("X-A", "1"), ("X-B", "2")], serverName: "sni.test")

    @Test(arguments: [
        Row(name: "two kinds of attributes beat one", winner: { ($0.hosts, $0.methods) = (["api.test"], ["GET"]) }) {
            $0.paths = ["/users/profile"]
        },
        Row(name: "a host beats a method", winner: { $0.hosts = ["api.test"] }) { $0.methods = ["GET"] },
        Row(name: "a path beats a method", winner: { $0.paths = ["/"] }) { $0.methods = ["GET"] },
        Row(name: "a plain host beats a wildcard", winner: { $0.hosts = ["api.test"] }) { $0.hosts = ["*.test"] },
        Row(name: "a plain host beats a path", winner: { $0.hosts = ["api.test"] }) { $0.paths = ["/users/profile"] },
        Row(name: "a path beats a wildcard host", winner: { $0.paths = ["/users"] }) { $0.hosts = ["*.test"] },
        Row(
            name: "one wildcard makes all hosts wildcards",
            winner: { ($0.hosts, $0.methods) = (["api.test"], ["GET"]) }
        ) { ($0.hosts, $0.paths) = (["api.test", "*.other"], ["/users/profile"]) },
        Row(
            name: "more headers beat a longer path",
            winner: { ($0.headers, $0.paths) = ([routeHeader("X-A", "1"), routeHeader("X-B", "2")], ["/"]) }
        ) { ($0.headers, $0.paths) = ([routeHeader("X-A", "1")], ["/users/profile"]) },
        Row(
            name: "more headers beat a regex",
            winner: { ($0.headers, $0.paths) = ([routeHeader("X-A", "1"), routeHeader("X-B", "2")], ["/"]) }
        ) { ($0.headers, $0.paths) = ([routeHeader("X-A", "1")], ["~/users/.*"]) },
        Row(name: "a regex beats an exact prefix", winner: { $0.paths = ["~/u"] }) { $0.paths = ["/users/profile"] },
        Row(
            name: "a larger regex_priority beats a smaller one", winner: { ($0.paths, $0.regexPriority) = (["~/u"], 2) }
        ) { ($0.paths, $0.regexPriority) = (["~/users/profile"], 1) },
        Row(name: "a longer prefix beats a shorter one", winner: { $0.paths = ["/users"] }) { $0.paths = ["/use"] },
        Row(name: "regex_priority means nothing to prefixes", winner: { $0.paths = ["/users"] }) {
            ($0.paths, $0.regexPriority) = (["/use"], 100)
        },
        Row(name: "a part with a longer prefix stands for itself", winner: { $0.paths = ["/no", "/users/p"] }) {
            $0.paths = ["/users"]
        },
        Row(name: "a part with a regex stands for itself", winner: { $0.paths = ["/u", "~/users"] }) {
            $0.paths = ["/users/profile"]
        },
        Row(name: "an SNI counts as an attribute", winner: { ($0.paths, $0.snis) = (["/"], ["sni.test"]) }) {
            $0.paths = ["/users"]
        },
        Row(name: "a half match wins nothing", winner: { $0.methods = ["GET"] }) {
            ($0.hosts, $0.paths, $0.methods) = (["api.test"], ["/users"], ["POST"])
        },
    ])
    func `the route of the higher priority wins`(row: Row) {
        // The ids argue for the loser, so that a tie shows.
        for routes in [
            [makeRoute("a", row.winner), makeRoute("z", row.loser)],
            [makeRoute("z", row.loser), makeRoute("a", row.winner)],
        ] {
            #expect(Self.request.match(in: makeTable(routes))?.match.route.id == "a")
        }
    }

    @Test func `of equal priorities the larger id wins, not the older route`() {
        var older = makeRoute("11111111") { $0.paths = ["/users"] }
        older.createdAt = 1
        var younger = makeRoute("22222222") { $0.paths = ["/users"] }
        younger.createdAt = 2
        #expect(Self.request.match(in: makeTable([older, younger]))?.match.route.id == "22222222")
        (older.id, younger.id) = (younger.id, older.id)
        #expect(Self.request.match(in: makeTable([older, younger]))?.match.route.createdAt == 1)
    }

    @Test func `the number has the layout of Kong's`() {
        let route = makeRoute("r") {
            ($0.methods, $0.hosts, $0.paths) = (["GET"], ["a.test"], ["/ab"])
            $0.headers = [routeHeader("X-A", "1")]
            $0.regexPriority = 5
        }
        let common: UInt64 = 4 << 61 | 1 << 60 | 1 << 52
        #expect(RoutePriority(route, path: .prefix(length: 3)).value == common | 3)
        #expect(RoutePriority(route, path: .regex).value == common | 1 << 51 | 5 << 19)
        #expect(RoutePriority(makeRoute("s") { $0.snis = ["x"] }, path: .none).value == 1 << 61)
    }
}

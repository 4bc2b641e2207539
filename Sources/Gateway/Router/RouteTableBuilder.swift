// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Wire

/// Gathers what a route table is made of: the parts of all routes in their order, taken apart into candidates.
struct RouteTableBuilder {
    private(set) var routes: [CompiledRoute] = []
    private(set) var problems: [Problem] = []
    private(set) var parts: ContiguousArray<RouteConditions> = []
    private(set) var patterns: ContiguousArray<RoutePattern> = []
    private(set) var entries: [PathIndex.Entry] = []
    private(set) var hosts = HostIndex()

    private static let httpProtocols: Set<String> = ["http", "https", "grpc", "grpcs"]

    /// A part with all that can go wrong behind it.
    private struct Ranked {
        let part: RoutePart
        let priority: UInt64
        let conditions: RouteConditions
        /// One for each path of the part; nil for a plain prefix.
        let patterns: [RoutePattern?]
    }

    init(_ configuration: Configuration) {
        let services = Dictionary(
            configuration.services.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var ranked: [Ranked] = []
        for (index, route) in configuration.routes.enumerated() {
            let service = route.serviceID.flatMap { services[$0] }
            guard service?.enabled != false, Self.speaksHTTP(route) else { continue }
            let compiled = CompiledRoute(route, service: service, index: index)
            do {
                ranked += try Self.ranked(compiled)
                routes.append(compiled)
            } catch {
                let reason = "\(error)".split(whereSeparator: \.isNewline).first ?? "not a regular expression"
                problems.append(
                    Problem(
                        at: nil, "route '\(route.name ?? route.id)' is left out: \(reason)",
                        advice: "correct the regular expression in its paths or headers"))
            }
        }
        ranked.sort { $0.part.precedes($1.part, ($0.priority, $1.priority)) }
        for part in ranked { append(part) }
        hosts.freeze()
    }

    private static func speaksHTTP(_ route: Route) -> Bool {
        route.protocols.isEmpty || route.protocols.contains(where: httpProtocols.contains)
    }

    private static func ranked(_ compiled: CompiledRoute) throws -> [Ranked] {
        let route = compiled.route
        let conditions = RouteConditions(
            route: compiled,
            otherMethods: route.methods.map { ContiguousArray($0.utf8) }.filter { method($0) == .other },
            headers: try route.headers.filter { !$0.values.isEmpty }.map(HeaderCondition.init),
            serverNames: route.snis.map(ServerNameCondition.init))
        return try RoutePart.parts(of: route).map { part in
            Ranked(
                part: part, priority: part.priority, conditions: conditions,
                patterns: try part.paths.map { path in
                    RoutePart.isPattern(path) ? try RoutePattern(path: String(path.dropFirst())) : nil
                })
        }
    }

    private static func method(_ name: ContiguousArray<UInt8>) -> HTTPMethod { name.withUnsafeBytes(HTTPMethod.init) }

    // MARK: Candidates

    private mutating func append(_ ranked: Ranked) {
        let route = ranked.part.route
        var candidate = Candidate(
            order: 0, part: UInt32(parts.count), pattern: -1, prefixLength: -1, port: -1,
            methods: Self.methods(of: route), hasConditions: !ranked.conditions.isEmpty)
        parts.append(ranked.conditions)
        guard !ranked.part.paths.isEmpty else { return append(candidate, prefix: [], route.hosts) }
        for (path, pattern) in zip(ranked.part.paths, ranked.patterns) {
            if let pattern {
                candidate.pattern = Int32(patterns.count)
                patterns.append(pattern)
                append(candidate, prefix: RoutePattern.literalPrefix(of: String(path.dropFirst())), route.hosts)
            } else {
                candidate.prefixLength = Int32(path.utf8.count)
                append(candidate, prefix: Array(path.utf8), route.hosts)
            }
        }
    }

    /// One entry a host; the order grows from call to call.
    private mutating func append(_ candidate: Candidate, prefix: [UInt8], _ names: [String]) {
        var candidate = candidate
        candidate.order = UInt32(entries.count)
        if names.isEmpty {
            entries.append(PathIndex.Entry(prefix: prefix, host: HostIndex.anyHost, candidate: candidate))
        }
        for name in names {
            let bytes = ContiguousArray(name.utf8)
            let address = bytes.withUnsafeBytes(HostAndPort.init)
            candidate.port = Int32(clamping: address.port ?? -1)
            let host = hosts.number(of: bytes[address.host])
            entries.append(PathIndex.Entry(prefix: prefix, host: host, candidate: candidate))
        }
    }

    private static func methods(of route: Route) -> UInt16 {
        guard !route.methods.isEmpty else { return .max }
        return route.methods.reduce(0) { $0 | 1 << UInt16(method(ContiguousArray($1.utf8)).rawValue) }
    }
}

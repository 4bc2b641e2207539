// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import OrderedCollections

/// Sorts routes by priority and deals them out by host and path.
struct RouteTableBuilder {
    private struct Part {
        var priority: RoutePriority
        var entry: RouteTable.Entry
        var prefixes: [[UInt8]]
    }

    /// A host of a route without its port.
    private enum HostPattern: Hashable {
        case any
        case exact([UInt8])
        case suffix([UInt8])
        case prefix([UInt8])
    }

    private struct BucketParts {
        var prefixes: OrderedDictionary<[UInt8], [RouteTable.Candidate]> = [:]
        var pathless: [RouteTable.Candidate] = []
        var regexes: [RouteTable.Candidate] = []

        var bucket: RouteTable.Bucket {
            RouteTable.Bucket(
                lengths: Set(prefixes.keys.map(\.count)).sorted(),
                prefixes: ByteIndex(prefixes.keys.enumerated().map { (key: $0.element, value: $0.offset) }),
                lists: Array(prefixes.values), pathless: pathless, regexes: regexes)
        }
    }

    struct Result {
        var entries: [RouteTable.Entry]
        var buckets: [RouteTable.Bucket]
        var exactHosts: [(key: [UInt8], value: Int)] = []
        var hostSuffixes: [(key: [UInt8], value: Int)] = []
        var hostPrefixes: [(key: [UInt8], value: Int)] = []
        var problems: [String]
    }

    private static let streamProtocols = ["tcp", "udp", "tls", "tls_passthrough"]

    private var parts: [Part] = []
    private var problems: [String] = []

    // MARK: Routes to parts

    /// A route whose prefixes have several lengths, or that has prefixes and regular expressions, becomes several parts,
    /// each with a priority of its own (kong/router/compatible.lua, split_routes_and_services_by_path).
    mutating func add(_ compiled: CompiledRoute) {
        let route = compiled.route
        guard !Self.streamProtocols.contains(route.protocols.first ?? "http") else { return }
        let hasAttribute =
            !(route.methods.isEmpty && route.hosts.isEmpty && route.headers.isEmpty && route.paths.isEmpty
            && route.snis.isEmpty)
        guard hasAttribute else { return }
        let entry = makeEntry(compiled)
        let prefixes = route.paths.filter { !$0.hasPrefix("~") }.map { Array($0.utf8) }
        for length in Set(prefixes.map(\.count)).sorted() {
            let alike = prefixes.filter { $0.count == length }
            add(entry, prefixes: alike, priority: RoutePriority(route, path: .prefix(length: length)))
        }
        let patterns = route.paths.filter { $0.hasPrefix("~") }.map { String($0.dropFirst()) }
        if !patterns.isEmpty {
            var entry = entry
            entry.regexes = patterns.compactMap { compile($0, of: route, ignoresCase: false) }
            add(entry, prefixes: [], priority: RoutePriority(route, path: .regex))
        }
        if route.paths.isEmpty { add(entry, prefixes: [], priority: RoutePriority(route, path: .none)) }
    }

    private mutating func add(_ entry: RouteTable.Entry, prefixes: [[UInt8]], priority: RoutePriority) {
        parts.append(Part(priority: priority, entry: entry, prefixes: prefixes))
    }

    private mutating func makeEntry(_ compiled: CompiledRoute) -> RouteTable.Entry {
        let route = compiled.route
        var headers: [HeaderMatcher] = []
        for header in route.headers where !header.values.isEmpty {
            let patterns = header.values.filter { $0.hasPrefix("~*") }.map { String($0.dropFirst(2)) }
            headers.append(
                HeaderMatcher(
                    name: lower(header.name),
                    values: header.values.filter { !$0.hasPrefix("~*") }.map { lower($0) },
                    regexes: patterns.compactMap { compile($0, of: route, ignoresCase: true) }))
        }
        return RouteTable.Entry(
            compiled: compiled, methods: route.methods.map { Array($0.utf8) }, headers: headers,
            // The last dot of a fully qualified name is not part of what a client asks for.
            serverNames: route.snis.map { lower($0.count > 1 && $0.hasSuffix(".") ? String($0.dropLast()) : $0) },
            regexes: [])
    }

    private mutating func compile(_ pattern: String, of route: Route, ignoresCase: Bool) -> RouteRegex? {
        if let regex = RouteRegex(pattern, ignoresCase: ignoresCase) { return regex }
        let fault = RouteRegex.validateRegex(pattern) ?? "invalid regex '\(pattern)'"
        problems.append("route '\(route.name ?? route.id)': \(fault)")
        return nil
    }

    // MARK: Parts to buckets

    consuming func finish() -> Result {
        let sorted = parts.sorted { $0.priority > $1.priority }
        var buckets: OrderedDictionary<HostPattern, BucketParts> = [.any: BucketParts()]
        for (rank, part) in sorted.enumerated() {
            let hosts = part.entry.compiled.route.hosts
            for (pattern, port) in hosts.isEmpty ? [(.any, 0)] : hosts.map({ hostPattern($0) }) {
                let candidate = RouteTable.Candidate(rank: rank, port: port)
                if !part.entry.regexes.isEmpty {
                    buckets[pattern, default: BucketParts()].regexes.append(candidate)
                } else if part.entry.compiled.route.paths.isEmpty {
                    buckets[pattern, default: BucketParts()].pathless.append(candidate)
                }
                for prefix in part.prefixes {
                    buckets[pattern, default: BucketParts()].prefixes[prefix, default: []].append(candidate)
                }
            }
        }
        var result = Result(entries: sorted.map(\.entry), buckets: buckets.values.map(\.bucket), problems: problems)
        for (place, pattern) in buckets.keys.enumerated() {
            switch pattern {
            case .any: break
            case .exact(let host): result.exactHosts.append((host, place))
            case .suffix(let host): result.hostSuffixes.append((host, place))
            case .prefix(let host): result.hostPrefixes.append((host, place))
            }
        }
        return result
    }

    private func hostPattern(_ host: String) -> (HostPattern, port: Int) {
        var host = host
        var port = 0
        if !host.hasPrefix("["), let colon = host.lastIndex(of: ":"),
            let number = Int(host[host.index(after: colon)...])
        {
            port = number
            host = String(host[..<colon])
        }
        if host.hasPrefix("*") { return (.suffix(lower(String(host.dropFirst()))), port) }
        if host.hasSuffix("*") { return (.prefix(lower(String(host.dropLast()))), port) }
        return (.exact(lower(host)), port)
    }

    private func lower(_ text: String) -> [UInt8] { text.utf8.map { lowercased($0) } }
}

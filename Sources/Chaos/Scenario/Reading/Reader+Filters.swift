// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension Reader {
    static let filterKeys = Vocabulary.filter.names

    /// `{ status: 503, origin: gateway, of: writes }`, or one of ok, failed, unknown.
    mutating func outcomeFilter(_ node: DocumentNode, _ what: String) -> OutcomeFilter? {
        if node.scalar != nil, !node.isNull {
            return choice(node, what, of: OutcomeFilter.Outcome.self).map { OutcomeFilter(outcome: $0) }
        }
        guard let fields = fields(node, what, keys: Self.filterKeys) else { return nil }
        return filter(fields, what)
    }

    mutating func filter(_ fields: Fields, _ what: String) -> OutcomeFilter {
        var filter = OutcomeFilter()
        if let node = fields["status"] { filter.statuses = statuses(node) }
        if let node = fields["origin"] { filter.origin = choice(node, "`origin`") }
        if let node = fields["outcome"] { filter.outcome = choice(node, "`outcome`") }
        if let node = fields["of"] { filter.loads = loadNames(node) }
        if let node = fields["method"] { filter.method = word(node, "`method`") }
        if let node = fields["path"] { filter.path = path(node, "`path`") }
        return filter
    }

    /// `503`, `5xx`, `500..504` or a list of them.
    private mutating func statuses(_ node: DocumentNode) -> [ClosedRange<Int>] {
        let items = node.items ?? [node]
        if items.isEmpty { report(node.location, "`status` is an empty list") }
        return items.compactMap { item in
            guard let text = word(item, "`status`") else { return nil }
            if let range = Self.statusRange(text) { return range }
            report(item.location, "`status` cannot be `\(text)`", advice: "write 503, 5xx, 500..504 or [500, 503]")
            return nil
        }
    }

    private static func statusRange(_ text: String) -> ClosedRange<Int>? {
        if let status = Int(text) { return (100...999).contains(status) ? status...status : nil }
        let scalars = Array(text.utf8)
        if scalars.count == 3, text.hasSuffix("xx"), (0x31...0x35).contains(scalars[0]) {
            let base = Int(scalars[0] - 0x30) * 100
            return base...base + 99
        }
        guard let dots = text.firstRange(of: ".."), let low = Int(text[..<dots.lowerBound]),
            let high = Int(text[dots.upperBound...]), (100...999).contains(low), (low...999).contains(high)
        else { return nil }
        return low...high
    }

    /// `of: writes`, `of: load writes` or a list.
    mutating func loadNames(_ node: DocumentNode?) -> [String] {
        guard let node else { return [] }
        return (node.items ?? [node]).compactMap { item in
            var item = item
            if let text = item.scalar, text.hasPrefix("load "), !scope.loads.contains(text) {
                item = DocumentNode(.scalar(String(text.dropFirst(5)), isPlain: true), at: item.location)
                item.location.column += 5
            }
            return name(item, kind: "load", among: scope.loads)
        }
    }

    /// `{ to: api, path: /orders }`.
    mutating func trafficFilter(_ fields: Fields, _ topology: Topology) -> TrafficFilter? {
        guard let node = required("to", in: fields, "`traffic`", advice: "write to: <mock>") else { return nil }
        let nodes = mocks(node, topology)
        let path = fields["path"].flatMap { self.path($0, "`path`") }
        let method = fields["method"].flatMap { word($0, "`method`") }
        return nodes.isEmpty ? nil : TrafficFilter(to: nodes, path: path, method: method)
    }

    /// A mock, or a group for all its mocks.
    mutating func mocks(_ node: DocumentNode, _ topology: Topology) -> [String] {
        guard let name = word(node, "the name of a mock") else { return [] }
        if topology.mocks.contains(where: { $0.id == name }) { return [name] }
        if let group = topology.groups.first(where: { $0.id == name }) { return group.nodes.map(\.id) }
        let known = topology.groups.map(\.id) + topology.mocks.map(\.id)
        var names: [String] = []
        for name in known where !names.contains(name) { names.append(name) }
        problems.add(.unknownName(name, kind: "mock", known: names, at: node.location))
        return []
    }

    // MARK: Targets

    /// A mock that is a target, or `upstream/host:port` as the gateway calls it.
    mutating func target(_ node: DocumentNode, _ topology: Topology) -> TargetReference? {
        guard let name = word(node, "the name of a target") else { return nil }
        return target(named: name, at: node.location, topology)
    }

    mutating func target(named name: String, at location: SourceLocation, _ topology: Topology) -> TargetReference? {
        if scope.isUnreachable { return nil }
        let all = Self.targets(of: topology)
        let found = all.filter { $0.spellings.contains(name) }
        if found.count == 1, var target = found.first {
            target.name = name
            return target
        }
        if found.count > 1 {
            report(
                location, "`\(name)` is a target \(found.count) times",
                advice: found.contains(where: \.isShared)
                    ? "name a mock: \(found.map(\.mock).joined(separator: " or "))"
                    : "write \(Self.tellingApart(found).joined(separator: " or "))")
        } else if let group = topology.groups.first(where: { $0.id == name }),
            group.nodes.count != 1 || group.nodes[0].id != name
        {
            report(
                location, "`\(name)` is a group of \(group.nodes.count) mocks",
                advice: "name one: \(group.nodes.prefix(3).map(\.id).joined(separator: ", "))")
        } else if topology.mocks.contains(where: { $0.id == name }) {
            report(
                location, "the mock `\(name)` is no target of an upstream",
                advice: "add it to the Kong document's upstream")
        } else {
            problems.add(.unknownName(name, kind: "target", known: all.map(\.mock), at: location))
        }
        return nil
    }

    /// Every target of an upstream that goes to a mock.
    static func targets(of topology: Topology) -> [TargetReference] {
        var found: [TargetReference] = []
        for gateway in topology.gateways {
            for upstream in gateway.everyUpstream {
                for target in upstream.targets {
                    let bindings = topology.bindings.filter {
                        $0.gateway == gateway.id && $0.host == target.host && $0.port == target.port
                    }
                    for binding in bindings {
                        var reference = TargetReference(
                            name: binding.mock, gateway: gateway.id, upstream: upstream.name, target: target.target,
                            mock: binding.mock)
                        reference.isShared = bindings.count > 1
                        if !found.contains(reference) { found.append(reference) }
                    }
                }
            }
        }
        return found
    }

    /// Names that mean one of several targets each: of their upstream, or of their gateway when that is not enough.
    private static func tellingApart(_ targets: [TargetReference]) -> [String] {
        let short = targets.map { "\($0.upstream)/\($0.target)" }
        guard Set(short).count < short.count else { return short }
        let byGateway = targets.map { "\($0.gateway)/\($0.mock)" }
        return Set(byGateway).count == byGateway.count
            ? byGateway : targets.map { "\($0.gateway)/\($0.upstream)/\($0.target)" }
    }
}

extension TargetReference {
    /// Every way to write it: the mock, the target with or without its upstream, each with or without its gateway.
    fileprivate var spellings: [String] {
        let short = [mock, target, "\(upstream)/\(target)"]
        return short + short.map { "\(gateway)/\($0)" }
    }
}

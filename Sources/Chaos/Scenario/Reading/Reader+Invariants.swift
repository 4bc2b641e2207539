// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension Reader {
    mutating func invariants(_ node: DocumentNode?, _ topology: Topology) -> [Invariant] {
        var invariants: [Invariant] = []
        for (index, item) in list(node, "`invariants`").enumerated() {
            guard let invariant = invariant(item, number: index + 1, topology) else { continue }
            if invariants.contains(where: { $0.id == invariant.id }) {
                report(
                    item["id"]?.location ?? item.location, "there are two invariants `\(invariant.id)`",
                    advice: "rename one")
            }
            invariants.append(invariant)
        }
        return invariants
    }

    private mutating func invariant(_ node: DocumentNode, number: Int, _ topology: Topology) -> Invariant? {
        guard let fields = fields(node, "an invariant", keys: ["id", "why", "always", "never", "during"]) else {
            return nil
        }
        guard (fields["always"] == nil) != (fields["never"] == nil) else {
            report(
                node.location, "an invariant says either `always` or `never`", advice: "write never: { status: 502 }")
            return nil
        }
        let word = fields["always"] == nil ? "never" : "always"
        let id = fields["id"].flatMap { identifier($0, "the `id` of an invariant") } ?? "\(word)-\(number)"
        let why = fields["why"].flatMap { text($0, "`why`") }
        guard let inner = fields[word] else { return nil }
        let kind = word == "never" ? never(inner, topology) : always(inner, topology)
        let grace = inner["grace"].flatMap { duration($0, "`grace`") } ?? .zero
        guard let kind, let during = during(fields["during"]) else { return nil }
        return Invariant(id: id, why: why, kind: kind, grace: grace, during: during, location: node.location)
    }

    private mutating func never(_ node: DocumentNode, _ topology: Topology) -> Invariant.Kind? {
        if let inner = node["traffic"] {
            guard fields(node, "`never`", keys: ["traffic", "while", "grace"]) != nil,
                let traffic = fields(inner, "`traffic`", keys: ["to", "path", "method"])
            else { return nil }
            let filter = trafficFilter(traffic, topology)
            guard let condition = condition(of: node) else { return nil }
            return filter.map { .neverTraffic($0, while: condition) }
        }
        if let inner = node["connections"] {
            guard let fields = fields(node, "`never`", keys: ["connections", "while", "grace", "except"]),
                let connections = self.fields(inner, "`connections`", keys: ["to"]),
                let to = required("to", in: connections, "`connections`", advice: "write to: <mock>")
            else { return nil }
            let nodes = mocks(to, topology)
            enum Exception: String, CaseIterable { case probes }
            let exception: Exception? = fields["except"].flatMap { choice($0, "`except`") }
            guard !nodes.isEmpty, let condition = condition(of: node) else { return nil }
            return .neverConnections(to: nodes, while: condition, exceptProbes: exception == .probes)
        }
        for key in ["while", "grace"] where node[key] != nil {
            let place = node.members?.first { $0.key == key }?.keyLocation
            report(place, "`\(key)` belongs to `traffic` and `connections`", advice: "use `during:` of the invariant")
            return nil
        }
        guard let filter = outcomeFilter(node, "`never`") else { return nil }
        if filter == .all {
            report(node.location, "`never` matches every answer", advice: "narrow it: { status: 502 }")
            return nil
        }
        return .neverOutcome(filter)
    }

    /// The condition of `while:`; nil inside when there is none, nil outside when it is wrong.
    private mutating func condition(of node: DocumentNode) -> Condition?? {
        guard let inner = node["while"] else { return .some(nil) }
        return condition(inner, "`while`").map { .some($0) } ?? nil
    }

    private mutating func always(_ node: DocumentNode, _ topology: Topology) -> Invariant.Kind? {
        if let inner = node["latency"] {
            guard let fields = fields(node, "`always`", keys: ["latency", "only", "of"]) else { return nil }
            let bound = bound(inner, "`latency`", over: [.duration], bare: .refused)
            var filter = OutcomeFilter.all
            if let node = fields["only"] { filter = outcomeFilter(node, "`only`") ?? filter }
            if let node = fields["of"] { filter.loads = loadNames(node) }
            return bound.map { .alwaysLatency($0, filter) }
        }
        guard let fields = fields(node, "`always`", keys: ["process", "is"]) else { return nil }
        guard
            let processNode = required(
                "process", in: fields, "`always`", advice: "write { process: gateway, is: running }"),
            let name = nodeName(processNode, topology),
            let isNode = required("is", in: fields, "`always`", advice: "write is: running"),
            let state: ProcessState = choice(isNode, "`is`")
        else { return nil }
        return .alwaysProcess(node: name, is: state)
    }
}

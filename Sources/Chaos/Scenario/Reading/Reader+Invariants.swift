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
        guard let fields = fields(node, "an invariant", keys: Vocabulary.invariant.names) else {
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
                let traffic = fields(inner, "`traffic`", keys: Vocabulary.neverTraffic.names)
            else { return nil }
            let filter = trafficFilter(traffic, topology)
            guard let condition = condition(of: node) else { return nil }
            return filter.map { .neverTraffic($0, while: condition) }
        }
        if let inner = node["connections"] {
            guard let fields = fields(node, "`never`", keys: ["connections", "while", "grace", "except"]),
                let connections = self.fields(inner, "`connections`", keys: Vocabulary.connections.names),
                let to = required("to", in: connections, "`connections`", advice: "write to: <mock>")
            else { return nil }
            let nodes = mocks(to, topology)
            enum Exception: String, CaseIterable { case probes }
            let exception: Exception? = fields["except"].flatMap { choice($0, "`except`") }
            guard !nodes.isEmpty, let condition = condition(of: node) else { return nil }
            return .neverConnections(to: nodes, while: condition, exceptProbes: exception == .probes)
        }
        if let kind = neverObserved(node, topology) { return kind }
        for key in ["while", "grace"] where node[key] != nil {
            let place = node.members?.first { $0.key == key }?.keyLocation
            report(
                place, "`\(key)` belongs to `traffic`, `probes` and `connections`",
                advice: "use `during:` of the invariant")
            return nil
        }
        guard let filter = outcomeFilter(node, "`never`") else { return nil }
        if filter == .all {
            report(node.location, "`never` matches every answer", advice: "narrow it: { status: 502 }")
            return nil
        }
        return .neverOutcome(filter)
    }

    /// What is seen beside the answers. Nil outside when it is none of these, nil inside when it is wrong.
    private mutating func neverObserved(
        _ node: DocumentNode, _ topology: Topology
    ) -> Invariant.Kind?? {
        if node["becomes"] != nil {
            guard let fields = fields(node, "`never`", keys: ["target", "becomes"]) else { return .some(nil) }
            let target = required("target", in: fields, "`never`").flatMap { self.target($0, topology) }
            let state: HealthState? = fields["becomes"].flatMap { choice($0, "`becomes`") }
            guard let target, let state else { return .some(nil) }
            return .some(.neverBecomes(target, state))
        }
        if let inner = node["probes"] {
            guard fields(node, "`never`", keys: ["probes", "while", "grace"]) != nil,
                let probes = fields(inner, "`probes`", keys: Vocabulary.connections.names),
                let to = required("to", in: probes, "`probes`", advice: "write to: <mock>")
            else { return .some(nil) }
            let nodes = mocks(to, topology)
            guard !nodes.isEmpty, let condition = condition(of: node) else { return .some(nil) }
            return .some(.neverProbes(to: nodes, while: condition))
        }
        if node["log"] != nil {
            guard let fields = fields(node, "`never`", keys: ["log"]) else { return .some(nil) }
            return .some(log(fields, topology).map { .neverLog($0) })
        }
        return nil
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
        if let kind = alwaysObserved(node, topology) { return kind }
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

    private mutating func alwaysObserved(
        _ node: DocumentNode, _ topology: Topology
    ) -> Invariant.Kind?? {
        if node["rss"] != nil || node["fds"] != nil {
            guard let fields = fields(node, "`always`", keys: ["process", "of", "rss", "fds"]) else {
                return .some(nil)
            }
            return .some(usage(fields, topology).map { .alwaysUsage($0) })
        }
        if node["metric"] != nil {
            guard let fields = fields(node, "`always`", keys: ["metric"]) else { return .some(nil) }
            return .some(metric(fields, topology).map { .alwaysMetric($0) })
        }
        if let stays = node["stays"] {
            guard let fields = fields(node, "`always`", keys: ["target", "stays"]) else { return .some(nil) }
            let target = required("target", in: fields, "`always`").flatMap { self.target($0, topology) }
            let state: HealthState? = choice(stays, "`stays`")
            guard let target, let state else { return .some(nil) }
            return .some(.neverBecomes(target, state == .healthy ? .unhealthy : .healthy))
        }
        if node["availability"] != nil {
            guard let fields = fields(node, "`always`", keys: ["availability", "window", "of"]) else {
                return .some(nil)
            }
            guard required("window", in: fields, "`always`", advice: "write window: 5s") != nil else {
                return .some(nil)
            }
            return .some(availability(fields).map { .alwaysAvailability($0) })
        }
        return nil
    }
}

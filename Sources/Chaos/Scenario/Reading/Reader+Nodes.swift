// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// Which nodes a step acts on, as written: one by its name, or a choice among several.
struct NodeChoice {
    enum Shape: Hashable {
        /// One step, on a named node or on one that the seed draws.
        case one
        /// So many steps.
        case several(Int)
    }

    var candidates: [String]
    var shape: Shape
    /// Drawn by the seed, else all of them in order.
    var isDrawn: Bool
}

/// What an item of the time line does, on the first of its nodes.
struct WrittenAction {
    var action: Step.Action
    /// Nil for actions that have no node to choose.
    var nodes: NodeChoice?
}

/// One of the nodes of a choice.
struct NodePlace {
    var node: String?
    var candidates: [String] = []
    var place: Int?

    func action(_ written: WrittenAction, turn: Int) -> Step.Action {
        node.map { written.action.on($0) } ?? written.action
    }

    func draw(key: String, turn: Int) -> Draw? {
        place.map { Draw(nodes: .init(candidates: candidates, place: $0, key: turn == 0 ? key : "\(key) \(turn + 1)")) }
    }
}

extension Reader {
    /// The places of an action: one that is not to be chosen has one, on its own node.
    static func places(_ written: WrittenAction) -> [NodePlace] {
        guard let nodes = written.nodes else { return [NodePlace()] }
        let count = if case .several(let number) = nodes.shape { number } else { 1 }
        guard nodes.isDrawn else { return nodes.candidates.prefix(count).map { NodePlace(node: $0) } }
        return (0..<count).map { NodePlace(candidates: nodes.candidates, place: $0) }
    }

    /// The node of a step: a name, `{ one-of: api }`, `{ all-of: api }` or `{ some-of: api, count: 2 }`; a group stands
    /// for its mocks.
    mutating func nodeChoice(_ node: DocumentNode, _ topology: Topology, mocksOnly: Bool = false) -> NodeChoice? {
        guard node.members != nil else {
            let name = mocksOnly ? mockName(node, topology) : nodeName(node, topology)
            return name.map { NodeChoice(candidates: [$0], shape: .one, isDrawn: false) }
        }
        guard let fields = fields(node, "the choice of a node", keys: Vocabulary.choice.names) else { return nil }
        let given = ["one-of", "all-of", "some-of"].filter { fields[$0] != nil }
        guard given.count == 1, let key = given.first, let listNode = fields[key] else {
            report(
                node.location, given.isEmpty ? "the choice of a node has no list" : "a node is chosen in one way only",
                advice: "write { one-of: <mocks> }, { all-of: <mocks> } or { some-of: <mocks>, count: 2 }")
            return nil
        }
        let names = chosen(listNode, topology, mocksOnly: mocksOnly)
        var count = key == "all-of" ? names.count : 1
        if key == "some-of" {
            let node = required("count", in: fields, "`some-of`", advice: "write count: 2")
            guard let wanted = node.flatMap({ integer($0, "`count` of `some-of`", in: 1...1_000) }) else { return nil }
            if wanted > names.count, !names.isEmpty, let node {
                report(node.location, "there are \(names.count) to choose from, not \(wanted)")
                return nil
            }
            count = wanted
        } else if fields["count"] != nil {
            report(fields.keyLocation("count"), "`count` belongs to `some-of`", advice: "remove it")
        }
        guard !names.isEmpty else { return nil }
        return NodeChoice(
            candidates: names, shape: key == "one-of" ? .one : .several(count), isDrawn: key != "all-of")
    }

    private mutating func chosen(_ node: DocumentNode, _ topology: Topology, mocksOnly: Bool) -> [String] {
        var names: [String] = []
        for item in node.items ?? [node] {
            guard let text = item.scalar, !item.isNull else {
                report(item.location, "a choice names nodes, not \(item.kindName)", advice: "write one-of: api")
                continue
            }
            let found: [String]
            if let group = topology.groups.first(where: { $0.id == text }) {
                found = group.nodes.map(\.id)
            } else {
                found = (mocksOnly ? mockName(item, topology) : nodeName(item, topology)).map { [$0] } ?? []
            }
            for name in found where !names.contains(name) { names.append(name) }
        }
        if node.items?.isEmpty == true {
            report(node.location, "there is nothing to choose from", advice: "name mocks")
        }
        return names
    }

    /// The name of a gateway, a mock or a process.
    mutating func nodeName(_ node: DocumentNode, _ topology: Topology) -> String? {
        guard let name = word(node, "the name of a node") else { return nil }
        if topology.nodeNames.contains(name) { return name }
        if let group = topology.groups.first(where: { $0.id == name }) {
            report(
                node.location, "`\(name)` is a group of \(group.nodes.count) mocks",
                advice: "name one: \(group.nodes.prefix(3).map(\.id).joined(separator: ", "))")
        } else {
            problems.add(.unknownName(name, kind: "node", known: topology.nodeNames, at: node.location))
        }
        return nil
    }

    mutating func mockName(_ node: DocumentNode, _ topology: Topology) -> String? {
        guard let name = word(node, "the name of a mock") else { return nil }
        let mocks = topology.mocks.map(\.id)
        if mocks.contains(name) { return name }
        if topology.groups.contains(where: { $0.id == name }) { return nodeName(node, topology) }
        problems.add(.unknownName(name, kind: "mock", known: mocks, at: node.location))
        return nil
    }
}

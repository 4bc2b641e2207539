// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension Reader {
    private static let whenKeys = ["at", "after", "when", "every", "times", "between", "random"]
    /// One of them says what a step does.
    private static let actionKeys = [
        "checkpoint", "mock", "link", "kill", "pause", "resume", "start", "restart", "signal", "stop", "config",
        "patch",
        "health", "dns", "stress", "exec",
    ]
    private static let actionDetails = [
        "set", "fault", "stream", "toxicity", "decide", "match", "nth", "count", "crash_loop", "drain", "undo",
    ]
    static let stepKeys = ["name", "for"] + whenKeys + actionKeys + actionDetails

    mutating func steps(_ node: DocumentNode?, _ topology: Topology) -> [Step] {
        list(node, "`timeline`").compactMap { step($0, topology) }
    }

    /// The marks that steps make, without reporting anything: the steps' own reading does that.
    func stepMarks(_ node: DocumentNode?) -> [(name: String, hasEnd: Bool, location: SourceLocation, index: Int)] {
        var marks: [(name: String, hasEnd: Bool, location: SourceLocation, index: Int)] = []
        for (index, item) in (node?.items ?? []).enumerated() {
            guard let nameNode = item["name"] ?? item["checkpoint"] else { continue }
            var quiet = self
            guard let name = quiet.identifier(nameNode, "") else { continue }
            let isUndone = item["for"] != nil || item["kill"] != nil && item["restart"] != nil
            marks.append((name, isUndone, nameNode.location, index))
        }
        return marks
    }

    private mutating func step(_ node: DocumentNode, _ topology: Topology) -> Step? {
        guard let fields = fields(node, "a step", keys: Self.stepKeys) else { return nil }
        let trigger = trigger(fields)
        var name = fields["name"].flatMap { identifier($0, "the `name` of a step") }
        if let checkpoint = fields["checkpoint"] {
            let text = identifier(checkpoint, "the name of a checkpoint")
            if name != nil {
                report(fields.keyLocation("name"), "a checkpoint has its name already", advice: "remove `name`")
            }
            name = text
        }
        var length = fields["for"].flatMap { duration($0, "`for` of a step", allowsZero: false) }
        guard let action = action(fields, topology, &length) else { return nil }
        if fields["for"] != nil, !action.canBeUndone {
            report(fields.keyLocation("for"), "this step cannot be undone", advice: "remove `for`")
        }
        return trigger.map {
            Step(name: name, trigger: $0, length: length, action: action, location: node.location)
        }
    }

    // MARK: When

    private mutating func trigger(_ fields: Fields) -> Step.Trigger? {
        let given = ["at", "after", "when", "every", "between"].filter { fields[$0] != nil }
        guard given.count == 1 else {
            report(
                given.count > 1 ? fields.keyLocation(given[1]) : fields.location,
                given.isEmpty ? "a step needs a time" : "a step has more than one time",
                advice: given.isEmpty
                    ? "write at: 10s or after: <mark>" : "keep one of \(given.joined(separator: ", "))")
            return nil
        }
        if let node = fields["at"] {
            return duration(node, "`at` of a step").map { .at(MarkExpression(.start, offset: $0)) }
        }
        if let node = fields["after"] { return mark(node, "`after` of a step").map { .at($0) } }
        if let node = fields["when"] {
            use(.stepWhen, at: fields.keyLocation("when"))
            return condition(node, "`when`").map { .when($0) }
        }
        use(given[0] == "every" ? .stepEvery : .stepBetween, at: fields.keyLocation(given[0]))
        return .at(.start)
    }

    // MARK: What

    private mutating func action(
        _ fields: Fields, _ topology: Topology, _ length: inout Nanoseconds?
    ) -> Step.Action? {
        var given = Self.actionKeys.filter { fields[$0] != nil }
        if given.contains("kill") { given.removeAll { $0 == "restart" } }
        guard given.count == 1, let key = given.first, let node = fields[key] else {
            report(
                given.count > 1 ? fields.keyLocation(given[1]) : fields.location,
                given.isEmpty ? "a step does nothing" : "a step does \(given.joined(separator: " and ")) at once",
                advice: given.isEmpty
                    ? "write one of \(Self.actionKeys.prefix(8).joined(separator: ", "))" : "write a step for each")
            return nil
        }
        checkDetails(fields, of: key)
        switch key {
        case "checkpoint": return .checkpoint
        case "mock": return set(fields, node, topology)
        case "link": return fault(fields, node, topology).map { .fault($0) }
        case "kill":
            restart(fields, &length)
            return self.node(node, topology).map { .kill(node: $0) }
        case "dns": return nameFault(node, topology).map { .names($0) }
        case "stress": return stress(node, topology).map { .stress($0) }
        case "pause": return self.node(node, topology).map { .pause(node: $0) }
        case "resume": return self.node(node, topology).map { .resume(node: $0) }
        case "start": return self.node(node, topology).map { .start(node: $0) }
        case "restart":
            let drain = fields["drain"].flatMap { duration($0, "`drain`") } ?? .seconds(5)
            return self.node(node, topology).map { .restart(node: $0, drain: drain) }
        default:
            let capabilities: [String: Capability] = [
                "signal": .stepSignal, "stop": .stepStop, "config": .stepConfig, "patch": .stepPatch,
                "health": .stepHealth, "exec": .stepExec,
            ]
            if let capability = capabilities[key] { use(capability, at: fields.keyLocation(key)) }
            return .checkpoint
        }
    }

    /// Details that belong to another action are mistakes.
    private mutating func checkDetails(_ fields: Fields, of action: String) {
        let owners: [String: [String]] = [
            "set": ["mock"], "fault": ["link"], "stream": ["link"], "toxicity": ["link"], "decide": ["link"],
            "match": ["link"], "nth": ["link"], "count": ["link"], "crash_loop": ["kill"],
            "drain": ["stop", "restart"],
            "undo": ["exec"],
        ]
        for detail in Self.actionDetails where fields[detail] != nil {
            guard let owner = owners[detail], !owner.contains(action) else { continue }
            report(
                fields.keyLocation(detail), "`\(detail)` does not belong to `\(action)`",
                advice: "it belongs to \(owner.map { "`\($0)`" }.joined(separator: " and "))")
        }
    }

    private mutating func node(_ node: DocumentNode, _ topology: Topology) -> String? {
        if node.members != nil {
            use(.stepChoosesNode, at: node.location)
            return topology.nodeNames.first
        }
        return nodeName(node, topology)
    }

    /// The name of a gateway or a mock.
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

    private mutating func set(_ fields: Fields, _ node: DocumentNode, _ topology: Topology) -> Step.Action? {
        let mock = mockName(node, topology)
        guard let setNode = required("set", in: fields, "a step on a mock", advice: "write set: { ERROR_RATE: 0.9 }")
        else {
            return nil
        }
        let before = problems.list.count
        let settings = mockSettings(setNode)
        if settings.isEmpty, problems.list.count == before { report(setNode.location, "`set` changes nothing") }
        return mock.map { .set(mock: $0, settings) }
    }

    mutating func mockName(_ node: DocumentNode, _ topology: Topology) -> String? {
        guard let name = word(node, "the name of a mock") else { return nil }
        let mocks = topology.mocks.map(\.id)
        if mocks.contains(name) { return name }
        if topology.groups.contains(where: { $0.id == name }) { return nodeName(node, topology) }
        problems.add(.unknownName(name, kind: "mock", known: mocks, at: node.location))
        return nil
    }

    /// `restart: after 10s` beside `kill`.
    private mutating func restart(_ fields: Fields, _ length: inout Nanoseconds?) {
        if fields["crash_loop"] != nil { use(.stepCrashLoop, at: fields.keyLocation("crash_loop")) }
        guard let node = fields["restart"] else { return }
        if fields["for"] != nil {
            report(fields.keyLocation("restart"), "`restart: after …` and `for:` mean the same", advice: "keep one")
        }
        guard let text = node.scalar, text.hasPrefix("after ") else {
            report(node.location, "`restart` of a kill says after how long", advice: "write restart: after 10s")
            return
        }
        var column = node.location
        column.column += 6
        let rest = DocumentNode(.scalar(String(text.dropFirst(6)), isPlain: true), at: column)
        length = duration(rest, "`restart: after` of a kill")
    }
}

extension Step.Action {
    var canBeUndone: Bool {
        switch self {
        case .set, .fault, .names, .stress, .kill, .pause: true
        case .checkpoint, .resume, .start, .restart: false
        }
    }
}

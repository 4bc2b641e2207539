// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

// What the steps of a time line do.
extension Reader {
    /// One of them says what a step does.
    static let actionKeys = Vocabulary.actions
    static let actionDetails = Vocabulary.step.names.filter {
        !Vocabulary.actions.contains($0) && !Vocabulary.times.contains($0) && !["name", "for"].contains($0)
    }
    /// Details that belong to another action are mistakes.
    private static let owners: [String: [String]] = [
        "set": ["mock"], "fault": ["link"], "stream": ["link"], "toxicity": ["link"], "decide": ["link"],
        "match": ["link"], "nth": ["link"], "count": ["link"], "crash_loop": ["kill"], "drain": ["stop", "restart"],
        "undo": ["exec"], "timeout": ["exec"], "to": ["config", "patch"], "by": ["config", "patch"],
    ]

    /// - Parameter length: that of `for:`; `restart: after 10s` of a kill sets it too.
    mutating func action(
        _ fields: Fields, number: Int, _ topology: Topology, _ length: inout ClosedRange<Nanoseconds>?
    ) -> WrittenAction? {
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
        for detail in Self.actionDetails where fields[detail] != nil {
            guard let owner = Self.owners[detail], !owner.contains(key) else { continue }
            report(
                fields.keyLocation(detail), "`\(detail)` does not belong to `\(key)`",
                advice: "it belongs to \(owner.map { "`\($0)`" }.joined(separator: " and "))")
        }
        switch key {
        case "checkpoint": return WrittenAction(action: .checkpoint)
        case "mock": return set(fields, node, topology)
        case "link": return fault(fields, node, topology).map { WrittenAction(action: .fault($0)) }
        case "signal": return signal(node, topology)
        case "config", "patch": return configuration(number: number, fields)
        case "health": return health(node, topology)
        case "exec": return exec(fields, node)
        case "dns": return nameFault(node, topology).map { WrittenAction(action: .names($0)) }
        case "stress": return stress(node, topology).map { WrittenAction(action: .stress($0)) }
        default: return onProcess(key, node, fields, topology, &length)
        }
    }

    /// kill, pause, resume, start, restart, stop.
    private mutating func onProcess(
        _ key: String, _ node: DocumentNode, _ fields: Fields, _ topology: Topology,
        _ length: inout ClosedRange<Nanoseconds>?
    ) -> WrittenAction? {
        if key == "kill" { restart(fields, &length) }
        let drain = fields["drain"].flatMap { duration($0, "`drain`") } ?? .seconds(5)
        guard let nodes = nodeChoice(node, topology), let first = nodes.candidates.first else { return nil }
        guard checkIsProcess(nodes.candidates, at: node.location, topology) else { return nil }
        let action: Step.Action =
            switch key {
            case "kill": .kill(node: first)
            case "pause": .pause(node: first)
            case "resume": .resume(node: first)
            case "start": .start(node: first)
            case "stop": .stop(node: first, drain: drain)
            default: .restart(node: first, drain: drain)
            }
        return WrittenAction(action: action, nodes: nodes)
    }

    /// What does not run as a process of its own takes no signals.
    mutating func checkIsProcess(_ names: [String], at location: SourceLocation, _ topology: Topology) -> Bool {
        for gateway in topology.gateways where names.contains(gateway.id) {
            if case .remote = gateway.source {
                report(location, "`\(gateway.id)` runs elsewhere: its process cannot be touched")
                return false
            }
            if gateway.process == .inProcess {
                report(
                    location, "`\(gateway.id)` has no process of its own (`process: in-process`)",
                    advice: "leave out `process:`")
                return false
            }
        }
        return true
    }

    /// The nodes of an item, for the number of its copies.
    mutating func chosenNodes(of item: DocumentNode, _ topology: Topology) -> NodeChoice? {
        for key in ["kill", "pause", "resume", "start", "restart", "stop", "mock"] {
            if let node = item[key], node.members != nil {
                return nodeChoice(node, topology, mocksOnly: key == "mock")
            }
        }
        return item["signal"]?["to"].flatMap { nodeChoice($0, topology) }
    }

    private mutating func set(_ fields: Fields, _ node: DocumentNode, _ topology: Topology) -> WrittenAction? {
        let nodes = nodeChoice(node, topology, mocksOnly: true)
        guard let setNode = required("set", in: fields, "a step on a mock", advice: "write set: { ERROR_RATE: 0.9 }")
        else { return nil }
        let before = problems.list.count
        let settings = mockSettings(setNode)
        if settings.isEmpty, problems.list.count == before { report(setNode.location, "`set` changes nothing") }
        return nodes.flatMap { nodes in
            nodes.candidates.first.map { WrittenAction(action: .set(mock: $0, settings), nodes: nodes) }
        }
    }

    /// `restart: after 10s` beside `kill`.
    private mutating func restart(_ fields: Fields, _ length: inout ClosedRange<Nanoseconds>?) {
        guard let node = fields["restart"], fields["crash_loop"] == nil else { return }
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
        length = lengthRange(rest, "`restart: after` of a kill", allowsZero: true)
    }

    /// `signal: { to: api-2, name: TERM }`
    private mutating func signal(_ node: DocumentNode, _ topology: Topology) -> WrittenAction? {
        guard let fields = fields(node, "`signal`", keys: Vocabulary.signal.names) else { return nil }
        let nodes = required("to", in: fields, "`signal`", advice: "write to: <node>").flatMap {
            nodeChoice($0, topology)
        }
        let nameNode = required("name", in: fields, "`signal`", advice: "write name: TERM")
        guard let nameNode, let written = word(nameNode, "`name` of `signal`") else { return nil }
        guard let number = SignalName.number(of: written) else {
            problems.add(
                .unknownName(written, kind: "signal", known: SignalName.names, at: nameNode.location))
            return nil
        }
        let name = SignalName.name(of: number)
        guard let nodes, let first = nodes.candidates.first,
            checkIsProcess(nodes.candidates, at: node.location, topology)
        else { return nil }
        return WrittenAction(action: .signal(node: first, name: name), nodes: nodes)
    }

    /// `health: { target: api-1, set: unhealthy }`
    private mutating func health(_ node: DocumentNode, _ topology: Topology) -> WrittenAction? {
        guard let fields = fields(node, "`health`", keys: Vocabulary.health.names) else { return nil }
        let target = required("target", in: fields, "`health`", advice: "write target: <mock>").flatMap {
            self.target($0, topology)
        }
        let state: HealthState? = required("set", in: fields, "`health`", advice: "write set: unhealthy").flatMap {
            choice($0, "`set` of `health`")
        }
        guard let target, let state else { return nil }
        return WrittenAction(action: .health(target, state))
    }

    // MARK: Programs

    /// `exec: ["./my-fault", "on"]`, `undo: [...]`, `timeout: 10s`
    private mutating func exec(_ fields: Fields, _ node: DocumentNode) -> WrittenAction? {
        let timeout =
            fields["timeout"].map { duration($0, "`timeout` of `exec`", allowsZero: false) } ?? Nanoseconds.seconds(10)
        let program = timeout.flatMap { self.program(node, "`exec`", timeout: $0) }
        var undo: Program?
        if let undoNode = fields["undo"], let timeout {
            undo = self.program(undoNode, "`undo`", timeout: timeout)
            if undo == nil { return nil }
        } else if fields["for"] != nil {
            report(
                fields.keyLocation("for"), "`exec` needs `undo` to be undone", advice: "write undo: [./my-fault, off]")
            return nil
        }
        return program.map { WrittenAction(action: .run($0, undo: undo)) }
    }

    private mutating func program(_ node: DocumentNode, _ what: String, timeout: Nanoseconds) -> Program? {
        guard let items = node.items, !items.isEmpty else {
            report(
                node.location, "\(what) must be a list: a program and its arguments",
                advice: "write \(what == "`exec`" ? "exec" : "undo"): [./my-fault, on]")
            return nil
        }
        let words = items.compactMap { text($0, "an item of \(what)") }
        guard words.count == items.count, let first = words.first else { return nil }
        do {
            let (path, folder) = try files.program(first)
            return Program(path: path, arguments: Array(words.dropFirst()), folder: folder, timeout: timeout)
        } catch {
            report(items[0].location, error.message, advice: error.advice)
            return nil
        }
    }
}

extension Step.Action {
    var canBeUndone: Bool {
        switch self {
        case .set, .fault, .names, .stress, .kill, .pause, .stop, .configure, .health: true
        case .signal(_, let name): SignalName.effect(of: name) != .none
        case .run(_, let undo): undo != nil
        case .checkpoint, .resume, .start, .restart: false
        }
    }
}

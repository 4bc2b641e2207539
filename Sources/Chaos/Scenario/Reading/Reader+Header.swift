// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension Reader {
    /// The plan's head: everything but its parts.
    mutating func header(_ fields: Fields, _ options: PlanOptions) -> Plan? {
        let id = required("scenario", in: fields, "the scenario", advice: "start with `scenario: <id>`").flatMap {
            scenarioID($0)
        }
        let title = fields["title"].flatMap { text($0, "`title`") }
        let summary = fields["description"].flatMap { text($0, "`description`") }
        let tags = list(fields["tags"], "`tags`").compactMap { word($0, "a tag") }
        var mode = Plan.Mode.any
        if let node = fields["mode"] { mode = choice(node, "`mode`") ?? mode }
        if mode == .virtual { use(.virtualMode, at: fields.keyLocation("mode")) }
        let seed = options.seed ?? fields["seed"].flatMap { self.seed($0) }
        let repetitions = fields["repeat"].flatMap { integer($0, "`repeat`", in: 1...100_000) } ?? 1
        let tolerance = tolerance(fields["tolerance"])
        guard let id else { return nil }
        return Plan(
            scenario: id, title: title, summary: summary, tags: tags, seed: seed, mode: mode, timeout: .seconds(300),
            repetitions: options.repetitions ?? repetitions, tolerance: tolerance, variables: [],
            topology: Topology(gateways: [], groups: [], links: [], bindings: []), loads: [], steps: [],
            expectations: [], invariants: [], marks: [], judgingOrder: [], location: fields.location)
    }

    private mutating func scenarioID(_ node: DocumentNode) -> String? {
        guard let text = word(node, "`scenario`") else { return nil }
        let isID = text.unicodeScalars.allSatisfy { ("a"..."z").contains($0) || Lexer.isDigit($0) || $0 == "-" }
        if isID { return text }
        let better = text.lowercased().map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
        report(node.location, "`scenario` cannot be `\(text)`", advice: "use a-z, 0-9 and -: \(better)")
        return nil
    }

    /// All 64 bits, so it is read as text and not as an amount.
    private mutating func seed(_ node: DocumentNode) -> UInt64? {
        guard let text = word(node, "`seed`") else { return nil }
        if let seed = UInt64(text) { return seed }
        report(node.location, "`seed` must be a whole number from 0 to 2^64 - 1, not `\(text)`")
        return nil
    }

    private mutating func tolerance(_ node: DocumentNode?) -> Plan.Tolerance {
        var tolerance = Plan.Tolerance(timer: nil, maximumLateness: .milliseconds(50))
        guard let node, let fields = fields(node, "`tolerance`", keys: Vocabulary.tolerance.names) else {
            return tolerance
        }
        if let node = fields["timer"], node.scalar != "auto" {
            tolerance.timer = duration(node, "`timer` of `tolerance`")
        }
        if let node = fields["max_lateness"] {
            tolerance.maximumLateness = duration(node, "`max_lateness`", allowsZero: false) ?? .milliseconds(50)
        }
        return tolerance
    }

    // MARK: Marks

    /// Every mark the file makes, put into the scope before anything may use one.
    mutating func collectMarks(_ fields: Fields, _ topology: Topology) -> [MarkDefinition] {
        var marks = [
            MarkDefinition(name: .start, origin: .run, location: nil),
            MarkDefinition(name: .end, origin: .run, location: nil),
        ]
        for step in stepMarks(fields["timeline"], topology) {
            add(step.name, .step(step.index), step.location, to: &marks)
            if step.hasEnd {
                add(step.name + ".end", .step(step.index), step.location, to: &marks)
            } else {
                scope.stepsWithoutEnd.append(step.name)
            }
        }
        for (index, item) in (fields["expect"]?.items ?? []).enumerated() {
            guard let node = item["as"] else { continue }
            var quiet = self
            guard let name = quiet.identifier(node, "") else { continue }
            if item["window"] != nil, item["availability"] == nil {
                add(name + ".start", .expectation(index), node.location, to: &marks)
                add(name + ".end", .expectation(index), node.location, to: &marks)
            } else {
                add(name, .expectation(index), node.location, to: &marks)
            }
        }
        scope.marks = marks.map(\.name)
        return marks
    }

    private mutating func add(
        _ name: String, _ origin: MarkDefinition.Origin, _ location: SourceLocation, to marks: inout [MarkDefinition]
    ) {
        if let other = marks.first(where: { $0.name.text == name }) {
            let place = other.location.map { "line \($0.line) makes it too" } ?? "every run has it"
            report(location, "there are two marks `\(name)`", advice: "rename one: \(place)")
        } else {
            marks.append(MarkDefinition(name: MarkName(name), origin: origin, location: location))
        }
    }
}

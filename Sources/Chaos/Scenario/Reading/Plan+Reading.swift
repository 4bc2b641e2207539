// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
import OrderedCollections

extension Plan {
    /// Every cell of a scenario's matrix, ready to run, in the order of the file (the last axis moves fastest).
    ///
    /// - Throws: all mistakes of the file at once, sorted by place, each once however many cells show it.
    package static func cells(_ file: ScenarioFile, _ options: PlanOptions = PlanOptions()) throws(Problems) -> [Plan] {
        var first = Reader()
        let (axes, excluded) = first.matrix(file.document["matrix"])
        let (chosen, overrides) = first.overrides(options, axes: axes, variables: file.document["vars"])
        var found = OrderedSet(first.problems.list)
        var unsupported = OrderedSet<Problem>()
        var plans: [Plan] = []
        for cell in combinations(chosen) where !excluded.contains(where: { matches($0, cell) }) {
            var reader = Reader()
            reader.scope.brokenVariables = first.scope.brokenVariables
            let plan = reader.plan(file, options, cell: cell, overrides: overrides)
            found.formUnion(reader.problems.list)
            unsupported.formUnion(reader.unsupported.list)
            if let plan { plans.append(plan) }
        }
        if options.checksCapabilities { found.formUnion(unsupported) }
        if plans.isEmpty, found.isEmpty {
            let place = file.document["matrix"]?.location
            found.append(
                Problem(at: place, "`exclude` leaves no cell of the matrix", advice: "remove one of its items"))
        }
        guard found.isEmpty else { throw Problems(Problems(Array(found)).sorted) }
        return plans
    }

    /// Cartesian, at most `maximumCells`.
    private static func combinations(_ axes: [MatrixAxis]) -> [[(name: String, value: Value)]] {
        axes.reduce([[]]) { cells, axis in
            cells.flatMap { cell in axis.values.map { cell + [(axis.name, $0)] } }
        }
    }

    private static func matches(_ exclusion: [String: Value], _ cell: [(name: String, value: Value)]) -> Bool {
        !exclusion.isEmpty
            && exclusion.allSatisfy { key, value in cell.contains { $0.name == key && $0.value == value } }
    }

    /// A matrix with more cells than this is a mistake.
    static let maximumCells = 1_000
}

extension Reader {
    static let scenarioKeys = Vocabulary.scenario.names

    /// `--var` and GATECRASH_VAR_…: an axis is narrowed to the given value, a variable gets it.
    mutating func overrides(
        _ options: PlanOptions, axes: [MatrixAxis], variables: DocumentNode?
    ) -> (axes: [MatrixAxis], values: [String: Value]) {
        var axes = axes
        var values: [String: Value] = [:]
        let names = axes.map(\.name) + (variables?.members ?? []).map(\.key)
        var given = names.compactMap { name in
            options.environment["GATECRASH_VAR_\(name.uppercased().map { $0 == "-" ? "_" : $0 }.asText)"].map {
                (name: name, value: $0)
            }
        }
        for (name, value) in options.variables {
            if names.contains(name) {
                given.append((name, value))
            } else {
                let near = nearestKey(to: name, among: names)
                report(
                    nil, "--var \(name)=\(value): the file has no variable `\(name)`",
                    advice: near.map { "did you mean `\($0)`?" }
                        ?? (names.isEmpty ? "it has none" : "it has \(names.joined(separator: ", "))"))
            }
        }
        for (name, text) in given {
            let value = Self.inferred(text)
            guard let index = axes.firstIndex(where: { $0.name == name }) else {
                values[name] = value
                continue
            }
            if let sample = axes[index].values.first, !Self.areAlike(sample, value) {
                report(
                    nil, "the axis `\(name)` is \(sample.phrase) (\(sample)), not \(value.phrase) (\(value))",
                    advice: "give a value like the file's")
            }
            axes[index].values = [value]
        }
        let cells = axes.reduce(1) { $0.multipliedReportingOverflow(by: max(1, $1.values.count)).partialValue }
        if cells > Plan.maximumCells || cells <= 0 {
            report(
                axes.first?.location, "the matrix has more than \(Plan.maximumCells) cells",
                advice: "leave out an axis")
            axes = axes.map { MatrixAxis(name: $0.name, location: $0.location, values: Array($0.values.prefix(1))) }
        }
        return (axes, values)
    }

    /// One cell; nil when a mistake left no plan.
    mutating func plan(
        _ file: ScenarioFile, _ options: PlanOptions, cell: [(name: String, value: Value)], overrides: [String: Value]
    ) -> Plan? {
        guard let fields = fields(file.document, "the scenario", keys: Self.scenarioKeys) else { return nil }
        readVariables(fields["vars"], cell: cell, overrides: overrides)
        files = FileAccess(
            resolve: file.resolve, contains: file.contains, read: file.confined(options.readFile),
            checkKong: options.checkKong, program: file.program, folder: file.folder)
        scenarioName = file.id
        let topologyNode = required(
            "topology", in: fields, "the scenario", advice: "write topology: { gateway: …, mocks: … }")
        let topology = topologyNode.flatMap { self.topology($0, timeline: fields["timeline"]) }
        guard let topology, !topology.gateways.isEmpty, !topology.mocks.isEmpty else {
            // Every name below would be a mistake of its own; those of the topology come first.
            _ = header(fields, options)
            return nil
        }
        conditionTopology = topology
        let written = collectMarks(fields, topology)
        scope.loads = (fields["load"]?.items ?? []).enumerated().map { index, item in
            item["id"]?.scalar ?? LoadSpec.defaultID(index)
        }
        let loadNode = required("load", in: fields, "the scenario", advice: "write load: [{ rate: 50/s, for: 30s }]")
        knownLoads = loads(loadNode, entries: topology.entryNames)
        let steps = steps(fields["timeline"], topology)
        let expectations = expectations(fields["expect"], topology)
        let invariants = invariants(fields["invariants"], topology)
        if fields["expect"] == nil, fields["invariants"] == nil {
            report(fields.location, "the scenario expects nothing", advice: "write expect: or invariants:")
        }
        guard var plan = header(fields, options) else { return nil }
        plan.variables = scope.variables
        plan.topology = topology
        plan.loads = knownLoads
        plan.steps = steps
        plan.expectations = expectations
        plan.invariants = invariants
        plan.marks = written.compactMap { $0.settled(in: plan) }
        checkRemotes(topology, allowing: options.remotes)
        finish(&plan, fields)
        return plan
    }

    /// What needs the whole plan: the order of judging, steps after the end, the watch-dog.
    private mutating func finish(_ plan: inout Plan, _ fields: Fields) {
        let (order, circles) = MarkGraph.judgingOrder(
            steps: plan.steps, expectations: plan.expectations, marks: plan.marks)
        plan.judgingOrder = order
        for problem in circles { problems.add(problem) }
        for step in plan.steps {
            if case .stress = step.action, plan.mode == .virtual {
                report(step.location, "`stress` works in real time only", advice: "write mode: real, or leave it out")
            }
            guard case .at(let mark) = step.trigger else { continue }
            if mark.mark == .start, let length = plan.length, mark.offset > length, !plan.loads.isEmpty {
                report(step.location, "the step at \(mark.offset) comes after the end of the load (\(length))")
            }
        }
        let length = plan.length ?? .seconds(270)
        if let node = fields["timeout"] {
            plan.timeout = duration(node, "`timeout`", allowsZero: false) ?? plan.timeout
            if plan.timeout <= length, plan.length != nil {
                report(node.location, "`timeout` (\(plan.timeout)) is not longer than the load (\(length))")
            }
        } else {
            plan.timeout = length + .seconds(30)
        }
    }
}

extension MarkDefinition {
    /// With the place in the plan instead of that in the file; nil when what makes it could not be read.
    fileprivate func settled(in plan: Plan) -> MarkDefinition? {
        var mark = self
        if origin == .run { return mark }
        if let index = plan.steps.firstIndex(where: { $0.marksDone.contains(name) || $0.marksUndone.contains(name) }) {
            mark.origin = .step(index)
        } else if let index = plan.expectations.firstIndex(where: { $0.marksMade.contains(name) }) {
            mark.origin = .expectation(index)
        } else {
            return nil
        }
        return mark
    }
}

extension [Character] { fileprivate var asText: String { String(self) } }

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension JudgeContext {
    /// What an invariant's judge found, and when it was first violated.
    struct InvariantFinding {
        var finding: Finding
        var firstViolation: Int64?
    }

    /// What matters of any number of violations: how many there are, and the first that is certain, else the first.
    struct Violations {
        private(set) var count = 0
        private(set) var certain = 0
        private(set) var first: (at: Int64, isCertain: Bool, text: String)?

        /// - Parameter text: asked for only when it is the first.
        mutating func add(at time: Int64, isCertain: Bool, _ text: () -> String) {
            count += 1
            if isCertain { certain += 1 }
            if let first, (first.isCertain ? 0 : 1, first.at) <= (isCertain ? 0 : 1, time) { return }
            first = (time, isCertain, text())
        }
    }

    func judge(_ invariant: Invariant) throws(Unjudgeable) -> InvariantFinding {
        let interval = try interval(invariant.during)
        switch invariant.kind {
        case .neverOutcome(let filter):
            return finding("\(filter)", "never", outcomes(filter, interval))
        case .neverTraffic(let filter, let condition):
            let words = "traffic to \(filter.to.joined(separator: ", "))\(phrase(condition))"
            let interval = try intervalAtMocks(invariant.during)
            return finding(words, "never", traffic(filter, condition, grace: invariant.grace.count, interval))
        case .neverConnections(let nodes, let condition, let exceptProbes):
            let words = "connections to \(nodes.joined(separator: ", "))\(phrase(condition))"
            let interval = try intervalAtMocks(invariant.during)
            let violations = connections(
                nodes, condition, grace: invariant.grace.count, exceptProbes: exceptProbes, interval)
            return finding(words, "never", violations)
        case .alwaysLatency(let bound, let filter):
            let limits = try limits(bound)
            let words = filter.phrase(of: "latency")
            return finding(words, "always \(limits)", slow(limits, filter, interval))
        case .alwaysProcess(let node, let state):
            let finding = try judgeProcess(node, stays: state, invariant.during)
            let first = ProcessHistory(of: node, in: view).changes.first { change in
                change.to != state && interval?.contains(change.at) ?? .no != .no
            }
            return InvariantFinding(finding: finding, firstViolation: finding.result == .pass ? nil : first?.at.t ?? 0)
        default: return try judgeObserved(invariant, interval)
        }
    }

    func phrase(_ condition: Condition?) -> String { condition.map { " while \($0)" } ?? "" }

    func finding(_ subject: String, _ allowed: String, _ violations: Violations) -> InvariantFinding {
        guard let first = violations.first else {
            let seen = allowed == "never" ? "never came" : "always held"
            return InvariantFinding(
                finding: Finding(result: .pass, seen: seen, allowed: allowed, sentence: "\(subject): \(seen)"),
                firstViolation: nil)
        }
        let count = violations.count == 1 ? "once" : "\(violations.count) times"
        let seen = "\(count), first at \(readable(first.at)): \(first.text)"
        var finding = Finding(
            result: violations.certain > 0 ? .fail : .inconclusive, seen: seen, allowed: allowed,
            sentence: "\(subject) \(allowed == "never" ? "came" : "was violated") \(seen), allowed \(allowed)")
        finding.reasons = Diagnosis(context: self).reasons(from: first.at, through: first.at)
        return InvariantFinding(finding: finding, firstViolation: first.at)
    }
}

// MARK: Violations

extension JudgeContext {
    private func rows(in interval: Interval?) -> Range<Int> {
        interval.map { view.requests.rows(from: $0.outer.lowerBound, through: $0.outer.upperBound) } ?? 0..<0
    }

    private func outcomes(_ filter: OutcomeFilter, _ interval: Interval?) -> Violations {
        var violations = Violations()
        for row in rows(in: interval) {
            let match = match(filter, row)
            guard match != .no else { continue }
            violations.add(at: view.requests.planned[row], isCertain: match == .yes) {
                let answer = Diagnosis(context: self).breakdown([row]).dropFirst("1 × ".count)
                return "\(view.requests.id(row)) got \(answer)"
            }
        }
        return violations
    }

    private func traffic(
        _ filter: TrafficFilter, _ condition: Condition?, grace: Int64, _ interval: Interval?
    ) -> Violations {
        let history = condition.map { ConditionHistory($0, in: self) }
        var violations = Violations()
        for row in view.served.indices where isTraffic(row) && match(filter, row) {
            let time = view.served.times[row]
            let match = (interval?.contains(time) ?? .no) && (history?.holds(at: time, grace: grace) ?? .yes)
            guard match != .no else { continue }
            violations.add(at: time, isCertain: match == .yes) {
                let id = view.served.request(row).map { view.requests.id($0) } ?? view.served.path(row)
                let since = history?.beginning(of: time).map { ", \(readable(time - $0)) after it began" } ?? ""
                return "\(id) reached \(view.served.node(row))\(since)"
            }
        }
        return violations
    }

    /// The first request on a connection stands for its opening.
    private func connections(
        _ nodes: [String], _ condition: Condition?, grace: Int64, exceptProbes: Bool, _ interval: Interval?
    ) -> Violations {
        let history = condition.map { ConditionHistory($0, in: self) }
        var violations = Violations()
        for node in nodes {
            var known: Set<Int> = []
            for row in view.served.rows(of: node) {
                guard let connection = view.served.connection(row), known.insert(connection).inserted else { continue }
                if exceptProbes, view.served.isProbe(row) { continue }
                let time = view.served.times[row]
                let match = (interval?.contains(time) ?? .no) && (history?.holds(at: time, grace: grace) ?? .yes)
                guard match != .no else { continue }
                violations.add(at: time, isCertain: match == .yes) { "connection \(connection) to \(node)" }
            }
        }
        return violations
    }

    private func slow(_ limits: Limits, _ filter: OutcomeFilter, _ interval: Interval?) -> Violations {
        var violations = Violations()
        for row in rows(in: interval) where match(filter, row) != .no {
            let planned = view.requests.planned[row]
            // Without an answer it took at least until the end of the run.
            let latency = latency(row) ?? view.lastInstant.clampedSubtracting(planned)
            let isOpen = view.requests.end(row) == nil
            let measure =
                isOpen
                ? Measure(Double(latency), max(Double(latency), limits.upper?.magnitude ?? 0), .duration)
                : .exactly(Double(latency), .duration)
            let result = measure.result(against: limits, slack: slack)
            guard result != .pass else { continue }
            violations.add(at: planned, isCertain: result == .fail) {
                let took = Measure.exactly(Double(latency), .duration).text(against: limits)
                return "\(view.requests.id(row)) took \(took)"
            }
        }
        return violations
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// Something that must not have been seen.
private struct Violation {
    var at: Int64
    var isCertain: Bool
    var text: String
}

// Invariants about what is seen beside the answers: health, probes, logs, samples.
extension JudgeContext {
    private func finding(_ subject: String, _ allowed: String, _ list: [Violation]) -> InvariantFinding {
        var violations = Violations()
        for violation in list {
            violations.add(at: violation.at, isCertain: violation.isCertain) { violation.text }
        }
        return finding(subject, allowed, violations)
    }

    func judgeObserved(_ invariant: Invariant, _ interval: Interval?) throws(Unjudgeable) -> InvariantFinding {
        switch invariant.kind {
        case .neverBecomes(let target, let state):
            let words = "\(target.name) becoming \(state.rawValue)"
            return finding(words, "never", changes(of: target, to: state, interval))
        case .neverProbes(let nodes, let condition):
            let words = "probes to \(nodes.joined(separator: ", "))\(phrase(condition))"
            let interval = try intervalAtMocks(invariant.during)
            return finding(words, "never", probes(nodes, condition, grace: invariant.grace.count, interval))
        case .neverLog(let log):
            let words = "lines with \(log.pattern) in the log of \(log.node)"
            return finding(words, "never", try lines(log, interval))
        case .alwaysUsage(let usage):
            let memory: Limits? = if let bound = usage.memory { try limits(bound) } else { nil }
            let descriptors: Limits? = if let bound = usage.descriptors { try limits(bound) } else { nil }
            let allowed = "always " + [memory, descriptors].compactMap { $0?.description }.joined(separator: ", ")
            return finding(usage.node, allowed, violations(usage, memory: memory, descriptors: descriptors, interval))
        case .alwaysMetric(let metric):
            let limits = try limits(metric.bound)
            let samples = view.metrics.filter { $0.node == metric.node && $0.series == metric.series }
            var violations = Violations()
            for sample in samples {
                let match = interval?.contains(sample.at) ?? .no
                let result = Measure.exactly(sample.value, .number).result(against: limits, slack: 0)
                guard match != .no, result != .pass else { continue }
                violations.add(at: sample.at.t, isCertain: match == .yes) { "it was \(plainNumber(sample.value))" }
            }
            return finding("\(metric.series) of \(metric.node)", "always \(limits)", violations)
        case .alwaysAvailability(var availability):
            availability.during = invariant.during
            let found = try judge(availability)
            let first = rows(in: interval, loads: availability.loads).first { !isGood($0) }
            return InvariantFinding(
                finding: found,
                firstViolation: found.result == .pass ? nil : first.map { view.requests.planned[$0] } ?? 0)
        default: preconditionFailure("\(invariant.kind) is judged elsewhere")
        }
    }

    /// Being in the state from the start counts as well.
    private func changes(of target: TargetReference, to state: HealthState, _ interval: Interval?) -> [Violation] {
        guard let interval else { return [] }
        let history = history(of: target)
        let first = interval.outer.lowerBound
        var violations: [Violation] = []
        if history.state(at: first) == state {
            violations.append(Violation(at: first, isCertain: true, text: "it was \(state.rawValue) already"))
        }
        for change in history.changes where change.to == state && change.at.t > first {
            let match = interval.contains(change.at)
            guard match != .no else { continue }
            let why = change.event.map { Diagnosis(context: self).describe($0) } ?? "after a restart of the gateway"
            violations.append(Violation(at: change.at.t, isCertain: match == .yes, text: why))
        }
        return violations
    }

    private func probes(
        _ nodes: [String], _ condition: Condition?, grace: Int64, _ interval: Interval?
    ) -> [Violation] {
        let history = condition.map { ConditionHistory($0, in: self) }
        return nodes.flatMap { node in
            view.served.rows(of: node).map(Int.init).compactMap { row -> Violation? in
                guard view.served.isProbe(row) else { return nil }
                let time = view.served.times[row]
                let match = (interval?.contains(time) ?? .no) && (history?.holds(at: time, grace: grace) ?? .yes)
                guard match != .no else { return nil }
                return Violation(
                    at: time, isCertain: match == .yes, text: "a probe of \(view.served.path(row)) reached \(node)")
            }
        }.sorted { $0.at < $1.at }
    }

    private func lines(_ log: LogMatch, _ interval: Interval?) throws(Unjudgeable) -> [Violation] {
        guard let matches = log.pattern.matcher else {
            throw Unjudgeable(Problem(at: log.count.location, "\(log.pattern) is no regular expression"))
        }
        return view.logs.filter { $0.node == log.node && matches($0.text[...]) }.compactMap { line in
            let match: Match = log.during == .wholeRun ? .yes : interval?.contains(line.at) ?? .no
            return match == .no ? nil : Violation(at: line.at.t, isCertain: match == .yes, text: line.text)
        }
    }

    private func violations(
        _ usage: Usage, memory: Limits?, descriptors: Limits?, _ interval: Interval?
    ) -> [Violation] {
        view.usage.filter { $0.node == usage.node }.compactMap { sample in
            guard let interval, interval.contains(sample.at) != .no else { return nil }
            let used = Measure.exactly(Double(sample.memory), .bytes)
            if let memory, used.result(against: memory, slack: 0) != .pass {
                return Violation(at: sample.at.t, isCertain: true, text: "it used \(used.text)")
            }
            let open = Measure.exactly(Double(sample.descriptors), .number)
            if let descriptors, open.result(against: descriptors, slack: 0) != .pass {
                return Violation(at: sample.at.t, isCertain: true, text: "it had \(open.text) descriptors")
            }
            return nil
        }
    }
}

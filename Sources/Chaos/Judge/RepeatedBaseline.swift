// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Repetitions of a run against a baseline: one slow run among several is no regression, and neither is a difference
/// that comes by chance. A bound that the median of the repetitions misses fails only when the rank test of Mann and
/// Whitney tells old and new runs apart (`BenchBaseline.level`); with too few runs for that it is inconclusive.
package enum RepeatedBaseline {
    /// The reports with the verdicts of `baseline` expectations replaced where a scenario (and cell) was run more than
    /// once. Runs that came to nothing are left out and left alone.
    package static func settled(_ reports: [RunReport]) -> [RunReport] {
        var reports = reports
        let places = reports.indices.filter { reports[$0].isComparable }
        for group in Dictionary(grouping: places, by: { reports[$0].name }).values where group.count > 1 {
            for id in reports[group[0]].verdict.verdicts.filter({ !$0.comparisons.isEmpty }).map(\.id) {
                let verdicts = group.compactMap { reports[$0].verdict[id] }
                guard verdicts.count == group.count, let joint = Self.joint(verdicts)
                else {
                    continue
                }
                for place in group { reports[place].verdict.replace(id, by: joint) }
            }
        }
        return reports
    }

    private static func joint(_ verdicts: [Verdict]) -> Verdict? {
        guard var joint = verdicts.first, verdicts.allSatisfy({ $0.comparisons.count == joint.comparisons.count })
        else { return nil }
        let parts = joint.comparisons.indices.map { place in
            part(joint.comparisons[place], now: verdicts.compactMap { $0.comparisons[place].now })
        }
        let file = joint.comparisons.first?.file ?? ""
        let finding = Finding("against \(file), \(verdicts.count) runs together:", parts: parts)
        joint.result = finding.result
        (joint.seen, joint.allowed, joint.sentence) = (finding.seen, finding.allowed, finding.sentence)
        joint.reasons = []
        joint.isJoint = true
        return joint
    }

    private static func part(_ comparison: BaselineComparison, now: [Double]) -> Part {
        guard let median = Spread(now)?.median else {
            return Part(result: .fail, seen: comparison.phrase(nil), allowed: comparison.entry.text)
        }
        let test = RankTest(comparison.entry.values, now)
        var seen = comparison.phrase(median)
        let result: Verdict.Result
        // Late timers were late in some runs more than in others, which is what ranks are for.
        if comparison.isAllowed(median, slack: 0) {
            result = .pass
        } else if test.isTooSmall(for: BenchBaseline.level) {
            result = .inconclusive
            seen += " (too few runs to tell from chance)"
        } else {
            result = test.probability < BenchBaseline.level ? .fail : .pass
            seen += " (p = \(plainNumber((test.probability * 10_000).rounded() / 10_000)))"
        }
        return Part(result: result, seen: seen, allowed: comparison.entry.text)
    }
}

extension RunReport {
    /// It ran to its end on a host that was fast enough.
    fileprivate var isComparable: Bool {
        switch verdict.result {
        case .pass, .fail, .inconclusive:
            verdict.reasons.isEmpty && verdict.verdicts.contains { !$0.comparisons.isEmpty }
        default: false
        }
    }
}

extension RunVerdict {
    package subscript(id: String) -> Verdict? { verdicts.first { $0.id == id } }

    /// The result of the run follows that of its verdicts.
    fileprivate mutating func replace(_ id: String, by joint: Verdict) {
        guard let place = verdicts.firstIndex(where: { $0.id == id }) else { return }
        verdicts[place] = joint
        result =
            switch Verdict.Result.worst(verdicts.filter { $0.severity == .must }.map(\.result)) {
            case .pass: .pass
            case .fail: .fail
            case .inconclusive: .inconclusive
            }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension JudgeContext {
    /// The number of outcomes of a sort.
    func judge(_ count: Count) throws(Unjudgeable) -> Finding {
        let interval = try interval(count.during)
        let part = Part("came", self.count(count.filter, in: interval), try limits(count.bound), suffix: " times")
        var finding = Finding("\(count.filter) during \(count.during)", parts: [part])
        if finding.result != .pass { finding.reasons = reasons(for: count.filter, in: interval) }
        return finding
    }

    /// Happened at least once, else the test tested nothing.
    func judgeSometimes(_ filter: OutcomeFilter, _ during: During) throws(Unjudgeable) -> Finding {
        let interval = try interval(during)
        let count = count(filter, in: interval)
        let isThere = count.certain + count.free > 0
        let result: Verdict.Result = isThere ? .pass : count.uncertain > 0 ? .inconclusive : .fail
        let seen = count.range.upperBound == 0 ? "never came" : "came \(Measure.count(count.range).text) times"
        var finding = Finding(
            result: result, seen: seen, allowed: ">= 1", sentence: "\(filter) \(seen) during \(during), allowed >= 1")
        if result != .pass { finding.reasons = reasons(for: filter, in: interval) }
        return finding
    }

    private func reasons(for filter: OutcomeFilter, in interval: Interval?) -> [String] {
        guard let interval else { return ["The interval is empty: it ends before it begins"] }
        let diagnosis = Diagnosis(context: self)
        let rows = rows(in: interval, loads: filter.loads)
        let answers = rows.isEmpty ? "No request was planned in it" : "The answers were \(diagnosis.breakdown(rows))"
        return [answers] + diagnosis.reasons(from: interval.outer.lowerBound, through: interval.outer.upperBound)
    }

    /// Client journal and the records of the mocks, joined by request id.
    func judge(_ bounds: RequestBounds) throws(Unjudgeable) -> Finding {
        let interval = try interval(bounds.during)
        let rows = rows(in: interval, loads: bounds.loads)
        let subject = bounds.loads.isEmpty ? "requests" : "requests of \(bounds.loads.joined(separator: ", "))"
        var parts: [Part] = []
        var reasons: [String] = []
        func add(_ words: String, _ bound: Bound?, _ isCounted: (Int) -> Bool) throws(Unjudgeable) {
            guard let bound else { return }
            let counted = rows.narrowed(isCounted)
            var tally = Tally()
            for row in counted {
                tally.add((isLeftOpen(row) ? .maybe : .yes) && (interval.map { contains($0, row) } ?? .no))
            }
            var part = Part("\(words):", tally, try limits(bound), suffix: "")
            if !view.hasServedRecords, words != "unknown" { part.result = .inconclusive }
            parts.append(part)
            if part.result != .pass, !counted.isEmpty {
                reasons.append("\(words): \(Diagnosis(context: self).ids(counted))")
            }
        }
        try add("lost", bounds.lost) { view.requests.outcome($0) == .ok && view.served.count(ofRequest: $0) == 0 }
        try add("duplicated", bounds.duplicated) { view.served.count(ofRequest: $0) > 1 }
        try add("unknown", bounds.unknown) { view.requests.outcome($0) == .unknown }
        var finding = Finding(subject, parts: parts)
        if !view.hasServedRecords {
            reasons.append("No mock handed over records, so nobody knows what the upstream saw")
        }
        if finding.result != .pass { finding.reasons = reasons }
        return finding
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension JudgeContext {
    /// The first arrival from which the share of good answers holds for a while, and whether it came in time.
    func judge(_ recovery: Recovery, id: String) throws(Unjudgeable) -> Finding {
        let after = try sighting(of: recovery.after)
        let limits = try limits(recovery.within)
        let interval = Interval(outer: after.earliest.count...Int64.max, inner: nil)
        let rows = rows(in: interval, loads: recovery.loads)
        let subject = "recovery to \(recovery.ok) ok for \(recovery.stable)"
        let found = firstStable(rows, recovery)
        guard let found, found.isCertain else {
            let tooShort = found != nil
            let result: Verdict.Result = tooShort ? .inconclusive : .fail
            let seen = tooShort ? "was not seen for long enough" : "never came after \(recovery.after)"
            var reasons: [String] = []
            if !tooShort, let last = rows.last(where: { !isGood($0) }) {
                reasons.append(
                    "The last bad answer, \(view.requests.id(last)), came at \(readable(view.requests.planned[last]))")
            }
            reasons += Diagnosis(context: self).reasons(from: after.at.count, through: view.lastInstant)
            var finding = Finding(
                result: result, seen: seen, allowed: "\(limits)", sentence: "\(subject) \(seen), allowed \(limits)",
                reasons: reasons)
            if let mark = recovery.mark {
                finding.marks = [.init(name: mark, value: .missing(root: id, result: result))]
            }
            return finding
        }
        let at = Sighting(at: Nanoseconds(found.at))
        let measure = duration(from: after, to: at)
        var finding = Finding(
            subject, parts: [Part("came", measure, limits, slack: slack, suffix: " after \(recovery.after)")])
        if let mark = recovery.mark { finding.marks = [.init(name: mark, value: .seen(at, room: nil))] }
        if finding.result != .pass {
            finding.reasons = Diagnosis(context: self).reasons(from: after.at.count, through: found.at)
        }
        return finding
    }

    /// `isCertain` is false when the run ended before the share had held long enough.
    private func firstStable(_ rows: RowList, _ recovery: Recovery) -> (at: Int64, isCertain: Bool)? {
        let planned = view.requests.planned
        guard let lastRow = rows.last else { return nil }
        var end = 0
        var good = 0
        for start in rows.indices {
            let limit = planned[rows[start]].clampedAdding(recovery.stable.count)
            while end < rows.count, planned[rows[end]] <= limit {
                good += isGood(rows[end]) ? 1 : 0
                end += 1
            }
            let share = Double(good) / Double(end - start)
            if isGood(rows[start]), share >= recovery.ok.fraction - 1e-12 {
                return (planned[rows[start]], limit <= planned[lastRow].clampedAdding(averageGap(rows)))
            }
            good -= isGood(rows[start]) ? 1 : 0
        }
        return nil
    }

    /// Arrivals stand for the time until the next one.
    private func averageGap(_ rows: RowList) -> Int64 {
        guard rows.count > 1 else { return 0 }
        let planned = view.requests.planned
        return planned[rows[rows.count - 1]].clampedSubtracting(planned[rows[0]]) / Int64(rows.count - 1) + 1
    }
}

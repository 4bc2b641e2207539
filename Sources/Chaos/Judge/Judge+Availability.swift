// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension JudgeContext {
    /// The share of good answers over an interval or over its worst sliding window, and the number of bad ones.
    func judge(_ availability: Availability) throws(Unjudgeable) -> Finding {
        let interval = try interval(availability.during)
        let rows = rows(in: interval, loads: availability.loads)
        let subject = "availability during \(availability.during)"
        guard !rows.isEmpty else { return nothingToJudge(subject, "no request", allowed: availability.bound.text) }
        let edges = edges(rows, interval)
        let certain = edges.certain
        var parts: [Part] = []
        var worst: Int64?
        if let window = availability.window {
            let found = worstWindow(rows, length: window.count)
            worst = found.from
            parts.append(
                Part(
                    "was", .exactly(found.share, .ratio), try limits(availability.bound), slack: slack,
                    suffix: " in the worst \(window)"))
        } else {
            let shares = [share(rows), certain.isEmpty ? share(rows) : share(certain)]
            let part = Part("was", Measure(shares[0], shares[1], .ratio), try limits(availability.bound), slack: slack)
            parts.append(edges.settled(part))
        }
        if let budget = availability.budget {
            let bad = certain.count { !isGood($0) }...rows.count { !isGood($0) }
            parts.append(edges.settled(Part("bad answers:", .count(bad), try limits(budget), slack: slack)))
        }
        var finding = Finding(subject, parts: parts)
        if finding.result != .pass {
            let first = worst ?? rows.first { !isGood($0) }.map { view.requests.planned[$0] } ?? 0
            let last = rows.last { !isGood($0) }.map { view.requests.planned[$0] } ?? first
            finding.reasons =
                [describeBad(rows)] + Diagnosis(context: self).reasons(from: first, through: max(first, last))
        }
        return finding
    }

    func isGood(_ row: Int) -> Bool { view.requests.outcome(row) == .ok || isLeftOpen(row) }

    private func share(_ rows: RowList) -> Double { Double(rows.count { isGood($0) }) / Double(rows.count) }

    /// The window of that length, beginning at an arrival, with the lowest share; the whole when it is shorter.
    private func worstWindow(_ rows: RowList, length: Int64) -> (share: Double, from: Int64) {
        let planned = view.requests.planned
        let last = planned[rows[rows.count - 1]]
        var worst = (share: share(rows), from: planned[rows[0]])
        var end = 0
        var good = 0
        for start in rows.indices {
            let limit = planned[rows[start]].clampedAdding(length)
            guard limit <= last.clampedAdding(1) else { break }
            while end < rows.count, planned[rows[end]] < limit {
                good += isGood(rows[end]) ? 1 : 0
                end += 1
            }
            let share = Double(good) / Double(end - start)
            if share < worst.share { worst = (share, planned[rows[start]]) }
            good -= isGood(rows[start]) ? 1 : 0
        }
        return worst
    }

    /// "31 bad answers: 28 × 503 from gateway, 3 × 500 from upstream; the first, users-501, at 10.07s"
    private func describeBad(_ rows: RowList) -> String {
        let bad = rows.narrowed { !isGood($0) }
        guard let first = bad.first else { return "Every answer was good" }
        return "\(bad.count) bad answers: \(Diagnosis(context: self).breakdown(bad)); the first, "
            + "\(view.requests.id(first)), at \(readable(view.requests.planned[first]))"
    }

    /// Without a single observation an expectation proves nothing.
    func nothingToJudge(_ subject: String, _ seen: String, allowed: String) -> Finding {
        Finding(
            result: .fail, seen: seen, allowed: allowed, sentence: "\(subject): \(seen) to judge, allowed \(allowed)",
            reasons: ["The interval may be empty, or the load may have ended before it"])
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension JudgeContext {
    /// Statistics of the latency of a subset of requests, exact (nearest rank), not from buckets.
    func judge(_ latency: LatencyBounds) throws(Unjudgeable) -> Finding {
        let interval = try interval(latency.during)
        let rows = rows(in: interval, loads: latency.filter.loads).narrowed { row in
            match(latency.filter, row) != .no && view.requests.latency(row) != nil
        }
        let subject = latency.filter.phrase(of: "latency")
        guard !rows.isEmpty else {
            let allowed = latency.entries.map { "\($0.statistic) \($0.bound.text)" }.joined(separator: ", ")
            return nothingToJudge(subject, "no such request", allowed: allowed)
        }
        let edges = edges(rows, interval)
        let certain = edges.certain
        let all = sortedLatencies(rows, latency.isCorrected)
        let isAll = certain.isEmpty || certain.count == rows.count
        let surely = isAll ? all : sortedLatencies(certain, latency.isCorrected)
        var parts: [Part] = []
        for entry in latency.entries {
            let measure = Measure(entry.statistic.value(of: surely), entry.statistic.value(of: all), .duration)
            parts.append(edges.settled(Part("\(entry.statistic)", measure, try limits(entry.bound), slack: slack)))
        }
        var finding = Finding(subject, parts: parts)
        finding.sentence += " (\(rows.count) requests)"
        if finding.result != .pass, let slowest = rows.max(by: { latencyOf($0) < latencyOf($1) }) {
            let planned = readable(view.requests.planned[slowest])
            finding.reasons.append(
                "The slowest, \(view.requests.id(slowest)), planned at \(planned), took " + readable(latencyOf(slowest))
            )
            if latency.isCorrected, let sent = view.requests.sent(slowest),
                sent - view.requests.planned[slowest] > latencyOf(slowest) / 2
            {
                let late = readable(sent - view.requests.planned[slowest])
                finding.reasons.append("It was sent \(late) after its planned start: the generator was late")
            }
        }
        return finding
    }

    private func latencyOf(_ row: Int) -> Int64 { latency(row) ?? 0 }

    private func sortedLatencies(_ rows: RowList, _ isCorrected: Bool) -> [Int64] {
        rows.compactMap { latency($0, corrected: isCorrected) }.sorted()
    }
}

extension LatencyBounds.Statistic {
    /// Of sorted values, at least one. A quantile is the smallest value that at least that share is not above.
    func value(of sorted: [Int64]) -> Double {
        switch self {
        case .minimum: return Double(sorted[0])
        case .maximum: return Double(sorted[sorted.count - 1])
        case .mean: return sorted.reduce(0.0) { $0 + Double($1) } / Double(sorted.count)
        case .quantile(let share):
            let rank = Int((share * Double(sorted.count) - 1e-9).rounded(.up))
            return Double(sorted[min(sorted.count, max(1, rank)) - 1])
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// One judged run: what all reports are made from.
package struct RunReport: Sendable {
    package let view: JournalView
    package var verdict: RunVerdict

    package let statistics: RunStatistics

    package init(view: JournalView, verdict: RunVerdict) {
        self.view = view
        self.verdict = verdict
        statistics = RunStatistics(view.requests)
    }

    package var scenario: String { view.header?.scenario ?? "scenario" }
    package var seed: UInt64 { view.header?.seed ?? 0 }

    /// `health_hit=false, policy=hit`; empty without a matrix.
    package var cell: String {
        (view.header?.cell ?? []).map { "\($0.name)=\($0.value)" }.joined(separator: ", ")
    }

    /// `walk-through [health_hit=false]`
    package var name: String { cell.isEmpty ? scenario : "\(scenario) [\(cell)]" }

    /// From the start of the load to its end, nanoseconds.
    package var length: Int64 { max(0, view.mark("end")?.t ?? view.lastInstant) }

    package func count(_ result: Verdict.Result) -> Int { verdict.verdicts.count { $0.result == result } }
}

/// A run in a few numbers.
package struct RunStatistics: Hashable, Sendable {
    package struct Sort: Hashable, Sendable {
        /// `200 from upstream`, `503 from gateway`, `timeout`.
        package var name: String
        package var count: Int
        /// The number of the sort in the request table.
        var number: Int
    }

    package var requests: Int
    package var good: Int
    package var failed: Int
    package var unknown: Int
    /// The most frequent first.
    package var sorts: [Sort]
    /// Of answered requests, from the planned start; nil without any.
    package var latency: JournalEvent.Quantiles?

    package init(_ table: RequestTable) {
        requests = table.count
        good = 0
        failed = 0
        unknown = 0
        var sorts: [Int: Sort] = [:]
        var latencies: [Int64] = []
        for row in table.indices {
            switch table.outcome(row) {
            case .ok: good += 1
            case .failed: failed += 1
            case .unknown: unknown += 1
            }
            let number = table.sort(row)
            sorts[number, default: Sort(name: table.sortName(row), count: 0, number: number)].count += 1
            if table.status(row) != nil, let latency = table.latency(row) { latencies.append(latency) }
        }
        self.sorts = sorts.values.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
        latencies.sort()
        guard !latencies.isEmpty else { return }
        func quantile(_ share: Double) -> Int64 { Int64(LatencyBounds.Statistic.quantile(share).value(of: latencies)) }
        latency = JournalEvent.Quantiles(
            count: latencies.count, p50: quantile(0.5), p99: quantile(0.99), p999: quantile(0.999),
            max: latencies[latencies.count - 1])
    }
}

extension RequestTable {
    /// The sort of an outcome in words: `503 from gateway`, `timeout`.
    func sortName(_ row: Int) -> String {
        guard let status = status(row) else { return failure(row)?.rawValue ?? "no answer" }
        return origin(row) == .unknown ? "\(status)" : "\(status) from \(origin(row).rawValue)"
    }
}

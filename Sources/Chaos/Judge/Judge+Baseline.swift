// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A figure of a run beside that of earlier ones.
package struct BaselineComparison: Hashable, Sendable {
    /// As the scenario names it.
    package var file: String
    package var entry: BaselineBounds.Entry
    /// Nil when the run has none, for want of answers.
    package var now: Double?
}

extension JudgeContext {
    /// The figures of the run against those of earlier ones: the median of theirs, and how far it may be left.
    /// Repetitions of a run are judged together (`RepeatedBaseline`).
    func judge(_ baseline: BaselineBounds) throws(Unjudgeable) -> Finding {
        let statistics = RunStatistics(view.requests)
        let length = max(0, view.mark("end")?.t ?? view.lastInstant)
        let comparisons = baseline.entries.map { entry in
            BaselineComparison(
                file: baseline.file, entry: entry, now: Self.value(of: entry.figure, statistics, length: length))
        }
        let parts = comparisons.map { comparison in
            let result = comparison.now.map { comparison.isAllowed($0, slack: slack) ? Verdict.Result.pass : .fail }
            return Part(
                result: result ?? .fail, seen: comparison.phrase(comparison.now), allowed: comparison.entry.text)
        }
        var finding = Finding("against \(baseline.file):", parts: parts)
        finding.comparisons = comparisons
        return finding
    }

    private static func value(
        of figure: BaselineBounds.Figure, _ statistics: RunStatistics, length: Int64
    ) -> Double? {
        switch figure {
        case .p50: statistics.latency.map { Double($0.p50) }
        case .p99: statistics.latency.map { Double($0.p99) }
        case .p999: statistics.latency.map { Double($0.p999) }
        case .maximum: statistics.latency.map { Double($0.max) }
        case .rate: length > 0 ? Double(statistics.good) / Double(length) * 1e9 : nil
        case .ok: statistics.requests > 0 ? Double(statistics.good) / Double(statistics.requests) : nil
        }
    }
}

extension BaselineComparison {
    /// - Parameter slack: widens the upper limit of a time, nanoseconds.
    func isAllowed(_ value: Double, slack: Int64) -> Bool {
        let dimension = entry.figure.dimension
        func limit(_ change: Double?) -> Quantity? {
            change.map { dimension.quantity(entry.before.median * (1 + $0)) }
        }
        let limits = Limits(lower: limit(entry.least), upper: limit(entry.most))
        return Measure.exactly(value, dimension).result(against: limits, slack: slack) == .pass
    }

    /// `latency.p99 +12%: 5.6ms, was 4.8ms..5.2ms in 8 runs`
    func phrase(_ value: Double?) -> String {
        guard let value else { return "\(entry.figure.rawValue) none" }
        let dimension = entry.figure.dimension
        let change = entry.before.median > 0 ? BenchText.change(value / entry.before.median - 1) : "-"
        let old = Measure(entry.before.least, entry.before.most, dimension).text
        let runs = entry.runs == 1 ? "1 run" : "\(entry.runs) runs"
        return "\(entry.figure.rawValue) \(change): \(Measure.exactly(value, dimension).text), was \(old) in \(runs)"
    }
}

extension BaselineBounds.Figure {
    fileprivate var dimension: Dimension {
        switch self {
        case .p50, .p99, .p999, .maximum: .duration
        case .rate: .rate
        case .ok: .ratio
        }
    }
}

extension Dimension {
    fileprivate func quantity(_ magnitude: Double) -> Quantity {
        switch self {
        case .duration: .duration(Nanoseconds(seconds: magnitude / 1e9))
        case .rate: .rate(Rate(perSecond: magnitude))
        case .ratio: .ratio(Ratio(magnitude))
        case .number, .requests: .number(magnitude)
        case .bytes: .bytes(ByteCount(magnitude))
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension JudgeContext {
    /// The figures of the run against those of earlier ones: the median of theirs, and how far it may be left.
    func judge(_ baseline: BaselineBounds) throws(Unjudgeable) -> Finding {
        let statistics = RunStatistics(view.requests)
        let length = max(0, view.mark("end")?.t ?? view.lastInstant)
        var parts: [Part] = []
        for entry in baseline.entries {
            let before = entry.before
            guard let now = Self.value(of: entry.figure, statistics, length: length) else {
                parts.append(Part(result: .fail, seen: "\(entry.figure.rawValue) none", allowed: entry.text))
                continue
            }
            let dimension = entry.figure.dimension
            func limit(_ change: Double?) -> Quantity? { change.map { dimension.quantity(before.median * (1 + $0)) } }
            let limits = Limits(lower: limit(entry.least), upper: limit(entry.most))
            let measure = Measure.exactly(now, dimension)
            let change = before.median > 0 ? BenchText.change(now / before.median - 1) : "-"
            let old = Measure(before.least, before.most, dimension).text
            let runs = entry.runs == 1 ? "1 run" : "\(entry.runs) runs"
            parts.append(
                Part(
                    result: measure.result(against: limits, slack: slack),
                    seen: "\(entry.figure.rawValue) \(change): \(measure.text), was \(old) in \(runs)",
                    allowed: entry.text))
        }
        return Finding("against \(baseline.file):", parts: parts)
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
        }
    }
}

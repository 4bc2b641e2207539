// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// When each mark will come if every bound is kept: exact for steps, a range for what is observed.
struct MarkForecast {
    private(set) var ranges: [MarkName: ClosedRange<Nanoseconds>] = [:]

    init(_ plan: Plan) {
        ranges[.start] = .zero ... .zero
        if let length = plan.length { ranges[.end] = length...length }
        for _ in plan.steps.indices { for step in plan.steps { add(step) } }
        for index in plan.judgingOrder { add(plan.expectations[index], plan) }
    }

    func range(of mark: MarkExpression) -> ClosedRange<Nanoseconds>? {
        ranges[mark.mark].map { ($0.lowerBound + mark.offset)...($0.upperBound + mark.offset) }
    }

    /// When a step is done; nil when only the run can tell.
    func range(of step: Step) -> ClosedRange<Nanoseconds>? {
        guard case .at(let when) = step.trigger, let range = range(of: when) else { return nil }
        return range.lowerBound...(range.upperBound + (step.draw?.spread ?? .zero))
    }

    private mutating func add(_ step: Step) {
        guard let range = range(of: step) else { return }
        for mark in step.marksDone { ranges[mark] = range }
        guard let lengths = step.lengths else { return }
        for mark in step.marksUndone {
            ranges[mark] = (range.lowerBound + lengths.lowerBound)...(range.upperBound + lengths.upperBound)
        }
    }

    private mutating func add(_ expectation: Expectation, _ plan: Plan) {
        switch expectation.kind {
        case .transition(let it):
            guard let mark = it.mark else { return }
            ranges[mark] = range(it.within, after: it.after, plan)
        case .recovery(let it):
            guard let mark = it.mark else { return }
            ranges[mark] = range(it.within, after: it.after, plan)
        case .window(let it):
            guard let mark = it.mark else { return }
            if let starts = it.starts {
                ranges[MarkName("\(mark).start")] = range(starts.bound, after: starts.mark, plan)
            }
            if let ends = it.ends { ranges[MarkName("\(mark).end")] = range(ends.bound, after: ends.mark, plan) }
        default: return
        }
    }

    private func range(_ bound: Bound, after mark: MarkExpression, _ plan: Plan) -> ClosedRange<Nanoseconds>? {
        guard let base = range(of: mark), let limits = bound.constant else { return nil }
        let low = length(of: limits.lower, plan) ?? .zero
        guard let high = length(of: limits.upper, plan), low <= high else { return nil }
        return (base.lowerBound + low)...(base.upperBound + high)
    }

    /// A number of requests takes as long as the slowest load needs for them.
    private func length(of quantity: Quantity?, _ plan: Plan) -> Nanoseconds? {
        switch quantity {
        case .duration(let duration): return duration
        case .requests(let count):
            let rates = plan.loads.flatMap { load -> [Double] in
                guard case .open(let stages, _) = load.shape else { return [] }
                return stages.compactMap { if case .rate(let a, let b, _) = $0 { min(a, b).perSecond } else { nil } }
            }
            guard let slowest = rates.filter({ $0 > 0 }).min() else { return nil }
            return Nanoseconds(seconds: Double(count) / slowest)
        default: return nil
        }
    }

    /// `10s`, `20s..25.6s`, or `?`.
    func text(_ mark: MarkName) -> String {
        guard let range = ranges[mark] else { return "?" }
        let (low, high) = (Self.rounded(range.lowerBound), Self.rounded(range.upperBound))
        return low == high ? "\(low)" : "\(low)..\(high)"
    }

    /// To the millisecond, for people.
    static func rounded(_ time: Nanoseconds) -> Nanoseconds {
        Nanoseconds(Int64((Double(time.count) / 1e6).rounded())) * 1_000_000
    }
}

extension Step {
    /// How long it lasts, before the seed has decided.
    var lengths: ClosedRange<Nanoseconds>? { draw?.length ?? length.map { $0...$0 } }
}

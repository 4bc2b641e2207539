// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension JudgeContext {
    /// Whether the outcome of a request is of a sort. Its load is looked at too; warm-up is not.
    func match(_ filter: OutcomeFilter, _ row: Int) -> Match {
        let requests = view.requests
        if !filter.loads.isEmpty, !filter.loads.contains(requests.loadName(row)) { return .no }
        if let method = filter.method, requests.method(row) != method { return .no }
        if let path = filter.path, !requests.path(row).hasPrefix(path) { return .no }
        if isLeftOpen(row) { return .maybe }
        if let outcome = filter.outcome, requests.outcome(row).rawValue != outcome.rawValue { return .no }
        if !filter.statuses.isEmpty {
            guard let status = requests.status(row), filter.includes(status: status) else { return .no }
        }
        guard let origin = filter.origin else { return .yes }
        switch requests.origin(row) {
        case .unknown: return requests.status(row) == nil ? .no : .maybe
        case .gateway: return origin == .gateway ? .yes : .no
        case .upstream: return origin == .upstream ? .yes : .no
        }
    }

    /// Rows of requests that count for statistics, planned in an interval, of some loads (none = all).
    func rows(in interval: Interval?, loads: [String]) -> RowList {
        guard let interval else { return RowList(0..<0) }
        let requests = view.requests
        let wanted = Set(loads.compactMap { requests.loads.known($0) })
        let range = requests.rows(from: interval.outer.lowerBound, through: interval.outer.upperBound)
        return RowList(range).narrowed { row in
            !requests.isWarmup(row) && (loads.isEmpty || wanted.contains(requests.loadIndex(row)))
        }
    }

    /// How many requests match; the ends of the interval and unknown origins leave some open.
    func count(_ filter: OutcomeFilter, in interval: Interval?) -> Tally {
        var tally = Tally()
        guard let interval else { return tally }
        // Those that were on their way when it began were planned before it: not longer before than we may be late.
        let first = interval.outer.lowerBound.clampedSubtracting(1_000_000_000)
        for row in view.requests.rows(from: first, through: interval.outer.upperBound)
        where !view.requests.isWarmup(row) {
            tally.add(match(filter, row) && contains(interval, row))
        }
        return tally
    }
}

// MARK: Edges

extension JudgeContext {
    /// What happens within this many nanoseconds has no order that a scenario could mean: a request needs up to 5 ms
    /// from our socket to the gateway's balancer, beside what timers of this host are late.
    var resolution: Int64 { 5_000_000 + slack }

    /// Which of the rows are in an interval for certain, and how a part settles when the others are out only by the
    /// sharpness of an edge.
    func edges(_ rows: RowList, _ interval: Interval?) -> (certain: RowList, settled: (Part) -> Part) {
        let isSharp = !rows.contains { row in interval.map { contains($0, row) } == .maybe }
        let certain = rows.narrowed { row in interval.map { contains($0, row) } == .yes }
        return (
            certain,
            { part in
                var part = part
                // Counted the one way or the other, it is well.
                if isSharp, part.result == .inconclusive { part.result = .pass }
                return part
            }
        )
    }

    /// The latest moment at which a request can have reached the gateway: it may have been sent late by us.
    func reached(_ row: Int) -> Int64 {
        let planned = view.requests.planned[row]
        let sent = max(planned, view.requests.sent(row) ?? planned)
        return min(max(view.requests.end(row) ?? .max, sent), sent.clampedAdding(resolution))
    }

    /// Whether a request arrived in an interval. By definition its planned start counts; one that was on its way when
    /// the interval began, and one inside the uncertainty of an edge sharper than the resolution, is free.
    func contains(_ interval: Interval, _ row: Int) -> Match {
        let planned = view.requests.planned[row]
        guard let inner = interval.inner else { return interval.outer.contains(planned) ? .maybe : .no }
        if planned > interval.outer.upperBound || reached(row) < interval.outer.lowerBound { return .no }
        if planned < inner.lowerBound {
            let isSharp = inner.lowerBound - interval.outer.lowerBound <= resolution
            let wasOnItsWay = planned < interval.outer.lowerBound && reached(row) >= inner.lowerBound
            return isSharp || wasOnItsWay ? .free : .maybe
        }
        guard planned > inner.upperBound else { return .yes }
        return interval.outer.upperBound - inner.upperBound <= resolution ? .free : .maybe
    }
}

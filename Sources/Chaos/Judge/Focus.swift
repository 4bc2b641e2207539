// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The part of a run that decided a verdict, for a report that zooms there. Nanoseconds from the start of the load.
package struct Focus: Hashable, Sendable {
    package var range: ClosedRange<Int64>
    /// Where the judged instant might have lain, when the bound is one in time.
    package var allowed: ClosedRange<Int64>?

    package init(range: ClosedRange<Int64>, allowed: ClosedRange<Int64>? = nil) {
        self.range = range
        self.allowed = allowed
    }

    /// Around several instants.
    init?(around instants: [Int64], allowed: ClosedRange<Int64>? = nil) {
        guard let first = instants.min(), let last = instants.max() else { return nil }
        self.init(range: first...last, allowed: allowed)
    }
}

extension JudgeContext {
    /// Nil when the whole run decided, or when nothing was seen that could be shown.
    func focus(of expectation: Expectation, _ finding: Finding) -> Focus? {
        let seen = finding.marks.compactMap { mark -> Int64? in
            if case .seen(let sighting, _) = mark.value { sighting.at.count } else { nil }
        }
        switch expectation.kind {
        case .transition(let transition): return focus(of: transition, seen)
        case .window(let window): return focus(of: window, seen)
        case .recovery(let recovery):
            guard let after = try? sighting(of: recovery.after).at.count else { return nil }
            let allowed = allowed(recovery.within, after: after)
            return Focus(around: [after, seen.first ?? allowed?.upperBound ?? after], allowed: allowed)
        case .order(let marks):
            return Focus(around: marks.compactMap { try? sighting(of: $0).at.count })
        case .stays(let stays): return focus(of: stays.during)
        case .availability(let availability): return focus(of: availability.during)
        case .latency(let latency): return focus(of: latency.during)
        case .traffic(let traffic): return focus(of: traffic.during)
        case .probes(let probes): return focus(of: probes.during)
        case .count(let count): return focus(of: count.during)
        default: return nil
        }
    }

    private func focus(of transition: Transition, _ seen: [Int64]) -> Focus? {
        guard let after = try? sighting(of: transition.after) else { return nil }
        let change = history(of: transition.target).changes
            .first { $0.to == transition.becomes && $0.at.latest >= after.earliest.count }
        let allowed = allowed(transition.within, after: after.at.count)
        return Focus(around: [after.at.count] + seen + (change.map { [$0.at.t] } ?? []), allowed: allowed)
    }

    /// The edge with a bound is where one wants to look: the start when there is a bound on it, else the end.
    private func focus(of window: Window, _ seen: [Int64]) -> Focus? {
        guard let first = seen.first, let last = seen.last else { return focus(of: window.during) }
        if let starts = window.starts, let mark = try? sighting(of: starts.mark).at.count {
            return Focus(around: [mark, first], allowed: allowed(starts.bound, after: mark))
        }
        if let ends = window.ends, let mark = try? sighting(of: ends.mark).at.count {
            return Focus(around: [mark, last], allowed: allowed(ends.bound, after: mark))
        }
        return Focus(around: [first, last])
    }

    private func focus(of during: During) -> Focus? {
        guard during != .wholeRun, let interval = try? interval(during) else { return nil }
        return Focus(range: interval.outer)
    }

    private func allowed(_ bound: Bound, after mark: Int64) -> ClosedRange<Int64>? {
        guard bound.dimension == .duration, let limits = try? limits(bound) else { return nil }
        let low = mark.clampedAdding(Int64(max(-1e18, min(1e18, limits.lower?.magnitude ?? 0))))
        let high = mark.clampedAdding(Int64(max(-1e18, min(1e18, limits.upper?.magnitude ?? 1e18))))
        return low <= high ? low...high : nil
    }
}

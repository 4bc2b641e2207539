// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A part of the run whose ends are known with uncertainty: what lies in `inner` is in it for certain, what lies
/// outside `outer` is not. Both ends included.
struct Interval: Hashable, Sendable {
    var outer: ClosedRange<Int64>
    var inner: ClosedRange<Int64>?

    func contains(_ time: Int64) -> Match {
        if inner?.contains(time) ?? false { return .yes }
        return outer.contains(time) ? .maybe : .no
    }

    func contains(_ instant: Instant) -> Match {
        let isSure = contains(instant.earliest) && contains(instant.latest)
        if isSure == .yes { return .yes }
        return instant.earliest <= outer.upperBound && instant.latest >= outer.lowerBound ? .maybe : .no
    }
}

extension JudgeContext {
    /// The same for what mocks saw: requests planned up to the end of the load reach them after it.
    func intervalAtMocks(_ during: During) throws(Unjudgeable) -> Interval? {
        guard let interval = try interval(during) else { return nil }
        guard during.to == .end else { return interval }
        let last = max(view.lastInstant, interval.outer.upperBound)
        return Interval(
            outer: interval.outer.lowerBound...last,
            inner: interval.inner.map { $0.lowerBound...max($0.upperBound, last) })
    }

    /// Nil when the interval is empty for certain (it ends before it begins).
    func interval(_ during: During) throws(Unjudgeable) -> Interval? {
        let from = try sighting(of: during.from)
        let to = try sighting(of: during.to)
        guard from.earliest <= to.latest else { return nil }
        let inner = from.latest <= to.earliest ? from.latest.count...to.earliest.count : nil
        return Interval(outer: from.earliest.count...to.latest.count, inner: inner)
    }
}

/// Whether something belongs to a set, as far as one can know.
enum Match: Hashable, Sendable {
    case yes, no, maybe
    /// So close to an edge that no scenario can mean one side of it: it may be counted on either.
    case free

    static func && (a: Match, b: Match) -> Match {
        if a == .no || b == .no { return .no }
        if a == .maybe || b == .maybe { return .maybe }
        return a == .free || b == .free ? .free : .yes
    }
}

/// A number of things, some of them uncertain, some free to be counted or not.
struct Tally: Hashable, Sendable {
    var certain = 0
    var free = 0
    var uncertain = 0

    mutating func add(_ match: Match) {
        switch match {
        case .yes: certain += 1
        case .free: free += 1
        case .maybe: uncertain += 1
        case .no: break
        }
    }

    var range: ClosedRange<Int> { certain...certain + free + uncertain }
}

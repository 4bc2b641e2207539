// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// What all judges look at: the plan, the journal, and the marks resolved so far.
struct JudgeContext: Sendable {
    let plan: Plan
    let view: JournalView
    /// Nanoseconds by which upper bounds of durations are widened; 0 in virtual time.
    let slack: Int64
    var marks: [MarkName: MarkValue]
    /// The reference state machines beside the gateway's own account, an entry an address.
    let replays: [HealthReplay]
    private let histories: [TargetKey: TargetHistory]

    init(plan: Plan, view: JournalView, slack: Int64) {
        self.plan = plan
        self.view = view
        self.slack = slack
        histories = TargetHistory.all(of: view)
        replays = HealthReplay.all(plan: plan, view: view, tolerance: HealthReplay.tolerance + slack)
        marks = Self.marks(plan: plan, view: view)
    }

    /// Marks of the run and of steps; those of expectations are added as these are judged.
    private static func marks(plan: Plan, view: JournalView) -> [MarkName: MarkValue] {
        var marks: [MarkName: MarkValue] = [:]
        for definition in plan.marks {
            if let instant = view.mark(definition.name.text) {
                marks[definition.name] = .seen(Sighting(instant), room: nil)
            } else if case .expectation = definition.origin {
                continue
            } else {
                marks[definition.name] = .missing(root: definition.name.text, result: .fail)
            }
        }
        for name in [MarkName.start, .end] where marks[name] == nil {
            marks[name] = view.mark(name.text).map { .seen(Sighting($0), room: nil) }
        }
        return marks
    }

    func history(of target: TargetReference) -> TargetHistory {
        histories[TargetKey(target)] ?? TargetHistory(changes: [])
    }

    func replays(of target: TargetReference) -> [HealthReplay] {
        replays.filter { TargetKey($0.place) == TargetKey(target) }
    }
}

extension Sighting {
    init(_ instant: Instant) {
        self.init(
            at: Nanoseconds(instant.t), earliest: Nanoseconds(instant.earliest), latest: Nanoseconds(instant.latest))
    }
}

// MARK: Marks

extension JudgeContext: Environment {
    func instant(of mark: MarkName) -> Sighting? {
        if case .seen(let sighting, _) = marks[mark] { sighting } else { nil }
    }

    /// Sent by then, not answered by then, and the mock had them or nobody had. A mock that is killed has not recorded
    /// what it had not read yet, so requests without any record count too: the number is an upper bound.
    func requestsInFlight(to target: String, at mark: MarkExpression, load: String?) -> Int? {
        guard let sighting = instant(of: mark) else { return nil }
        let requests = view.requests
        return requests.rows(from: .min, through: sighting.latest.count).count { row in
            if let load, requests.loadName(row) != load { return false }
            guard let sent = requests.sent(row), sent <= sighting.latest.count else { return false }
            if let end = requests.end(row), end < sighting.earliest.count { return false }
            let before = view.served.rows(ofRequest: row).filter { view.served.times[$0] <= sighting.latest.count }
            return before.isEmpty || before.contains { view.served.node($0) == target }
        }
    }

    /// The numbers of a bound, which may depend on marks and on requests in flight.
    func limits(_ bound: Bound) throws(Unjudgeable) -> Limits {
        do { return try bound.limits(in: self) } catch { throw Unjudgeable(error) }
    }

    func sighting(of expression: MarkExpression) throws(Unjudgeable) -> Sighting {
        try value(of: expression).sighting
    }

    /// The sighting and, for an edge of a window, the room around it.
    func value(
        of expression: MarkExpression
    ) throws(Unjudgeable) -> (sighting: Sighting, room: ClosedRange<Int64>?) {
        switch marks[expression.mark] {
        case .seen(let sighting, let room):
            let offset = expression.offset.count
            return (
                sighting + expression.offset,
                room.map { $0.lowerBound.clampedAdding(offset)...$0.upperBound.clampedAdding(offset) }
            )
        case .missing(let root, let result): throw Unjudgeable(missing: expression.mark, root: root, result: result)
        case nil: throw Unjudgeable(missing: expression.mark, root: expression.mark.text, result: .fail)
        }
    }
}

// MARK: Intervals

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

    static func && (a: Match, b: Match) -> Match {
        if a == .no || b == .no { return .no }
        return a == .yes && b == .yes ? .yes : .maybe
    }
}

// MARK: Requests

extension JudgeContext {
    /// Whether the outcome of a request is of a sort. Its load is looked at too; warm-up is not.
    func match(_ filter: OutcomeFilter, _ row: Int) -> Match {
        let requests = view.requests
        if !filter.loads.isEmpty, !filter.loads.contains(requests.loadName(row)) { return .no }
        if let method = filter.method, requests.method(row) != method { return .no }
        if let path = filter.path, !requests.path(row).hasPrefix(path) { return .no }
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
    func rows(in interval: Interval?, loads: [String]) -> [Int] {
        guard let interval else { return [] }
        let requests = view.requests
        return requests.rows(from: interval.outer.lowerBound, through: interval.outer.upperBound).filter { row in
            !requests.isWarmup(row) && (loads.isEmpty || loads.contains(requests.loadName(row)))
        }
    }

    /// How many of the rows match: at least, at most; the ends of the interval and unknown origins make the difference.
    func count(_ filter: OutcomeFilter, in interval: Interval?) -> ClosedRange<Int> {
        var certain = 0
        var possible = 0
        for row in rows(in: interval, loads: filter.loads) {
            let isIn = interval?.contains(view.requests.planned[row]) ?? .no
            switch match(filter, row) && isIn {
            case .yes:
                certain += 1
                possible += 1
            case .maybe: possible += 1
            case .no: break
            }
        }
        return certain...possible
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// What all judges look at: the plan, the journal, and the marks resolved so far.
struct JudgeContext: Sendable {
    let plan: Plan
    let view: JournalView
    /// Nanoseconds by which upper bounds of durations are widened; 0 in virtual time.
    private(set) var slack: Int64
    let stalls: Stalls
    let starvation: Starvation
    /// What of the waits for a core is overlooked.
    private(set) var forgiven = Starvation.Forgiveness.nothing
    var marks: [MarkName: MarkValue]
    /// The reference state machines beside the gateway's own account, an entry an address.
    let replays: [HealthReplay]
    private let histories: [TargetKey: TargetHistory]

    init(plan: Plan, view: JournalView, slack: Int64) {
        self.plan = plan
        self.view = view
        self.slack = slack
        stalls = Stalls(plan: plan, view: view)
        starvation = Starvation(plan: plan, view: view)
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

    /// The same with room for what processes waited for a core.
    func forgiving(_ forgiveness: Starvation.Forgiveness) -> JudgeContext {
        var context = self
        context.forgiven = forgiveness
        context.slack = slack.clampedAdding(forgiveness.delay)
        return context
    }

    func history(of target: TargetReference) -> TargetHistory {
        guard target.isShared else { return histories[TargetKey(target)] ?? TargetHistory(changes: []) }
        let addresses = addresses(of: target)
        return TargetHistory.all(of: view) { addresses.contains($0.address) }[TargetKey(target)]
            ?? TargetHistory(changes: [])
    }

    func replays(of target: TargetReference) -> [HealthReplay] {
        let own = replays.filter { TargetKey($0.place) == TargetKey(target) }
        guard target.isShared else { return own }
        let addresses = addresses(of: target)
        return own.filter { addresses.contains($0.place.address) }
    }

    /// Where the mock behind a target is, for a target whose name leads to several.
    private func addresses(of target: TargetReference) -> [String] {
        view.header?.nodes.first { $0.id == target.mock }?.names ?? []
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

extension JudgeContext {
    /// The time from one sighting to another. A stall between them may have made it longer: without it the time may
    /// have been too short.
    func duration(from start: Sighting, to end: Sighting) -> Measure {
        var measure = Measure.duration(from: start, to: end)
        measure.low -= Double(stalls.delay(from: start.earliest.count, through: end.latest.count))
        return measure
    }
}

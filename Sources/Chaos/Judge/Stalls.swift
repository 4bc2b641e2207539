// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The moments at which the runner itself was later than `tolerance.max_lateness`, and what they take from verdicts.
///
/// A stall of the host delays requests, steps, links and probes, and one delayed probe may move a recovery by a whole
/// interval: whatever failed after it began proves nothing against the gateway. It cannot make the gateway do what it
/// did not do, so what passed stays, unless a lower limit of a time was met only by the stall's help. A load that was
/// late as a rule is another matter: then the run was not the one that the file asks for.
struct Stalls: Hashable, Sendable {
    struct Stall: Hashable, Sendable {
        /// It lay somewhere in here.
        var from: Int64
        var through: Int64
        /// How late something was by it, nanoseconds.
        var late: Int64
        var source: JournalEvent.Lateness.Source
    }

    /// By `from`.
    private(set) var list: [Stall] = []
    /// What was late as a rule, and how late; nil when nothing was.
    private(set) var habit: Habit?

    struct Habit: Hashable, Sendable {
        var source: JournalEvent.Lateness.Source
        var late: Int64
        var frequency: String
    }

    private let most: Nanoseconds

    /// The runner notes its worst lateness this often (`ScenarioRun.tick`), some of it later by the stall itself.
    private static let noteInterval: Int64 = 300_000_000

    init(plan: Plan, view: JournalView) {
        most = plan.tolerance.maximumLateness
        guard view.header?.isVirtual != true else { return }
        add(.generator, view.ending?.generator, view)
        add(.canary, view.ending?.canary, view)
        list.sort { ($0.from, $0.late) < ($1.from, $1.late) }
    }

    private mutating func add(
        _ source: JournalEvent.Lateness.Source, _ total: JournalEvent.Quantiles?, _ view: JournalView
    ) {
        if let total {
            let found = Self.habit(source, total)
            if found.late > max(most.count, habit?.late ?? 0) { habit = found }
        }
        var worst: Int64 = 0
        for event in view.lateness where event.source == source && event.late > most.count {
            let from = event.at.t.clampedSubtracting(event.late).clampedSubtracting(Self.noteInterval)
            list.append(Stall(from: from, through: event.at.t, late: event.late, source: source))
            worst = max(worst, event.late)
        }
        // A stall that is in the total alone may have been at any time.
        if let total, total.max > most.count, worst == 0 {
            list.append(Stall(from: .min, through: .max, late: total.max, source: source))
        }
    }

    /// One in a hundred of few requests is a single one, which is no habit.
    private static func habit(_ source: JournalEvent.Lateness.Source, _ total: JournalEvent.Quantiles) -> Habit {
        total.count >= enoughForHundredths
            ? Habit(source: source, late: total.p99, frequency: "one time in a hundred")
            : Habit(source: source, late: total.p50, frequency: "half of the time")
    }

    /// Five of them are late then.
    private static let enoughForHundredths = 500
}

extension Stalls {
    /// By how much something between two instants may have come too late.
    func delay(from first: Int64, through last: Int64) -> Int64 {
        list.filter { $0.from <= last && $0.through >= first }.map(\.late).max() ?? 0
    }

    /// Why a failure that was certain at an instant proves nothing; nil when it stands.
    func excuse(forFailureAt decided: Int64) -> String? {
        guard let first = list.first, first.from <= decided else { return nil }
        let when = first.from == .min ? "" : " around \(readable(first.through))"
        return
            "\(Self.words(first.source)) was \(readable(first.late)) late\(when), tolerance.max_lateness is \(most): "
            + "a failure after that proves nothing against the gateway"
    }

    /// Why the whole run proves nothing; nil when it does.
    var verdictOnRun: String? {
        habit.map { habit in
            "\(Self.words(habit.source)) was more than \(readable(habit.late)) late \(habit.frequency), "
                + "tolerance.max_lateness is \(most): the host was too busy to judge by this run"
        }
    }

    private static func words(_ source: JournalEvent.Lateness.Source) -> String {
        switch source {
        case .generator: "the load generator"
        case .canary: "a timer of the runner"
        }
    }
}

// MARK: When was it certain?

extension JudgeContext {
    /// The instant by which everything that an expectation looks at had happened; the last of the run when nobody can
    /// tell.
    func decision(of expectation: Expectation) -> Int64 {
        let end = view.lastInstant
        func latest(_ during: During) -> Int64 {
            min(end, (try? interval(during))?.outer.upperBound ?? end)
        }
        return switch expectation.kind {
        case .transition(let transition): decision(of: transition) ?? end
        case .stays(let stays): latest(stays.during)
        case .window(let window): latest(window.during)
        case .availability(let availability): latest(availability.during)
        case .latency(let latency): latest(latency.during)
        case .traffic(let traffic): latest(traffic.during)
        case .probes(let probes): latest(probes.during)
        case .count(let count): latest(count.during)
        case .sometimes(_, let during): latest(during)
        case .process(_, _, let during): latest(during)
        default: end
        }
    }

    /// The change, or the end of the time that was allowed for it.
    private func decision(of transition: Transition) -> Int64? {
        guard let after = try? sighting(of: transition.after) else { return nil }
        let change = history(of: transition.target).changes.first {
            $0.to == transition.becomes && $0.at.latest >= after.earliest.count
        }
        if let change { return change.at.latest }
        guard case .duration(let most)? = (try? limits(transition.within))?.upper else { return nil }
        return min(view.lastInstant, (after.latest + most).count.clampedAdding(slack))
    }
}

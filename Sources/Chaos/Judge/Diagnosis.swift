// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Finds the probable causes of what a judge objects to, in the journal and the configuration. Every function returns
/// sentences without a full stop, the most telling first.
struct Diagnosis {
    let context: JudgeContext

    /// More causes than this hide each other.
    static let most = 4

    var view: JournalView { context.view }

    /// Whatever there is to say about the targets between two instants: where the gateway left Kong's state machine,
    /// traffic to unhealthy targets, changes of health.
    func reasons(from first: Int64, through last: Int64) -> [String] {
        let margin: Int64 = 1_000_000_000
        let lower = first.clampedSubtracting(margin)
        let upper = last.clampedAdding(margin)
        var reasons: [String] = []
        for replay in context.replays {
            reasons += departure(of: replay, from: lower, through: upper)
            reasons += trafficWhileUnhealthy(replay.place, from: lower, through: upper)
        }
        for replay in context.replays where reasons.count < Self.most {
            reasons += story(of: replay.place, from: lower, through: upper)
            let interval = Nanoseconds(seconds: replay.rules.unhealthyInterval).count
            if context.history(of: replay.place).state(at: last) == .unhealthy,
                last.clampedSubtracting(first) > interval
            {
                reasons += stuck(replay, from: lower, through: upper)
            }
        }
        return Array(reasons.prefix(Self.most))
    }

    /// Why a target changed when it did.
    func reasons(for change: TargetHistory.Change, of target: TargetReference, since: Int64) -> [String] {
        let upper = change.at.t.clampedAdding(1)
        var reasons: [String] = []
        for replay in context.replays(of: target) {
            reasons += departure(of: replay, from: since, through: upper)
            reasons += trafficWhileUnhealthy(replay.place, from: since, through: change.at.t)
        }
        if let event = change.event, reasons.isEmpty { reasons.append(describe(event)) }
        if change.to == .healthy, reasons.count < 2 {
            for replay in context.replays(of: target) { reasons += stuck(replay, from: since, through: change.at.t) }
        }
        return Array(reasons.prefix(Self.most))
    }

    /// Why a target did not change.
    func reasonsForNoChange(
        of target: TargetReference, to state: HealthState, from first: Int64, through last: Int64
    ) -> [String] {
        var reasons: [String] = []
        for replay in context.replays(of: target) {
            reasons += departure(of: replay, from: first, through: last)
            reasons +=
                state == .healthy
                ? stuck(replay, from: first, through: last) : spared(replay, from: first, through: last)
        }
        if context.replays(of: target).isEmpty {
            reasons.append(
                "The gateway said nothing about \(target.name): no report of it was counted, no probe was sent")
            if let rules = rules(of: target), state == .unhealthy {
                reasons += ignoredAnswers(target.mock, rules, from: first, through: last)
            }
        }
        return Array(reasons.prefix(Self.most))
    }

    private func departure(of replay: HealthReplay, from first: Int64, through last: Int64) -> [String] {
        guard let mismatch = replay.mismatches.first(where: { (first...max(first, last)).contains($0.time) }) else {
            return []
        }
        return [sentence(mismatch, of: replay)]
    }
}

// MARK: Names and breakdowns

extension Diagnosis {
    func mock(of place: JournalEvent.Address) -> String? {
        let parts = place.target.split(separator: ":")
        let binding = context.plan.topology.bindings.first { binding in
            binding.gateway == place.gateway && "\(binding.host):\(binding.port)" == place.target
        }
        if let binding { return binding.mock }
        let host = parts.first.map(String.init)
        return context.plan.topology.mocks.first { $0.id == host }?.id
    }

    /// The mock's id where there is one, else the target as Kong names it.
    func name(of place: JournalEvent.Address) -> String { mock(of: place) ?? place.target }

    func rules(of target: TargetReference) -> HealthRules? {
        let gateway = context.plan.topology.gateways.first { $0.id == target.gateway }
        return gateway?.upstreams.first { $0.name == target.upstream }.map {
            HealthRules(upstream: $0.name, healthChecks: $0.healthChecks)
        }
    }

    /// "1800 × 200 from upstream, 520 × 503 from gateway, 2 × timeout", the most frequent first.
    func breakdown(_ rows: some Sequence<Int>) -> String {
        var sorts: [Int: (row: Int, count: Int)] = [:]
        for row in rows { sorts[view.requests.sort(row), default: (row, 0)].count += 1 }
        let names = sorts.values.map { (view.requests.sortName($0.row), $0.count) }
        return Self.tally(Dictionary(names, uniquingKeysWith: +))
    }

    static func tally(_ words: [String]) -> String { tally(Dictionary(words.map { ($0, 1) }, uniquingKeysWith: +)) }

    private static func tally(_ counts: [String: Int]) -> String {
        let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return sorted.prefix(5).map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
            + (sorted.count > 5 ? ", …" : "")
    }

    /// "writes-12, writes-15 and 3 more"
    func ids(_ rows: some Collection<Int>) -> String {
        let shown = rows.prefix(3).map { view.requests.id($0) }.joined(separator: ", ")
        return rows.count > 3 ? "\(shown) and \(rows.count - 3) more" : shown
    }

    /// What a process logged last before it ended.
    func lastWords(of node: String) -> [String] {
        guard let log = view.logs.last(where: { $0.node == node }) else { return [] }
        return ["Its last log line: \(log.text)"]
    }
}

extension JudgeContext {
    func history(of place: JournalEvent.Address) -> TargetHistory {
        history(
            of: TargetReference(
                name: place.target, gateway: place.gateway, upstream: place.upstream, target: place.target, mock: ""))
    }
}

extension HealthReplay.Mismatch {
    var time: Int64 {
        switch self {
        case .missing(let input, _): input.at.t
        case .unexplained(let event): event.at.t
        case .different(_, _, let event): event.at.t
        case .offTime(_, let event, _): event.at.t
        }
    }
}

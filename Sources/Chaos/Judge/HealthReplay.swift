// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// The reference state machine of one address, fed with what was observed, beside the gateway's account of itself.
struct HealthReplay: Sendable {
    /// A report that must have gone into the machine, from an attempt or a probe.
    struct Input: Hashable, Sendable {
        var at: Instant
        var sequence: Int
        var side: HealthRules.Side
        var report: JournalEvent.Report
        var status: Int?
        var chaosID: String?
    }

    /// Where reference and gateway part.
    enum Mismatch: Hashable, Sendable {
        /// The reference changes, the gateway never said so.
        case missing(Input, ReferenceHealth.Change)
        /// The gateway changed, nothing that was observed explains it.
        case unexplained(JournalEvent.Health)
        /// Both changed, differently.
        case different(Input, ReferenceHealth.Change, JournalEvent.Health)
        /// Both changed alike, but the gateway too late or too early; nanoseconds.
        case offTime(Input, JournalEvent.Health, by: Int64)
    }

    /// A stretch of time in one state, from the reference.
    struct Span: Hashable, Sendable {
        var from: Int64
        var state: JournalEvent.AddressState
    }

    /// How far in time a report and the change it made may be apart, beside the measured lateness of timers.
    static let tolerance: Int64 = 50_000_000

    let place: JournalEvent.Address
    /// Those that the run began with.
    let rules: HealthRules
    /// Those of configurations that steps have loaded, in the order of time.
    private let laterRules: [(from: Int64, rules: HealthRules)]
    private(set) var inputs: [Input] = []
    private(set) var changes: [JournalEvent.Health] = []
    private(set) var mismatches: [Mismatch] = []
    private(set) var spans: [Span] = []
    /// Changes that both agree on.
    private(set) var agreed = 0

    private let tolerance: Int64
    private var machine = ReferenceHealth()

    /// One for every address that a gateway reported on and whose upstream is in the plan, in the order of appearance.
    static func all(plan: Plan, view: JournalView, tolerance: Int64) -> [HealthReplay] {
        var places: [JournalEvent.Address] = []
        for place in view.health.map(\.place) + view.probes.map(\.place) + view.attempts.map(\.place)
        where !places.contains(place) {
            places.append(place)
        }
        return places.compactMap { place in
            let gateway = plan.topology.gateways.first { $0.id == place.gateway }
            guard let upstream = gateway?.everyUpstream.first(where: { $0.name == place.upstream }) else { return nil }
            let rules = HealthRules(upstream: upstream.name, healthChecks: upstream.healthChecks)
            return HealthReplay(place: place, rules: rules, view: view, tolerance: tolerance)
        }
    }

    private init(place: JournalEvent.Address, rules: HealthRules, view: JournalView, tolerance: Int64) {
        self.place = place
        self.rules = rules
        laterRules = Self.laterRules(of: place, view)
        self.tolerance = tolerance
        changes = view.health.filter { $0.place == place }
        inputs = inputs(in: view)
        let starts = view.processes.filter { $0.node == place.gateway && $0.change == .started && $0.at.t > 0 }
        replay(restarts: starts.map(\.at.t))
    }

    /// A document counts from the moment at which the gateway says that it has a new configuration.
    private static func laterRules(
        of place: JournalEvent.Address, _ view: JournalView
    ) -> [(from: Int64, rules: HealthRules)] {
        view.documents.filter { $0.gateway == place.gateway }.compactMap { given in
            let upstream = KongFacts(given.document).upstreams.first { $0.name == place.upstream }
            guard let upstream else { return nil }
            let inForce = view.configurations.first { $0.gateway == place.gateway && $0.at.t >= given.at.t }
            return (
                inForce?.at.t ?? given.at.t,
                HealthRules(upstream: upstream.name, healthChecks: upstream.healthChecks)
            )
        }
    }

    /// The rules in force at an instant. State and counters outlive a change of them, as in Kong.
    func rules(at time: Int64) -> HealthRules { laterRules.last { $0.from <= time }?.rules ?? rules }

    /// The state that the address should have been in.
    func state(at time: Int64) -> JournalEvent.AddressState { spans.last { $0.from <= time }?.state ?? .healthy }

    /// Whether it should have been in that very state at some moment between two instants.
    func isEver(_ state: JournalEvent.AddressState, from first: Int64, through last: Int64) -> Bool {
        self.state(at: first) == state || spans.contains { $0.from >= first && $0.from <= last && $0.state == state }
    }
}

// MARK: Reports

extension HealthReplay {
    private func inputs(in view: JournalView) -> [Input] {
        var inputs: [Input] = []
        for probe in view.probes where probe.place == place {
            let rules = rules(at: probe.at.t)
            guard let report = probe.status.map({ rules.active.report(ofStatus: $0) }) ?? probe.result.report else {
                continue
            }
            inputs.append(
                Input(at: probe.at, sequence: probe.sequence, side: .active, report: report, status: probe.status))
        }
        for attempt in view.attempts where attempt.place == place {
            let report: JournalEvent.Report? =
                switch attempt.result {
                case .httpStatus: attempt.status.flatMap(rules(at: attempt.at.t).passiveReport)
                case .tcpFailure: .tcpFailure
                case .timeout: .timeout
                }
            guard let report else { continue }
            inputs.append(
                Input(
                    at: attempt.at, sequence: attempt.sequence, side: .passive, report: report, status: attempt.status,
                    chaosID: attempt.chaosID))
        }
        return inputs.sorted { ($0.at.t, $0.sequence) < ($1.at.t, $1.sequence) }
    }
}

// MARK: Replay

extension HealthReplay {
    private mutating func replay(restarts: [Int64]) {
        var pending: [(input: Input, change: ReferenceHealth.Change)] = []
        var next = 0
        var restarts = restarts[...]
        func precedes(_ input: Input, _ event: JournalEvent.Health) -> Bool {
            (input.at.t, input.sequence) < (event.at.t, event.sequence)
        }
        for event in changes {
            if let restart = restarts.first, event.at.t >= restart {
                restarts.removeFirst()
                while next < inputs.count, inputs[next].at.t < restart { feed(&next, into: &pending) }
                mismatches += pending.map { .missing($0.input, $0.change) }
                pending.removeAll()
                set(ReferenceHealth(), at: restart)
            }
            // A report and the change it makes are two lines; the change may stand first.
            while next < inputs.count, precedes(inputs[next], event) { feed(&next, into: &pending) }
            if event.cause == .manual {
                machine.force(event.to)
                note(event.at.t)
                continue
            }
            while pending.isEmpty, next < inputs.count, inputs[next].at.t - event.at.t <= tolerance {
                feed(&next, into: &pending)
            }
            guard !pending.isEmpty else {
                mismatches.append(.unexplained(event))
                resynchronise(with: event)
                continue
            }
            let (input, change) = pending.removeFirst()
            compare(input, change, event, isLast: pending.isEmpty)
        }
        while next < inputs.count { feed(&next, into: &pending) }
        mismatches += pending.map { .missing($0.input, $0.change) }
    }

    private mutating func feed(
        _ next: inout Int, into pending: inout [(input: Input, change: ReferenceHealth.Change)]
    ) {
        let input = inputs[next]
        next += 1
        guard let change = machine.take(input.report, limit: rules(at: input.at.t)[input.side][input.report]) else {
            return
        }
        note(input.at.t)
        pending.append((input, change))
    }

    private mutating func compare(
        _ input: Input, _ change: ReferenceHealth.Change, _ event: JournalEvent.Health, isLast: Bool
    ) {
        let isSame = change.from == event.from && change.to == event.to && change.counters == event.counters
        guard isSame else {
            mismatches.append(.different(input, change, event))
            if isLast { resynchronise(with: event) }
            return
        }
        agreed += 1
        let apart = event.at.t.clampedSubtracting(input.at.t)
        if apart.magnitude > tolerance.magnitude { mismatches.append(.offTime(input, event, by: apart)) }
    }

    /// After a mismatch the reference goes on from where the gateway is: the first difference is the telling one.
    private mutating func resynchronise(with event: JournalEvent.Health) {
        machine.state = event.to
        machine.counters = event.counters
        note(event.at.t)
    }

    private mutating func set(_ machine: ReferenceHealth, at time: Int64) {
        self.machine = machine
        note(time)
    }

    private mutating func note(_ time: Int64) {
        guard spans.last?.state ?? .healthy != machine.state else { return }
        spans.append(Span(from: time, state: machine.state))
    }
}

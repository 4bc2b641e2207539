// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

// Sentences about one address: where it left the reference, and why it is where it is.

extension Diagnosis {
    /// Where the gateway's account parts from the reference.
    func sentence(_ mismatch: HealthReplay.Mismatch, of replay: HealthReplay) -> String {
        let name = name(of: replay.place)
        switch mismatch {
        case .different(let input, let change, let event):
            return difference(replay, input: input, change: change, event: event)
        case .missing(let input, let change):
            let became = change.from == change.to ? "" : ", which makes it \(change.to.rawValue)"
            return "The gateway did not count the \(input.side.rawValue) \(input.report.words) of \(name) at "
                + "\(readable(input.at.t))\(about(input))\(became)"
        case .unexplained(let event):
            return "\(name) went from \(event.from.rawValue) to \(event.to.rawValue) at \(readable(event.at.t)) by "
                + "\(event.cause.rawValue) \(event.report?.words ?? "report"), but no such answer or probe was observed"
        case .offTime(let input, let event, let apart):
            return
                "\(name) became \(event.to.rawValue) \(readable(apart)) after the \(input.report.words) that caused it"
        }
    }

    private func difference(
        _ replay: HealthReplay, input: HealthReplay.Input, change: ReferenceHealth.Change, event: JournalEvent.Health
    ) -> String {
        let rules = replay.rules(at: input.at.t)
        let limit = rules[input.side][input.report]
        let setting = "\(rules.setting(input.report, input.side)) of upstream \(replay.place.upstream)"
        let name = name(of: replay.place)
        let wanted: JournalEvent.AddressState = input.report == .success ? .healthy : .unhealthy
        let settled = wanted.rawValue
        if event.to == wanted, change.to != wanted {
            let count = change.counters[input.report]
            return "\(name) became \(settled) at \(input.report.words) \(count)\(own(event, count, input)), "
                + "configuration says \(limit) (\(setting))"
        }
        if change.to == wanted, event.to != wanted {
            if let late = replay.changes.first(where: { $0.at.t >= event.at.t && $0.to == wanted }),
                late.report == input.report
            {
                // The gateway's own counter may be what is wrong.
                let more = replay.inputs.count { later in
                    later.report == input.report && later.at.t > input.at.t
                        && later.at.t <= late.at.t.clampedAdding(1_000_000)
                }
                let count = change.counters[input.report] + more
                return "\(name) became \(settled) at \(input.report.words) \(count)\(own(late, count, input)), "
                    + "configuration says \(limit) (\(setting))"
            }
            return "\(name) was still \(event.to.rawValue) after \(input.report.words) \(change.counters[input.report])"
                + ", configuration says \(settled) at \(limit) (\(setting))"
        }
        return "After the \(input.side.rawValue) \(input.report.words) at \(readable(input.at.t))\(about(input)) "
            + "\(name) must be \(change.to.rawValue) with \(change.counters.words), the gateway has "
            + "\(event.to.rawValue) with \(event.counters.words)"
    }

    private func own(_ event: JournalEvent.Health, _ count: Int, _ input: HealthReplay.Input) -> String {
        let own = event.counters[input.report]
        return own == count ? "" : " (its own counter says \(own))"
    }

    private func about(_ input: HealthReplay.Input) -> String {
        let parts = [input.status.map { "status \($0)" }, input.chaosID].compactMap(\.self)
        return parts.isEmpty ? "" : " (\(parts.joined(separator: " of ")))"
    }

    /// "api became unhealthy at HTTP failure 3 of 3 (status 500, passive) at 10.07s"
    func describe(_ event: JournalEvent.Health) -> String {
        let name = name(of: event.place)
        guard let report = event.report else {
            return "\(name) was set \(event.to.rawValue) by hand at \(readable(event.at.t))"
        }
        let of = event.limit.map { " of \($0)" } ?? ""
        let status = event.status.map { "status \($0), " } ?? ""
        return "\(name) became \(event.to.rawValue) at \(report.words) \(event.counters[report])\(of) "
            + "(\(status)\(event.cause.rawValue)) at \(readable(event.at.t))"
    }

    /// The changes of routing of a target in an interval, at most two.
    func story(of place: JournalEvent.Address, from first: Int64, through last: Int64) -> [String] {
        let changes = context.history(of: place).changes(from: first, through: last)
        return changes.prefix(2).compactMap { $0.event.map(describe) }
    }

    /// Requests that reached a target that was out.
    func trafficWhileUnhealthy(_ place: JournalEvent.Address, from first: Int64, through last: Int64) -> [String] {
        guard let mock = mock(of: place) else { return [] }
        let changes = context.history(of: place).changes
        for (index, change) in changes.enumerated() where change.to == .unhealthy {
            let end = index + 1 < changes.count ? changes[index + 1].at.t : Int64.max
            let lower = max(first, change.at.t.clampedAdding(HealthReplay.tolerance + context.slack))
            let upper = min(last, end)
            guard lower <= upper else { continue }
            let rows = view.served.rows(of: mock).filter { row in
                !view.served.isProbe(row) && (lower...upper).contains(view.served.times[row])
            }
            guard let row = rows.first else { continue }
            let time = view.served.times[row]
            return [
                "\(name(of: place)) got \(rows.count) requests while it was unhealthy (the first"
                    + "\(context.name(ofServed: row)) at \(readable(time)), "
                    + "\(readable(time - change.at.t)) after it became unhealthy at "
                    + "\(readable(change.at.t)))"
            ]
        }
        return []
    }
}

// MARK: Why not healthy again?

extension Diagnosis {
    /// What kept an unhealthy address out, or what delayed its return.
    func stuck(_ replay: HealthReplay, from first: Int64, through last: Int64) -> [String] {
        let rules = replay.rules
        let probes = view.probes.filter { $0.place == replay.place && (first...max(first, last)).contains($0.at.t) }
        if rules.active.successes == 0 {
            return ["No probe can bring \(name(of: replay.place)) back: active.healthy.successes = 0"]
        }
        if rules.unhealthyInterval == 0 {
            return ["No probe is sent to an unhealthy target: active.unhealthy.interval = 0"]
        }
        if probes.isEmpty {
            let interval = Nanoseconds(seconds: rules.unhealthyInterval)
            return ["No probe ended between \(readable(first)) and \(readable(last)), interval \(interval)"]
        }
        return failedProbes(probes, replay) + ignoredProbes(probes, rules)
            + lastCounters(replay, .active, through: last, [.success])
    }

    private func failedProbes(_ probes: [JournalEvent.Probe], _ replay: HealthReplay) -> [String] {
        var successes = 0
        for probe in probes where replay.state(at: probe.at.t - 1) != .healthy {
            let report = probe.status.map { replay.rules.active.report(ofStatus: $0) } ?? probe.result.report
            switch report {
            case .success: successes += 1
            case nil: break
            case .httpFailure, .tcpFailure, .timeout:
                let got = probe.status.map { "got \($0)" } ?? "ended in a \(probe.result.rawValue)"
                let detail = probe.detail.map { " (\($0))" } ?? ""
                let effect = successes > 0 ? ", so the success counter restarted" : ""
                return [
                    "Probe \(successes + 1) of \(replay.rules.active.successes) at \(readable(probe.at.t)) "
                        + "\(got)\(detail) from \(name(of: replay.place))"
                        + "\(settings(of: replay.place, at: probe.at.t))\(effect)"
                ]
            }
        }
        return []
    }

    private func ignoredProbes(_ probes: [JournalEvent.Probe], _ rules: HealthRules) -> [String] {
        let ignored = probes.filter { probe in
            probe.status.map { rules.active.report(ofStatus: $0) == nil } ?? (probe.result == .ignored)
        }
        guard let status = ignored.first?.status else { return [] }
        let count = ignored.count { $0.status == status }
        return [
            "\(count) \(count == 1 ? "probe" : "probes") got \(status), which is in neither "
                + "active.healthy.http_statuses nor active.unhealthy.http_statuses: they count for nothing"
        ]
    }

    /// " (mock api: ERROR_RATE 0.9 since 10s)": what the time line did to the mock and has not undone.
    private func settings(of place: JournalEvent.Address, at time: Int64) -> String {
        guard let mock = mock(of: place) else { return "" }
        let active = view.steps.filter { step in
            step.phase == .started && step.at.t <= time && !step.isCheckpoint && step.text.contains(mock)
                && !view.steps.contains { $0.index == step.index && $0.phase == .ended && $0.at.t <= time }
        }
        return active.last.map { " (\($0.text) since \(readable($0.at.t)))" } ?? ""
    }

    func lastCounters(
        _ replay: HealthReplay, _ side: HealthRules.Side, through last: Int64, _ reports: [JournalEvent.Report]
    ) -> [String] {
        guard let event = replay.changes.last(where: { $0.at.t <= last }) else { return [] }
        let counts = reports.map { "\($0.words) \(event.counters[$0]) of \(replay.rules[side][$0])" }
        return ["Counters of \(name(of: replay.place)) at \(readable(event.at.t)): \(counts.joined(separator: ", "))"]
    }

    /// What the gateway says about its probes to a mock.
    func probing(of mock: String, _ interval: Interval?) -> [String] {
        guard let replay = context.replays.first(where: { self.mock(of: $0.place) == mock }) else {
            return ["The gateway says nothing about \(mock)"]
        }
        let probes = view.probes.filter { $0.place == replay.place && interval?.contains($0.at) ?? .no != .no }
        let said = probes.isEmpty ? "none" : Self.tally(probes.map(\.result.rawValue))
        return [
            "The gateway says it sent: \(said); "
                + "active.healthy.interval = \(plainNumber(replay.rules.healthyInterval)), "
                + "active.unhealthy.interval = \(plainNumber(replay.rules.unhealthyInterval))"
        ]
    }
}

// MARK: Why not unhealthy?

extension Diagnosis {
    /// What kept an address in, though a failure was expected.
    func spared(_ replay: HealthReplay, from first: Int64, through last: Int64) -> [String] {
        let own = ownAnswers(replay, from: first, through: last)
        // What a dead target answered while it lived explains nothing.
        var reasons = own
        if own.isEmpty, let mock = mock(of: replay.place) {
            reasons = ignoredAnswers(mock, replay.rules, from: first, through: last)
        }
        let cleared = replay.inputs.count {
            $0.report == .success && $0.side == .passive && (first...max(first, last)).contains($0.at.t)
        }
        if cleared > 0 {
            let setting = replay.rules.setting(.success, .passive)
            reasons.append("Passive successes cleared the failure counters \(cleared) times (\(setting))")
        }
        return reasons + lastCounters(replay, .passive, through: last, [.httpFailure, .tcpFailure, .timeout])
    }

    /// Answers that the gateway made itself because a target gave none, and what became of them in the passive checks.
    private func ownAnswers(_ replay: HealthReplay, from first: Int64, through last: Int64) -> [String] {
        let rules = replay.rules
        let rows = view.requests.rows(from: first, through: max(first, last))
        return [502, 504].compactMap { status in
            let count = rows.count { view.requests.status($0) == status && view.requests.origin($0) == .gateway }
            guard count > 0 else { return nil }
            let what =
                "\(count) \(count == 1 ? "request" : "requests") got \(status) from the gateway itself, "
                + "without an answer of \(name(of: replay.place))"
            guard let report = rules.passiveReport(ofStatus: status) else {
                return "\(what), and \(status) is in neither passive.healthy.http_statuses nor "
                    + "passive.unhealthy.http_statuses"
            }
            guard rules.passive[report] > 0 else { return "\(what), and \(HealthRules.key(report, .passive)) = 0" }
            let reported = replay.inputs.count { input in
                input.side == .passive && input.report != .success && (first...max(first, last)).contains(input.at.t)
            }
            return
                "\(what): each is \(report == .httpFailure ? "an" : "a") \(report.words) (\(rules.setting(report, .passive))), of which the gateway "
                + "reported \(reported == 0 ? "none" : "\(reported)")"
        }
    }

    /// What a mock answered, and what the passive checks make of it.
    func ignoredAnswers(_ mock: String, _ rules: HealthRules, from first: Int64, through last: Int64) -> [String] {
        let rows = view.served.rows(of: mock).filter { row in
            !view.served.isProbe(row) && (first...max(first, last)).contains(view.served.times[row])
        }
        let statuses = rows.map { view.served.status($0) }
        guard !statuses.isEmpty else { return ["\(mock) got no request"] }
        let bad = Set(statuses.filter { $0 >= 400 }).sorted()
        if bad.isEmpty { return ["\(mock) answered well: \(Self.tally(statuses.map(String.init)))"] }
        return bad.compactMap { status in
            let count = statuses.count { $0 == status }
            guard let report = rules.passiveReport(ofStatus: status) else {
                return "\(count) answers \(status) were ignored: \(status) is in neither "
                    + "passive.healthy.http_statuses nor passive.unhealthy.http_statuses"
            }
            if report == .success {
                return "\(count) answers \(status) counted as successes (passive.healthy.http_statuses)"
            }
            guard rules.passive[report] > 0 else {
                return "\(count) answers \(status) were not counted: \(HealthRules.key(report, .passive)) = 0"
            }
            return "\(count) answers \(status) count (\(rules.setting(report, .passive)))"
        }
    }
}

extension JournalEvent.Counters {
    /// `success 0, HTTP 3, TCP 0, timeout 0`
    var words: String { "success \(success), HTTP \(http), TCP \(tcp), timeout \(timeout)" }
}

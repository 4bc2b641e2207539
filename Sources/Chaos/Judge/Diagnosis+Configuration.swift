// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

// Sentences about what the configuration says must happen, and what it leaves out.

extension Diagnosis {
    /// Which keys of the configuration decide when a target gets to a state: what an expectation about it rests on.
    func rule(of target: TargetReference, becomes state: HealthState, at time: Int64) -> String? {
        let rules = context.replays(of: target).first?.rules(at: time) ?? self.rules(of: target)
        guard let rules else { return nil }
        let name = "By the configuration of \(target.upstream) \(target.name)"
        if state == .healthy {
            guard rules.active.successes > 0, rules.unhealthyInterval > 0 else {
                return
                    "\(name) never returns by itself: \(HealthRules.key(.success, .active)) = \(rules.active.successes), "
                    + "active.unhealthy.interval = \(plainNumber(rules.unhealthyInterval))"
            }
            return "\(name) returns with good probe \(rules.active.successes) in a row "
                + "(\(HealthRules.key(.success, .active)) = \(rules.active.successes), active.unhealthy.interval = "
                + "\(plainNumber(rules.unhealthyInterval)))"
        }
        let sides: [HealthRules.Side] = rules.healthyInterval > 0 ? [.passive, .active] : [.passive]
        let limits = sides.flatMap { side in
            [JournalEvent.Report.httpFailure, .tcpFailure, .timeout].compactMap { report -> String? in
                let limit = rules[side][report]
                return limit > 0 ? "\(HealthRules.key(report, side)) = \(limit)" : nil
            }
        }
        return limits.isEmpty
            ? "\(name) is never taken out: every limit of passive.unhealthy is 0 and no healthy target is probed"
            : "\(name) leaves by \(limits.joined(separator: ", "))"
    }

    /// Failures that the gateway answered itself (a refused connect, a reset) and that no list counts.
    ///
    /// As in Kong the last try of a request counts by the status that the client gets, 502 for a dead target, and the
    /// list of passive checks does not have it unless somebody puts it there.
    func ignoredFailures(of replay: HealthReplay, from first: Int64, through last: Int64) -> [String] {
        var counts: [Int: Int] = [:]
        for row in view.requests.rows(from: first, through: max(first, last)) {
            guard let status = view.requests.status(row), status >= 500, status != 503,
                view.requests.origin(row) == .gateway
            else { continue }
            counts[status, default: 0] += 1
        }
        let rules = replay.rules(at: first)
        return counts.sorted { $0.key < $1.key }.compactMap { status, count in
            guard rules.passiveReport(ofStatus: status) == nil else {
                let report = rules.passiveReport(ofStatus: status) ?? .httpFailure
                guard rules.passive[report] == 0 else { return nil }
                return "The gateway answered \(status) itself \(Self.times(count)), which counts for nothing: "
                    + "\(HealthRules.key(report, .passive)) = 0"
            }
            let list = rules.passive.unhealthyStatuses.map(String.init).joined(separator: ", ")
            return
                "The gateway answered \(status) itself \(Self.times(count)), which counts for nothing: \(status) is not "
                + "in passive.unhealthy.http_statuses (\(list))"
        }
    }

    static func times(_ count: Int) -> String { count == 1 ? "once" : "\(count) times" }

    /// What the time line did to a node around an instant: "kill api-2 at 15s (crash)".
    func steps(on node: String, from first: Int64, through last: Int64) -> [String] {
        let margin: Int64 = 1_000_000_000
        let near = view.steps.filter { step in
            step.text.split(separator: " ").contains {
                $0.hasPrefix(node) && $0.dropFirst(node.count).allSatisfy { $0 == ":" }
            }
                && step.at.t >= first.clampedSubtracting(margin) && step.at.t <= last.clampedAdding(margin)
                && step.phase != .failed
        }
        return near.prefix(2).map { step in
            let name = step.name.map { " (\($0))" } ?? ""
            return
                "The time line did \(step.phase == .ended ? "undo " : "")\"\(step.text)\"\(name) at \(readable(step.at.t))"
        }
    }
}

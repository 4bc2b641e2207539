// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension JudgeContext {
    /// The first change of a target to a state after a mark, and whether it came in time (or within so many requests).
    func judge(_ transition: Transition, id: String) throws(Unjudgeable) -> Finding {
        let after = try sighting(of: transition.after)
        let limits = try limits(transition.within)
        let history = history(of: transition.target)
        let subject = transition.target.name
        let wanted = transition.becomes.rawValue
        let change = history.changes.first { $0.to == transition.becomes && $0.at.latest >= after.earliest.count }
        guard let change else { return absent(transition, after: after, limits: limits, id: id) }

        let at = Sighting(change.at)
        let measure: Measure
        let suffix = " after \(transition.after)"
        if transition.within.dimension == .requests {
            measure = .requests(arrivals(from: after, through: at, gateway: transition.target.gateway))
        } else {
            measure = duration(from: after, to: at)
        }
        var parts = [Part("became \(wanted)", measure, limits, slack: slack, suffix: suffix)]
        if parts[0].result == .inconclusive, measure.dimension == .requests,
            (after.latest - after.earliest).count <= resolution
        {
            // Whether the request at the very edge is one of them is nothing to hold against the gateway.
            parts[0].result = .pass
        }
        let cause = change.event?.cause.rawValue ?? "a restart of the gateway"
        if let wantedCause = transition.cause?.rawValue, cause != wantedCause {
            parts.append(Part(result: .fail, seen: "became \(wanted) by \(cause)", allowed: wantedCause))
        }
        var finding = Finding(subject, parts: parts)
        if let mark = transition.mark { finding.marks = [.init(name: mark, value: .seen(at, room: nil))] }
        if finding.result != .pass {
            let diagnosis = Diagnosis(context: self)
            finding.reasons = diagnosis.reasons(for: change, of: transition.target, since: after.earliest.count)
            let rule = diagnosis.rule(of: transition.target, becomes: transition.becomes, at: after.at.count)
            finding.reasons += rule.map { [$0] } ?? []
        }
        return finding
    }

    /// Planned arrivals from a mark up to and including a change: at least, at most.
    private func arrivals(from after: Sighting, through change: Sighting, gateway: String) -> ClosedRange<Int> {
        let loads = plan.loads.filter { $0.to == gateway }.map(\.id)
        let requests = view.requests
        func count(_ first: Nanoseconds, _ last: Nanoseconds) -> Int {
            guard first <= last else { return 0 }
            return requests.rows(from: first.count, through: last.count).count { row in
                loads.isEmpty || loads.contains(requests.loadName(row))
            }
        }
        let least = count(after.latest, change.earliest)
        return least...max(least, count(after.earliest, change.latest))
    }

    /// No such change was seen: a failure if there was time enough for it.
    private func absent(_ transition: Transition, after: Sighting, limits: Limits, id: String) -> Finding {
        let wanted = transition.becomes.rawValue
        let history = history(of: transition.target)
        let hadTime: Bool
        if case .duration(let most) = limits.upper {
            hadTime = after.latest + most + Nanoseconds(slack) <= Nanoseconds(view.lastInstant)
        } else if case .requests(let most) = limits.upper {
            hadTime = view.requests.rows(from: after.latest.count, through: .max).count >= most
        } else {
            hadTime = true
        }
        let result: Verdict.Result = hadTime ? .fail : .inconclusive
        let allowed = "\(limits) after \(transition.after)"
        let seen = "never became \(wanted) after \(transition.after)"
        var reasons: [String] = []
        if history.state(at: after.at.count) == transition.becomes {
            let since = history.changes.last { $0.at.t <= after.at.count }
            reasons.append(
                "It was \(wanted) already " + (since.map { "since \(readable($0.at.t))" } ?? "from the start"))
        }
        if !hadTime { reasons.append("The run ended at \(readable(view.lastInstant)), too early to tell") }
        let diagnosis = Diagnosis(context: self)
        reasons += diagnosis.reasonsForNoChange(
            of: transition.target, to: transition.becomes, from: after.at.count, through: view.lastInstant)
        let rule = diagnosis.rule(of: transition.target, becomes: transition.becomes, at: after.at.count)
        reasons += rule.map { [$0] } ?? []
        var finding = Finding(
            result: result, seen: seen, allowed: allowed,
            sentence: "\(transition.target.name) \(seen), allowed \(limits)", reasons: reasons)
        if let mark = transition.mark {
            finding.marks = [.init(name: mark, value: .missing(root: id, result: result))]
        }
        return finding
    }

    /// No departure from a state, or no more of them than allowed.
    func judge(_ stays: Stays) throws(Unjudgeable) -> Finding {
        let from = try sighting(of: stays.during.from)
        let to = try sighting(of: stays.during.to)
        let history = history(of: stays.target)
        let subject = stays.target.name
        let state = stays.stays.rawValue
        let departures = history.changes.filter { $0.to != stays.stays && Self.isInside($0, from, to) != .no }
        let certain = departures.count { Self.isInside($0, from, to) == .yes }
        if let flaps = stays.flaps {
            let range = Measure.count(certain...departures.count)
            return Finding(subject, parts: [Part("departures from \(state):", range, try limits(flaps), slack: slack)])
        }
        let beganWell = history.state(at: from.at.count) == stays.stays
        let result: Verdict.Result = !beganWell || certain > 0 ? .fail : departures.isEmpty ? .pass : .inconclusive
        guard result != .pass else {
            let seen = "stayed \(state)"
            return Finding(
                result: .pass, seen: seen, allowed: state, sentence: "\(subject) \(seen) during \(stays.during)")
        }
        var seen = "was not \(state) at \(stays.during.from)"
        var reasons: [String] = []
        if beganWell, let first = departures.first {
            let since = offset(first.at.t - from.at.count, from: stays.during.from.description)
            seen = "became \(first.to.rawValue) at \(readable(first.at.t)) = \(since)"
            if departures.count > 1 { seen += ", \(departures.count) departures in all" }
            reasons = Diagnosis(context: self).reasons(for: first, of: stays.target, since: from.earliest.count)
        }
        return Finding(
            result: result, seen: seen, allowed: state,
            sentence: "\(subject) \(seen), allowed \(state) during \(stays.during)", reasons: reasons)
    }

    /// Strictly between two instants; a change that made one of them is its edge, not inside.
    private static func isInside(_ change: TargetHistory.Change, _ from: Sighting, _ to: Sighting) -> Match {
        let at = Sighting(change.at)
        if at == from || at == to || at.latest <= from.earliest || at.earliest >= to.latest { return .no }
        return at.earliest > from.latest && at.latest < to.earliest ? .yes : .maybe
    }
}

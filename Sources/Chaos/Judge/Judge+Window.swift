// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension JudgeContext {
    /// The runs of matching requests, and whether their edges, length, number and purity are as wanted.
    ///
    /// An edge is the arrival of the first or last matching request. Between that request and its neighbour of another
    /// outcome nobody asked, so a bound on an edge is missed only when that whole gap misses it.
    func judge(_ window: Window, id: String) throws(Unjudgeable) -> Finding {
        let runs = try runs(of: window)
        let subject = "window \(window.filter)"
        var parts: [Part] = []
        if let bound = window.count {
            let count = Measure.count(runs.count...runs.count)
            parts.append(
                Part("came", count, try limits(bound), slack: slack, suffix: runs.count == 1 ? " time" : " times"))
        }
        guard let run = runs.first else { return try noWindow(window, parts: parts, subject: subject, id: id) }
        if let starts = window.starts {
            parts.append(try edge("began", run.first, run.startRoom, starts))
        }
        if let ends = window.ends {
            parts.append(try edge("ended", run.last, run.endRoom, ends))
        }
        if let lasts = window.lasts { parts.append(try length(of: run, lasts)) }
        for run in runs where run.purity < window.purity.fraction - 1e-9 {
            let share = Measure.exactly(run.purity, .ratio).text
            parts.append(
                Part(
                    result: .fail,
                    seen: "is \(share) pure (\(run.total - run.matching) of \(run.total) requests differ)",
                    allowed: ">= \(window.purity)"))
            break
        }
        if parts.isEmpty {
            parts.append(Part(result: .pass, seen: "lasted \(readable(run.last - run.first))", allowed: ""))
        }
        var finding = Finding(subject, parts: parts)
        finding.sentence +=
            " (began \(place(run.first, window.starts?.mark)); ended \(place(run.last, window.ends?.mark)))"
        finding.marks = marks(window, run)
        if finding.result != .pass {
            finding.reasons = Diagnosis(context: self).reasons(from: run.first, through: run.endRoom.lowerBound)
        }
        return finding
    }

    private func runs(of window: Window) throws(Unjudgeable) -> [WindowRuns.Run] {
        let requests = view.requests
        let isArrival = window.clock == .arrival
        // Made when they are looked at: there may be millions.
        let samples = rows(in: try interval(window.during), loads: window.filter.loads).lazy.map { row in
            let end = requests.end(row) ?? view.lastInstant
            return WindowRuns.Sample(
                at: isArrival ? requests.planned[row] : end, reached: isArrival ? reached(row) : end,
                isMatch: match(window.filter, row) != .no)
        }
        if isArrival { return WindowRuns(samples, gap: window.gap.count).runs }
        return WindowRuns(samples.sorted { $0.at < $1.at }, gap: window.gap.count).runs
    }

    private func noWindow(
        _ window: Window, parts: [Part], subject: String, id: String
    ) throws(Unjudgeable) -> Finding {
        let mustExist = window.starts != nil || window.ends != nil || window.lasts != nil || window.count == nil
        var finding: Finding
        if mustExist {
            let allowed = window.count.map(\.text) ?? "at least one"
            finding = Finding(
                result: .fail, seen: "never came", allowed: allowed,
                sentence: "\(subject) never came, allowed \(allowed)")
        } else {
            finding = Finding(subject, parts: parts)
        }
        if finding.result != .pass, let interval = try interval(window.during) {
            finding.reasons = Diagnosis(context: self).reasons(
                from: interval.outer.lowerBound, through: interval.outer.upperBound)
        }
        if let mark = window.mark {
            finding.marks = [".start", ".end"].map { edge in
                .init(name: MarkName(mark.text + edge), value: .missing(root: id, result: .fail))
            }
        }
        return finding
    }

    private func edge(
        _ verb: String, _ at: Int64, _ room: ClosedRange<Int64>, _ bound: RelativeBound
    ) throws(Unjudgeable) -> Part {
        let mark = try sighting(of: bound.mark)
        let limits = try limits(bound.bound)
        let measure = duration(from: mark, to: Sighting(at: Nanoseconds(at)))
        var part = Part(verb, measure, limits, slack: slack, suffix: " after \(bound.mark)")
        if part.result != .pass {
            let low = Measure.duration(from: mark, to: Sighting(at: Nanoseconds(room.lowerBound)))
            let high = Measure.duration(from: mark, to: Sighting(at: Nanoseconds(room.upperBound)))
            if Self.touches(low, high, limits, slack: slack) {
                part.result = .pass
                part.seen = "\(verb) \(Measure(low.low, high.high, .duration).text) after \(bound.mark)"
            }
        }
        return part
    }

    /// Whether some instant of the room meets the limits whatever the uncertainty of the mark is.
    private static func touches(_ low: Measure, _ high: Measure, _ limits: Limits, slack: Int64) -> Bool {
        let lower = limits.lower?.magnitude ?? -.infinity
        let upper = (limits.upper?.magnitude ?? .infinity) + Double(slack)
        let uncertainty = low.high - low.low
        return high.low >= lower && low.high <= upper && upper - lower >= uncertainty
    }

    private func length(of run: WindowRuns.Run, _ bound: Bound) throws(Unjudgeable) -> Part {
        let limits = try limits(bound)
        let shortest = Measure.exactly(Double(run.last - run.first), .duration)
        var part = Part("lasted", shortest, limits, slack: slack)
        let longest = run.endRoom.upperBound.clampedSubtracting(run.startRoom.lowerBound)
        let lower = limits.lower?.magnitude ?? -.infinity
        let upper = (limits.upper?.magnitude ?? .infinity) + Double(slack)
        if part.result == .fail, shortest.low <= upper, Double(longest) >= lower { part.result = .pass }
        return part
    }

    /// `10.07s = tripped + 2ms`
    private func place(_ time: Int64, _ mark: MarkExpression?) -> String {
        guard let mark, let sighting = instant(of: mark) else { return readable(time) }
        return "\(readable(time)) = \(offset(time - sighting.at.count, from: mark.description))"
    }

    private func marks(_ window: Window, _ run: WindowRuns.Run) -> [Finding.FoundMark] {
        guard let mark = window.mark else { return [] }
        return [
            .init(
                name: MarkName(mark.text + ".start"),
                value: .seen(Sighting(at: Nanoseconds(run.first)), room: run.startRoom)),
            .init(
                name: MarkName(mark.text + ".end"), value: .seen(Sighting(at: Nanoseconds(run.last)), room: run.endRoom)
            ),
        ]
    }
}

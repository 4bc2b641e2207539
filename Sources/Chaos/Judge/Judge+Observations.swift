// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

// Judges of what the runner sampled beside the traffic.
extension JudgeContext {
    // MARK: Memory and descriptors

    /// Every sample keeps the bound. What happened between two samples nobody saw.
    func judge(_ usage: Usage) throws(Unjudgeable) -> Finding {
        let interval = try interval(usage.during)
        let samples = view.usage.filter { sample in
            sample.node == usage.node && interval.map { $0.contains(sample.at) != .no } ?? false
        }
        guard !samples.isEmpty else {
            let allowed = [usage.memory, usage.descriptors].compactMap { $0?.text }.joined(separator: ", ")
            return notObserved(
                usage.node, "no sample of \(usage.node) during \(usage.during)", allowed: allowed)
        }
        var parts: [Part] = []
        var reasons: [String] = []
        func add(
            _ words: String, _ bound: Bound?, _ dimension: Dimension, _ value: (JournalEvent.Usage) -> Int
        )
            throws(Unjudgeable)
        {
            guard let bound else { return }
            let values = samples.map(value)
            guard let least = values.min(), let most = values.max() else { return }
            let limits = try limits(bound)
            // The worst one speaks: the least against a lower limit, the most against an upper one.
            let isLow = Measure.exactly(Double(least), dimension).result(against: limits, slack: 0) != .pass
            let worst = isLow && limits.upper.map({ Double(most) <= $0.magnitude }) ?? true ? least : most
            let part = Part(words, .exactly(Double(worst), dimension), limits, slack: 0)
            parts.append(part)
            guard part.result != .pass, let at = samples.first(where: { value($0) == worst })?.at.t else { return }
            let first = Measure.exactly(Double(value(samples[0])), dimension).text
            reasons.append(
                "The sample is of \(readable(at)); it began with \(first) at \(readable(samples[0].at.t)), "
                    + "\(samples.count) samples in all")
        }
        try add("used", usage.memory, .bytes) { $0.memory }
        try add("descriptors:", usage.descriptors, .number) { $0.descriptors }
        var finding = Finding(usage.node, parts: parts)
        if finding.result != .pass { finding.reasons = reasons }
        return finding
    }

    // MARK: Logs

    /// So many lines of a log match. A line is as old as the last look at the log says.
    func judge(_ log: LogMatch) throws(Unjudgeable) -> Finding {
        let interval = try interval(log.during)
        let limits = try limits(log.count)
        let subject = "lines with \(log.pattern) in the log of \(log.node)"
        guard let matches = log.pattern.matcher else {
            throw Unjudgeable(.init(at: log.count.location, "\(log.pattern) is no regular expression"))
        }
        let lines = view.logs.filter { $0.node == log.node }
        var tally = Tally()
        var found: [JournalEvent.Log] = []
        for line in lines where matches(line.text[...]) {
            // The end of the run is not the end of what processes say about it.
            let isIn = log.during == .wholeRun ? Match.yes : interval.map { $0.contains(line.at) } ?? .no
            tally.add(isIn)
            if isIn != .no { found.append(line) }
        }
        var finding = Finding(subject, parts: [Part("came", tally, limits, suffix: " times")])
        guard finding.result != .pass else { return finding }
        if let first = found.first {
            finding.reasons.append("The first of them, at \(readable(first.at.t)): \(first.text)")
        } else if let last = lines.last {
            finding.reasons.append("The log has \(lines.count) lines, the last one: \(last.text)")
        } else {
            finding.reasons.append("The log of \(log.node) is empty")
        }
        return finding
    }

    // MARK: Metrics

    /// A sample at a mark, or all samples of a time, keep the bound.
    func judge(_ metric: Metric) throws(Unjudgeable) -> Finding {
        let limits = try limits(metric.bound)
        let subject = "\(metric.series) of \(metric.node)"
        let samples = view.metrics.filter { $0.node == metric.node && $0.series == metric.series }
        guard !samples.isEmpty else {
            let notes = view.notes.filter { $0.text.contains("metrics of \(metric.node)") }.prefix(1).map(\.text)
            return notObserved(
                subject, notes.first ?? "no sample; is there such a series?", allowed: "\(limits)")
        }
        switch metric.moment {
        case .at(let mark):
            let sighting = try sighting(of: mark)
            let after = samples.first { $0.at.earliest >= sighting.earliest.count } ?? samples[samples.count - 1]
            let part = Part("was", .exactly(after.value, .number), limits, slack: 0, suffix: " at \(mark)")
            var finding = Finding(subject, parts: [part])
            if finding.result != .pass { finding.reasons = [history(of: samples)] }
            return finding
        case .during(let during):
            let interval = try interval(during)
            let inside = samples.filter { sample in interval.map { $0.contains(sample.at) != .no } ?? false }
            guard let least = inside.map(\.value).min(), let most = inside.map(\.value).max() else {
                return notObserved(subject, "no sample during \(during)", allowed: "\(limits)")
            }
            let parts = (least == most ? [most] : [least, most]).map {
                Part("was", .exactly($0, .number), limits, slack: 0, suffix: " during \(during)")
            }
            var finding = Finding(subject, parts: parts)
            if finding.result != .pass { finding.reasons = [history(of: inside)] }
            return finding
        }
    }

    /// "It was 1 from 0.2s, 0 from 10.2s, 1 from 22.4s"
    private func history(of samples: [JournalEvent.Metric]) -> String {
        var changes: [String] = []
        var last: Double?
        for sample in samples where sample.value != last {
            last = sample.value
            changes.append("\(plainNumber(sample.value)) from \(readable(sample.at.t))")
        }
        let shown = changes.count > 6 ? changes.prefix(3) + ["…"] + changes.suffix(2) : changes[...]
        return "It was " + shown.joined(separator: ", ")
    }
}

extension JudgeContext {
    /// Nobody looked, or nobody could: that is nobody's failure.
    private func notObserved(_ subject: String, _ seen: String, allowed: String) -> Finding {
        Finding(
            result: .inconclusive, seen: seen, allowed: allowed, sentence: "\(subject): \(seen), allowed \(allowed)")
    }
}

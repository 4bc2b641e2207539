// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What a bench has come to, whole or as far as it got.
package struct BenchResult: Sendable {
    package struct Subject: Sendable {
        package var subject: BenchSubject
        /// Of all rounds.
        package var total: BenchTally
        package var rounds: [BenchFigures]
        /// Over the time of each round.
        package var series: [[BenchSeries.Point]]
        package var interval: Nanoseconds

        package var name: String { subject.target.name }
    }

    /// Why a bench ended before its time.
    package struct Trouble: Error, Hashable, Sendable {
        package enum Kind: Hashable, Sendable { case usage, unreachable, topology }
        package var kind: Kind
        /// One line: what, where, what to do.
        package var message: String

        package init(_ kind: Kind, _ message: String) {
            self.kind = kind
            self.message = message
        }
    }

    package var plan: BenchPlan
    /// In their order; those with a round only.
    package private(set) var subjects: [Subject] = []
    package var isInterrupted = false
    package var trouble: Trouble?
    /// Nil without a baseline.
    package var baseline: BenchBaseline.Comparison?

    package init(_ plan: BenchPlan) { self.plan = plan }

    /// Quantiles that expectations ask for.
    var percentages: [Double] {
        plan.expectations.compactMap { expectation in
            switch expectation.metric.kind {
            case .quantile(let percent), .overhead(let percent): percent
            default: nil
            }
        }
    }

    mutating func add(_ tally: BenchTally, of subject: BenchSubject) -> BenchFigures {
        let figures = BenchFigures(tally, percentages: percentages)
        let points = tally.recorder.series.points
        if let index = subjects.firstIndex(where: { $0.subject == subject }) {
            subjects[index].total.add(tally)
            subjects[index].rounds.append(figures)
            subjects[index].series.append(points)
        } else {
            subjects.append(
                Subject(
                    subject: subject, total: tally, rounds: [figures], series: [points],
                    interval: tally.recorder.series.interval))
        }
        return figures
    }

    package func figures(of subject: Subject) -> BenchFigures {
        BenchFigures(subject.total, percentages: percentages)
    }

    // MARK: Overhead

    /// How a quantile of the last subject compares with that of the first, round by round.
    package struct Overhead: Hashable, Sendable {
        package var factor: Spread
        /// Nanoseconds.
        package var difference: Spread
        package var rounds: Int
    }

    package func overhead(_ kind: BenchMetric.Kind) -> Overhead? {
        guard subjects.count > 1, let first = subjects.first, let last = subjects.last else { return nil }
        let pairs = zip(first.rounds, last.rounds).compactMap { a, b -> (Double, Double)? in
            guard let x = a.value(of: kind), let y = b.value(of: kind), x > 0 else { return nil }
            return (x, y)
        }
        guard let factor = Spread(pairs.map { $0.1 / $0.0 }), let difference = Spread(pairs.map { $0.1 - $0.0 }) else {
            return nil
        }
        return Overhead(factor: factor, difference: difference, rounds: pairs.count)
    }

    // MARK: Verdicts

    package struct Verdict: Hashable, Sendable {
        package var text: String
        /// As a person reads it; `-` when nothing was measured.
        package var seen: String
        package var holds: Bool
    }

    package var verdicts: [Verdict] { plan.expectations.map(verdict) }

    private func verdict(_ expectation: BenchExpectation) -> Verdict {
        let (value, seen) = seen(by: expectation)
        return Verdict(
            text: expectation.text, seen: seen,
            holds: value.map { expectation.comparison.holds($0, expectation.limit.value) } ?? false)
    }

    private func seen(by expectation: BenchExpectation) -> (value: Double?, text: String) {
        let metric = expectation.metric
        if case .overhead(let percent) = metric.kind {
            guard let overhead = overhead(.quantile(percent)) else { return (nil, "-") }
            if case .time = expectation.limit {
                return (overhead.difference.median, BenchText.time(overhead.difference.median))
            }
            return (overhead.factor.median, BenchText.digits(overhead.factor.median))
        }
        let subject = metric.subject.map { name in subjects.first { $0.name == name } } ?? subjects.last
        guard let subject, let value = figures(of: subject).value(of: metric.kind) else { return (nil, "-") }
        switch (metric.kind, expectation.limit) {
        case (.errors, .ratio):
            let requests = subject.total.recorder.requests
            let part = requests > 0 ? value / Double(requests) : 0
            return (part, BenchText.percent(part))
        case (.ok, _): return (value, BenchText.percent(value))
        case (.rps, _): return (value, BenchText.rate(value))
        case (.rss, _): return (value, BenchText.size(value))
        case (.requests, _), (.errors, _): return (value, BenchText.count(Int(value)))
        default: return (value, BenchText.time(value))
        }
    }

    /// One line when a generator was later than it may be: then the figures say more of this machine than of the
    /// server.
    package var lateness: String? {
        for subject in subjects {
            guard let late = figures(of: subject).lateness, late.quantile(99) > plan.mostLateness else { continue }
            let rate = if case .open(let rate, _) = plan.shape { " with \(rate)" } else { "" }
            return
                "the generator could not keep up\(rate): 1 % of the requests to \(subject.name) started "
                + "\(BenchText.time(late.quantile(99))) late or more (--max-lateness \(plan.mostLateness)); lower "
                + "the rate, or add --threads"
        }
        return nil
    }

    /// One line when requests failed and nobody said how many may.
    package var unexpectedErrors: String? {
        let isCovered = plan.expectations.contains { $0.metric.kind == .ok || $0.metric.kind == .errors }
        guard !isCovered else { return nil }
        for subject in subjects where subject.total.recorder.errors > 0 {
            let recorder = subject.total.recorder
            let kinds = recorder.failureCounts.map { "\($0.kind.words) x \(BenchText.count($0.count))" }
            return
                "\(BenchText.count(recorder.errors)) of \(BenchText.count(recorder.requests)) requests to "
                + "\(subject.name) failed (\(kinds.joined(separator: ", "))); say how many may with "
                + "--expect 'ok >= 99%'"
        }
        return nil
    }

    /// The codes of `run`: interrupted before all, then what kept the bench from measuring, then what it measured.
    package var exitCode: Int32 {
        if isInterrupted { return 130 }
        switch trouble?.kind {
        case .usage: return 2
        case .unreachable: return 3
        case .topology: return 5
        case nil: break
        }
        if lateness != nil { return 4 }
        let fails =
            verdicts.contains { !$0.holds } || unexpectedErrors != nil || baseline?.regressions.isEmpty == false
        return fails ? 1 : 0
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// What a judge found about one expectation, invariant or checkpoint.
package struct Verdict: Hashable, Sendable {
    /// `inconclusive` = the uncertainty of what was observed covers the edge of what is allowed, or it was not observed
    /// for long enough. Never a coin toss.
    package enum Result: String, Hashable, Sendable, CaseIterable {
        case pass, fail, inconclusive

        /// The result of several parts together.
        package static func worst(_ results: some Sequence<Result>) -> Result {
            var worst = Result.pass
            for result in results {
                if result == .fail { return .fail }
                if result == .inconclusive { worst = .inconclusive }
            }
            return worst
        }
    }

    package enum Group: String, Hashable, Sendable { case expectation, invariant, checkpoint, run }

    package var id: String
    package var group: Group
    /// `transition`, `window`, `never`: the key in the scenario file.
    package var kind: String
    package var severity: Expectation.Severity
    package var result: Result
    /// A few words each: what was observed, what the scenario allows.
    package var seen: String
    package var allowed: String
    /// What was seen against what is allowed, as a sentence without a full stop.
    package var sentence: String
    /// The probable causes, most telling first, a sentence each without a full stop.
    package var reasons: [String]
    /// Why the author wants it (`why:`).
    package var why: String?
    package var location: SourceLocation?
    /// Where in the run to look.
    package var focus: Focus?
    /// What it counts for in a score, relative to the others.
    package var weight = 1.0
    /// Of a `baseline`: the figures beside those of earlier runs.
    package var comparisons: [BaselineComparison] = []
    /// True when the repetitions of the run were judged together.
    package var isJoint = false

    package init(
        id: String, group: Group, kind: String, severity: Expectation.Severity = .must, result: Result, seen: String,
        allowed: String, sentence: String, reasons: [String] = [], why: String? = nil, location: SourceLocation? = nil
    ) {
        self.id = id
        self.group = group
        self.kind = kind
        self.severity = severity
        self.result = result
        self.seen = seen
        self.allowed = allowed
        self.sentence = sentence
        self.reasons = reasons
        self.why = why
        self.location = location
    }

    /// Seen, allowed and causes in one paragraph.
    package var explanation: String { ([sentence] + reasons).map { $0 + "." }.joined(separator: " ") }
}

/// A mark as the judges resolved it, for reports.
package struct ObservedMark: Hashable, Sendable {
    package var name: String
    package var at: Nanoseconds
    package var earliest: Nanoseconds
    package var latest: Nanoseconds

    package init(name: String, at: Nanoseconds, earliest: Nanoseconds, latest: Nanoseconds) {
        self.name = name
        self.at = at
        self.earliest = earliest
        self.latest = latest
    }
}

/// The outcome of a run, for its exit code.
package enum RunResult: String, Hashable, Sendable, CaseIterable {
    case pass, fail
    /// The file is wrong; it never ran.
    case invalid
    /// The first checkpoint did not hold: the situation that was to be tested never came about.
    case precondition
    case inconclusive
    /// A process of the topology could not start.
    case topology
    case internalError = "internal error"
    case interrupted
    /// This host lacks a program that the scenario requires: nothing was tested, and nothing is wrong.
    case skipped

    package var exitCode: Int32 {
        switch self {
        case .pass, .skipped: 0
        case .fail: 1
        case .invalid: 2
        case .precondition: 3
        case .inconclusive: 4
        case .topology: 5
        case .internalError: 6
        case .interrupted: 130
        }
    }

    /// The worst first: 130, then 6, 2, 5, 1, 3, 4, 0. A suite of which a part was skipped has passed.
    private static let order: [RunResult] = [
        .interrupted, .internalError, .invalid, .topology, .fail, .precondition, .inconclusive, .pass,
        .skipped,
    ]

    /// The result of a suite; `pass` for an empty one.
    package static func worst(_ results: some Sequence<RunResult>) -> RunResult {
        let present = Set(results)
        return order.first { present.contains($0) } ?? .pass
    }
}

/// Everything that judging a run gave.
package struct RunVerdict: Hashable, Sendable {
    package var result: RunResult
    /// Why, when the verdicts alone do not say it: a late generator, a precondition, a topology that did not start.
    package var reasons: [String]
    /// In the order of the file: expectations, then invariants, then failed checkpoints.
    package var verdicts: [Verdict]
    /// In the order of time.
    package var marks: [ObservedMark]
    /// The command that runs the same again: `gatecrash run FILE --seed 42`.
    package var reproduce: String
    /// What upper bounds of durations were widened by.
    package var slack: Nanoseconds

    package init(
        result: RunResult, reasons: [String] = [], verdicts: [Verdict] = [], marks: [ObservedMark] = [],
        reproduce: String = "", slack: Nanoseconds = .zero
    ) {
        self.result = result
        self.reasons = reasons
        self.verdicts = verdicts
        self.marks = marks
        self.reproduce = reproduce
        self.slack = slack
    }

    /// The part of the expectations, by weight, that passed, of those that passed or failed; nil when none did.
    package var score: Double? {
        let settled = verdicts.filter { $0.group == .expectation && $0.result != .inconclusive }
        let all = settled.reduce(0) { $0 + $1.weight }
        guard all > 0 else { return nil }
        return settled.reduce(0) { $0 + ($1.result == .pass ? $1.weight : 0) } / all
    }

    /// What was seen, what was allowed, why, and how to see it again.
    package func failureText(of verdict: Verdict) -> String {
        reproduce.isEmpty ? verdict.explanation : "\(verdict.explanation) Reproduce: \(reproduce)"
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// What a judge returns: the result with the words for it, and the marks that it found.
struct Finding: Hashable, Sendable {
    var result: Verdict.Result
    var seen: String
    var allowed: String
    var sentence: String
    var reasons: [String] = []
    var marks: [FoundMark] = []
    var comparisons: [BaselineComparison] = []

    struct FoundMark: Hashable, Sendable {
        var name: MarkName
        var value: MarkValue
    }
}

/// One bound of an expectation that has several.
struct Part: Hashable, Sendable {
    var result: Verdict.Result
    /// The sentence is `subject seen, allowed allowed`: `lasted 19.41s, allowed 10s..15.3s`.
    var seen: String
    var allowed: String
}

extension Part {
    /// Compares a measure with limits; `words` stand before the number.
    init(_ words: String, _ measure: Measure, _ limits: Limits, slack: Int64, suffix: String = "") {
        result = measure.result(against: limits, slack: slack)
        seen = "\(words) \(measure.text(against: limits))\(suffix)"
        allowed = limits.description + suffix
    }
}

extension Part {
    /// Compares a count with limits. What is free is counted as suits the bound best, what is uncertain as it may be.
    init(_ words: String, _ tally: Tally, _ limits: Limits, suffix: String) {
        let shown = Measure.count(tally.range)
        let choices = (0...tally.free).map { chosen in
            let least = tally.certain + chosen
            return Measure.count(least...least + tally.uncertain).result(against: limits, slack: 0)
        }
        result = choices.contains(.pass) ? .pass : choices.contains(.inconclusive) ? .inconclusive : .fail
        seen = "\(words) \(shown.text)\(suffix)"
        allowed = limits.description + suffix
    }
}

extension Finding {
    /// The worst part speaks; when all are well, all do.
    init(_ subject: String, parts: [Part]) {
        let worst = Verdict.Result.worst(parts.map(\.result))
        let telling = parts.filter { $0.result == worst }
        let sentence = telling.map { "\($0.seen), allowed \($0.allowed)" }.joined(separator: "; ")
        self.init(
            result: worst, seen: telling.map(\.seen).joined(separator: "; "),
            allowed: telling.map(\.allowed).joined(separator: "; "), sentence: "\(subject) \(sentence)")
    }
}

/// What is known of a mark.
enum MarkValue: Hashable, Sendable {
    /// `room`: an edge of an observed window lies between two requests; any instant between them separates them equally
    /// well, so none can be held against the gateway. This is no uncertainty: it is how far the definition reaches.
    case seen(Sighting, room: ClosedRange<Int64>?)
    /// It never happened. `root` is the id of the expectation (or the name of the step) that should have made it.
    case missing(root: String, result: Verdict.Result)
}

/// An expectation that cannot be judged: a mark that it needs was never seen, or a bound cannot be computed.
struct Unjudgeable: Error, Hashable {
    var result: Verdict.Result
    var seen: String
    /// The id of the expectation (or the name of the step) that is to blame.
    var root: String?

    init(missing mark: MarkName, root: String, result: Verdict.Result) {
        self.result = result
        seen = "\(mark) was never seen"
        self.root = root
    }

    init(_ problem: Problem) {
        result = .fail
        seen = problem.message
    }

    /// Names the root cause and leaves its story to the verdict that has it.
    var finding: Finding {
        let cause = root.map { " (see \($0))" } ?? ""
        return Finding(result: result, seen: seen, allowed: "", sentence: "cannot be judged: \(seen)\(cause)")
    }
}

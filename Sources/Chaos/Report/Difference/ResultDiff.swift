// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// What changed from one suite's results to another's: verdicts first, then what users got, how fast, and when.
///
/// Runs belong together by name (scenario and matrix cell) and repetition, never by place in the file. Whether a change
/// of a latency means anything cannot be told from one run each; it is shown, and only verdicts decide.
package struct ResultDiff: Hashable, Sendable {
    package enum Direction: String, Hashable, Sendable { case better, worse, neutral }

    package struct Change: Hashable, Sendable {
        /// `result`, `expectation trips`, `p99`, `mark tripped`, `answer 503 from gateway`.
        package var what: String
        package var before: String
        package var after: String
        /// `+12%`, `+20ms`; empty where there is nothing to compute.
        package var difference: String
        package var direction: Direction
    }

    package struct Run: Hashable, Sendable {
        package var name: String
        package var changes: [Change]
    }

    package private(set) var runs: [Run] = []

    /// Smaller shifts of latencies (relative) and marks (nanoseconds) are noise and left out.
    private static let quietShare = 0.05
    private static let quietShift: Int64 = 5_000_000

    package init(_ before: ResultDigest, _ after: ResultDigest) {
        for old in before.runs {
            guard let new = after.runs.first(where: { Self.isSame($0, old) }) else {
                runs.append(
                    Run(name: Self.title(old), changes: [Self.change("run", old.result, "missing", direction: .worse)]))
                continue
            }
            runs.append(Run(name: Self.title(old), changes: Self.changes(old, new)))
        }
        for new in after.runs where !before.runs.contains(where: { Self.isSame($0, new) }) {
            let direction: Direction = new.result == "pass" ? .better : .worse
            runs.append(
                Run(name: Self.title(new), changes: [Self.change("run", "missing", new.result, direction: direction)]))
        }
    }

    /// A verdict went from good to bad, or a run is missing.
    package var isWorse: Bool { runs.contains { $0.changes.contains { $0.direction == .worse } } }

    private static func isSame(_ a: ResultDigest.Run, _ b: ResultDigest.Run) -> Bool {
        a.name == b.name && a.repetition == b.repetition
    }

    private static func title(_ run: ResultDigest.Run) -> String {
        run.repetition > 1 ? "\(run.name), repetition \(run.repetition)" : run.name
    }
}

// MARK: One run

extension ResultDiff {
    private static func changes(_ old: ResultDigest.Run, _ new: ResultDigest.Run) -> [Change] {
        var changes: [Change] = []
        if old.result != new.result {
            changes.append(change("result", old.result, new.result, direction: direction(old.result, new.result)))
        }
        changes += checks(old.checks, new.checks)
        changes += answers(old, new)
        for (name, before, after) in [
            ("p50", old.p50, new.p50), ("p99", old.p99, new.p99), ("max", old.highest, new.highest),
        ] {
            guard let before, let after, before > 0 else { continue }
            let share = Double(after) / Double(before) - 1
            guard abs(share) >= quietShare else { continue }
            let percent = (share * 100).rounded(to: 0)
            changes.append(
                change(name, readable(before), readable(after), difference: share > 0 ? "+\(percent)%" : "\(percent)%"))
        }
        return changes + marks(old.marks, new.marks)
    }

    private static func checks(_ old: [ResultDigest.Check], _ new: [ResultDigest.Check]) -> [Change] {
        var changes: [Change] = []
        for before in old {
            let what = "expectation \(before.id)"
            guard let after = new.first(where: { $0.id == before.id }) else {
                changes.append(change(what, before.result, "missing"))
                continue
            }
            guard before.result != after.result else { continue }
            changes.append(
                change(
                    what, "\(before.result) (\(before.seen))", "\(after.result) (\(after.seen))",
                    direction: direction(before.result, after.result)))
        }
        for after in new where !old.contains(where: { $0.id == after.id }) {
            changes.append(change("expectation \(after.id)", "missing", after.result))
        }
        return changes
    }

    private static func answers(_ old: ResultDigest.Run, _ new: ResultDigest.Run) -> [Change] {
        var names = old.answers.map(\.name)
        names += new.answers.map(\.name).filter { !names.contains($0) }
        return names.compactMap { name in
            let before = old.answers.first { $0.name == name }?.count ?? 0
            let after = new.answers.first { $0.name == name }?.count ?? 0
            guard before != after else { return nil }
            let distance = after - before
            return change(
                "answer \(name)", "\(before)", "\(after)", difference: distance > 0 ? "+\(distance)" : "\(distance)")
        }
    }

    private static func marks(_ old: [ResultDigest.Moment], _ new: [ResultDigest.Moment]) -> [Change] {
        old.compactMap { before in
            guard let after = new.first(where: { $0.name == before.name }) else {
                return change("mark \(before.name)", readable(before.at), "never seen")
            }
            let shift = after.at.clampedSubtracting(before.at)
            guard shift.magnitude >= quietShift.magnitude else { return nil }
            return change(
                "mark \(before.name)", readable(before.at), readable(after.at),
                difference: shift > 0 ? "+\(readable(shift))" : readable(shift))
        }
    }

    private static func change(
        _ what: String, _ before: String, _ after: String, difference: String = "", direction: Direction = .neutral
    ) -> Change { Change(what: what, before: before, after: after, difference: difference, direction: direction) }

    /// Pass is better than inconclusive, that is better than anything else.
    private static func direction(_ before: String, _ after: String) -> Direction {
        func rank(_ result: String) -> Int { result == "pass" ? 0 : result == "inconclusive" ? 1 : 2 }
        if rank(before) == rank(after) { return .neutral }
        return rank(after) > rank(before) ? .worse : .better
    }
}

// MARK: Text

extension ResultDiff {
    /// Without a line feed at the end.
    package func text(style: Style) -> String {
        let lines = runs.flatMap { run -> [String] in
            guard !run.changes.isEmpty else { return ["= \(run.name.withoutControls): no change"] }
            return [run.name.withoutControls] + run.changes.map { "  " + line($0, style) }
        }
        let worse = runs.count { $0.changes.contains { $0.direction == .worse } }
        let changed = runs.count { !$0.changes.isEmpty }
        let end = "\(runs.count) runs compared: \(changed) changed, \(worse) worse"
        return (lines + [style.paint(end, worse > 0 ? .red : .green)]).joined(separator: "\n")
    }

    private func line(_ change: Change, _ style: Style) -> String {
        let symbol =
            switch change.direction {
            case .better: style.paint("+", .green)
            case .worse: style.paint("-", .red)
            case .neutral: "~"
            }
        let difference = change.difference.isEmpty ? "" : " (\(change.difference))"
        return symbol + " \(change.what): \(change.before) -> \(change.after)\(difference)".withoutControls
    }

    package var json: JSONValue {
        [
            "worse": .bool(isWorse),
            "runs": .array(
                runs.map { run in
                    [
                        "name": .string(run.name),
                        "changes": .array(
                            run.changes.map { change in
                                [
                                    "what": .string(change.what), "before": .string(change.before),
                                    "after": .string(change.after), "difference": .string(change.difference),
                                    "direction": .string(change.direction.rawValue),
                                ]
                            }),
                    ]
                }),
        ]
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The last lines of a suite: a line a run, and the result that the exit code stands for.
package struct SuiteSummary {
    private let reports: [RunReport]
    private let style: Style
    private let planned: Int

    /// - Parameter planned: how many runs there should have been; fewer are those of a suite that was interrupted
    ///   and began no more of them.
    package init(_ reports: [RunReport], style: Style, planned: Int? = nil) {
        self.reports = reports
        self.style = style
        self.planned = planned ?? reports.count
    }

    package var result: RunResult {
        reports.count < planned ? .interrupted : RunResult.worst(reports.map(\.verdict.result))
    }

    /// Without a line feed at the end.
    package var text: String {
        let names = reports.map { "\($0.name) seed \($0.seed)" }
        let width = min(style.width - 30, names.map(\.count).max() ?? 0)
        let lines = zip(reports, names).map { report, name in
            let result = report.verdict.result
            let counts = "\(report.count(.pass)) of \(report.verdict.verdicts.count) hold"
            let line = "\(name.clipped(to: width).padded(to: width))  \(result.rawValue.padded(to: 12))  \(counts)"
            return "  " + style.paint(Self.symbol(result), Self.colour(result)) + " " + line
        }
        let failed = reports.count { $0.verdict.result != .pass && $0.verdict.result != .skipped }
        let skipped = reports.count { $0.verdict.result == .skipped }
        let missing = planned - reports.count
        let passed =
            skipped == 0
            ? "all \(reports.count) runs passed" : "\(reports.count - skipped) runs passed, \(skipped) skipped"
        let total =
            missing > 0
            ? "\(missing) of \(planned) runs were not begun"
            : failed == 0 ? passed : "\(failed) of \(reports.count) runs did not pass"
        let end = "\(total): \(result.rawValue) (exit code \(result.exitCode))"
        let notes = (FlakeRate(reports).lines + baselines + [score].compactMap(\.self)).map { "  " + $0 }
        return (lines + notes + [style.paint(end, Self.colour(result))]).joined(separator: "\n")
    }

    /// What the repetitions of each scenario say together.
    private var baselines: [String] {
        var told: Set<String> = []
        return reports.flatMap { report in
            report.verdict.verdicts.filter { $0.isJoint && told.insert("\(report.name) \($0.id)").inserted }.map {
                "\(report.name): \($0.result.rawValue) \($0.sentence)"
            }
        }
    }

    /// Of all runs, when a scenario weighs its expectations.
    private var score: String? {
        let settled = reports.flatMap(\.verdict.verdicts).filter {
            $0.group == .expectation && $0.result != .inconclusive
        }
        let all = settled.reduce(0) { $0 + $1.weight }
        guard settled.contains(where: { $0.weight != 1 }), all > 0 else { return nil }
        let passed = settled.reduce(0) { $0 + ($1.result == .pass ? $1.weight : 0) }
        return "score \(plainNumber((passed / all * 1_000).rounded() / 10))%: \(plainNumber(passed)) of "
            + "\(plainNumber(all)) by weight"
    }

    private static func symbol(_ result: RunResult) -> String {
        switch result {
        case .pass: "✓"
        case .inconclusive: "?"
        case .skipped: "-"
        default: "✗"
        }
    }

    private static func colour(_ result: RunResult) -> Style.Colour {
        switch result {
        case .pass: .green
        case .inconclusive, .skipped: .yellow
        default: .red
        }
    }
}

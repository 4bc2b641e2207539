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
        let flakes = FlakeRate(reports).lines.map { "  " + $0 }
        return (lines + flakes + [style.paint(end, Self.colour(result))]).joined(separator: "\n")
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

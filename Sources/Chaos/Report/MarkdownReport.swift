// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A suite's results as GitHub-flavoured Markdown, for a pull request or a job summary.
package struct MarkdownReport {
    private let reports: [RunReport]

    package init(_ reports: [RunReport]) { self.reports = reports }

    package var text: String {
        let result = RunResult.worst(reports.map(\.verdict.result))
        let passed = reports.count { $0.verdict.result == .pass }
        let head = "## gatecrash: \(result.rawValue) (\(passed) of \(reports.count) runs passed)"
        return ([head] + reports.map(section)).joined(separator: "\n\n") + "\n"
    }

    private func section(_ report: RunReport) -> String {
        var lines = ["### \(Self.escape(report.name)), seed \(report.seed): \(report.verdict.result.rawValue)", ""]
        lines += report.verdict.reasons.map { "> \(Self.escape($0))" }
        if !report.verdict.reasons.isEmpty { lines.append("") }
        lines += ["| | expectation | kind | seen | allowed |", "|---|---|---|---|---|"]
        lines += report.verdict.verdicts.map { verdict in
            let cells = [verdict.id, verdict.kind, verdict.seen, verdict.allowed].map(Self.escape)
            return "| \(VerdictTable.symbol(verdict)) | \(cells.joined(separator: " | ")) |"
        }
        for verdict in report.verdict.verdicts where verdict.result != .pass {
            lines += ["", "**\(Self.escape(verdict.id))**: \(Self.escape(report.verdict.failureText(of: verdict)))"]
        }
        let drawing = TimeLine(report, style: Style(width: 100)).text
        if !drawing.isEmpty {
            lines += ["", "<details><summary>Time line</summary>", "", "```", drawing, "```", "", "</details>"]
        }
        return lines.joined(separator: "\n")
    }

    /// What would be markup, a table's border or a line break is shown as it is.
    static func escape(_ text: String) -> String {
        var out = ""
        for character in text.withoutControls {
            if "\\`*_[]<>|#".contains(character) { out.append("\\") }
            out.append(character)
        }
        return out
    }
}

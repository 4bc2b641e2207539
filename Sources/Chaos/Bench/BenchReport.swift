// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A bench's result for a terminal or a log.
package struct BenchReport {
    private let result: BenchResult
    private let style: Style

    package init(_ result: BenchResult, style: Style) {
        self.result = result
        self.style = style
    }

    /// Several lines without a line feed at the end; empty when nothing was measured.
    package var text: String {
        let summary = BenchSummary(result: result)
        var lines: [String] = []
        if !result.subjects.isEmpty {
            lines += [""] + summary.latencies.plain()
            let costs = summary.costs
            if !costs.rows.isEmpty { lines += [""] + costs.plain() }
            if let overhead = summary.overhead { lines += ["", "  " + overhead] }
            let remarks = summary.remarks
            if !remarks.isEmpty { lines += [""] + remarks.map { "  " + style.paint($0, .yellow) } }
        }
        if let baseline = summary.baseline {
            lines += ["", "  against \(result.baseline?.file ?? "")"] + baseline.plain()
            lines += summary.baselineRemarks.map { "  " + $0 }
        }
        let verdicts = result.verdicts
        if !verdicts.isEmpty, !result.subjects.isEmpty {
            let width = verdicts.map(\.text.count).max() ?? 0
            lines.append("")
            for verdict in verdicts {
                let sign = verdict.holds ? style.paint("✓", .green) : style.paint("✗", .red)
                lines.append("  \(sign) \(verdict.text.padded(to: width))  was \(verdict.seen)")
            }
        }
        return lines.map(\.withoutControlsButColour).joined(separator: "\n")
    }

    /// One line for each thing that makes the exit code other than 0, for stderr.
    package var complaints: [String] {
        var lines: [String] = []
        if result.isInterrupted {
            lines.append(
                result.subjects.isEmpty
                    ? "interrupted before anything was measured"
                    : "interrupted: the figures are "
                        + "those of a part of the bench")
        }
        if let trouble = result.trouble { lines.append(trouble.message) }
        if let lateness = result.lateness { lines.append(lateness) }
        if let errors = result.unexpectedErrors { lines.append(errors) }
        if !result.subjects.isEmpty {
            for verdict in result.verdicts where !verdict.holds {
                lines.append("expected \(verdict.text), was \(verdict.seen)")
            }
        }
        for row in result.baseline?.regressions ?? [] {
            let probability = BenchText.fixed(row.test.probability, places: 3)
            lines.append(
                "\(row.subject): \(row.metric) is worse than in \(result.baseline?.file ?? "the baseline") by "
                    + "\(BenchText.digits(abs(row.change) * 100)) % (p = \(probability))")
        }
        return lines.map(\.withoutControls)
    }
}

/// The same as Markdown, for a step summary or a document.
package struct BenchMarkdown {
    private let result: BenchResult
    private let host: String

    package init(_ result: BenchResult, host: String) {
        self.result = result
        self.host = host
    }

    package var text: String {
        let summary = BenchSummary(result: result)
        var lines = ["# Bench: \(BenchDocument.word(result.exitCode))", "", "\(result.plan.description) on \(host)."]
        if !result.subjects.isEmpty {
            lines += [""] + summary.latencies.markdown
            if !summary.costs.rows.isEmpty { lines += [""] + summary.costs.markdown }
        }
        if let overhead = summary.overhead { lines += ["", overhead] }
        let complaints = BenchReport(result, style: Style()).complaints
        if !complaints.isEmpty { lines += [""] + complaints.map { "- \($0)" } }
        if let baseline = summary.baseline { lines += [""] + baseline.markdown + [""] + summary.baselineRemarks }
        if !result.verdicts.isEmpty {
            var table = BenchTable(heading: ["expected", "was", ""])
            table.rows = result.verdicts.map { [$0.text, $0.seen, $0.holds ? "pass" : "fail"] }
            lines += [""] + table.markdown
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension String {
    /// Names of subjects come from a person; escape sequences of this program's own colours stay.
    fileprivate var withoutControlsButColour: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map {
                    $0 != "\u{1B}" && $0.properties.generalCategory == .control ? " " : $0
                }))
    }
}

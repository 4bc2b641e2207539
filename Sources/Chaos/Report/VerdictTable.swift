// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The table at the end of a run: one line a verdict, then a paragraph for everything that is not well.
package struct VerdictTable {
    private let report: RunReport
    private let style: Style

    package init(_ report: RunReport, style: Style) {
        self.report = report
        self.style = style
    }

    /// Without a line feed at the end.
    package var text: String {
        guard !isOver else { return line }
        return (rows + details + [conclusion]).joined(separator: "\n")
    }

    /// The run ended before there was anything to judge: a paragraph an expectation would say nothing.
    private var isOver: Bool {
        switch report.verdict.result {
        case .topology, .interrupted, .internalError, .invalid, .skipped: true
        case .pass, .fail, .inconclusive, .precondition: false
        }
    }

    /// `TOPOLOGY  walk-through, seed 42: api did not start: exit code 2`
    private var line: String {
        let reasons = report.verdict.reasons.map(\.withoutControls).joined(separator: "; ")
        let head = style.paint(
            report.verdict.result.rawValue.uppercased(), report.verdict.result == .skipped ? .yellow : .red)
        return "\(head)  \(report.name), seed \(report.seed)" + (reasons.isEmpty ? "" : ": \(reasons)")
    }

    private var verdicts: [Verdict] { report.verdict.verdicts }

    /// `✓ trips    became unhealthy 3 requests after errors-on   <= 16 requests after errors-on`
    private var rows: [String] {
        let identifiers = min(24, verdicts.map(\.id.count).max() ?? 0)
        let room = style.width - identifiers - 8
        let widestSeen = verdicts.map { $0.seen.withoutControls.count }.max() ?? 0
        let widestAllowed = verdicts.map { $0.allowed.withoutControls.count }.max() ?? 0
        let seen = min(widestSeen, max(room - widestAllowed, room * 3 / 5))
        return verdicts.map { verdict in
            let columns = [
                verdict.id.clipped(to: identifiers).padded(to: identifiers),
                verdict.seen.withoutControls.clipped(to: seen).padded(to: seen),
                verdict.allowed.withoutControls.clipped(to: max(0, room - seen)),
            ]
            let line = "\(style.paint(Self.symbol(verdict), Self.colour(verdict))) \(columns.joined(separator: "  "))"
            return "  " + line.trimmingTrailingSpace
        }
    }

    private var details: [String] {
        // What is the same for all of them, such as a host that was too slow, stands once below.
        let common = report.verdict.result == .inconclusive ? report.verdict.reasons.first : nil
        let telling = verdicts.filter { $0.result != .pass && (common == nil || $0.reasons.first != common) }
        guard !telling.isEmpty else { return [] }
        return telling.flatMap { verdict -> [String] in
            let head = "\(Self.symbol(verdict)) \(verdict.id)"
            let note = verdict.result == .fail && verdict.severity == .should ? " (should: does not fail the run)" : ""
            let why = verdict.why.map { ["    Why it matters: \($0.withoutControls)"] } ?? []
            let body = Self.wrapped(
                report.verdict.failureText(of: verdict).withoutControls, width: style.width - 4)
            return ["", style.paint(head, Self.colour(verdict)) + note] + body.map { "    " + $0 } + why
        }
    }

    private var conclusion: String {
        let counts = Verdict.Result.allCases.filter { report.count($0) > 0 }.map { result in
            "\(report.count(result)) \(Self.words(result))"
        }
        let result = report.verdict.result
        let colour: Style.Colour = result == .pass ? .green : result == .inconclusive ? .yellow : .red
        let head = "\n\(style.paint(result.rawValue.uppercased(), colour))  \(report.name), seed \(report.seed)"
        let tail = counts.isEmpty ? "" : ": \(counts.joined(separator: ", "))"
        return ([head + tail] + report.verdict.reasons.map { "  " + $0.withoutControls }).joined(separator: "\n")
    }

    private static func words(_ result: Verdict.Result) -> String {
        switch result {
        case .pass: "passed"
        case .fail: "failed"
        case .inconclusive: "inconclusive"
        }
    }

    static func symbol(_ verdict: Verdict) -> String {
        switch verdict.result {
        case .pass: "✓"
        case .fail: "✗"
        case .inconclusive: "?"
        }
    }

    private static func colour(_ verdict: Verdict) -> Style.Colour {
        switch verdict.result {
        case .pass: .green
        case .fail: verdict.severity == .must ? .red : .yellow
        case .inconclusive: .yellow
        }
    }

    /// Broken at spaces; a word longer than a line gets a line of its own.
    static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " " + word
        }
        return line.isEmpty ? lines : lines + [line]
    }
}

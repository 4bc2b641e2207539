// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A suite's results as TAP version 14 (testanything.org): a run is a subtest, a verdict a test point.
///
/// What is inconclusive is a `# SKIP` with its reason, an expectation that only `should` hold a `# todo` when it does
/// not. A point that failed has a YAML block with the whole sentence.
package struct TAPReport {
    private let reports: [RunReport]

    package init(_ reports: [RunReport]) { self.reports = reports }

    package var text: String {
        var lines = ["TAP version 14", "1..\(reports.count)"]
        for (index, report) in reports.enumerated() {
            lines.append("# Subtest: \(Self.escaped("\(report.name) seed \(report.seed)"))")
            lines += subtest(report).map { "    " + $0 }
            lines.append(closing(report, number: index + 1))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func subtest(_ report: RunReport) -> [String] {
        let verdicts = report.verdict.verdicts
        guard !verdicts.isEmpty else {
            let reason = report.verdict.reasons.first ?? report.verdict.result.rawValue
            return ["1..0 # SKIP \(Self.escaped(reason))"]
        }
        return ["1..\(verdicts.count)"]
            + verdicts.enumerated().flatMap { Self.point($1, number: $0 + 1, in: report) }
    }

    private static func point(_ verdict: Verdict, number: Int, in report: RunReport) -> [String] {
        let name = "\(number) - \(escaped(verdict.id))"
        switch verdict.result {
        case .pass: return ["ok \(name)"]
        case .inconclusive: return ["ok \(name) # SKIP \(escaped(verdict.explanation))"]
        case .fail:
            let directive = verdict.severity == .should ? " # todo should hold" : ""
            return ["not ok \(name)\(directive)"] + block(verdict, in: report)
        }
    }

    private static func block(_ verdict: Verdict, in report: RunReport) -> [String] {
        var lines = ["  ---", "  message: \(quoted(report.verdict.failureText(of: verdict)))"]
        lines.append("  severity: \(verdict.severity == .must ? "fail" : "todo")")
        lines += ["  seen: \(quoted(verdict.seen))", "  allowed: \(quoted(verdict.allowed))"]
        if let location = verdict.location { lines.append("  at: \(quoted("\(location.file):\(location.line)"))") }
        return lines + ["  ..."]
    }

    private func closing(_ report: RunReport, number: Int) -> String {
        let name = "\(number) - \(Self.escaped("\(report.name) seed \(report.seed)"))"
        let reason = report.verdict.reasons.first.map { ": \(Self.escaped($0))" } ?? ""
        switch report.verdict.result {
        case .pass: return "ok \(name)"
        case .inconclusive: return "ok \(name) # SKIP inconclusive\(reason)"
        default: return "not ok \(name)" + (reason.isEmpty ? "" : "\n# \(report.verdict.result.rawValue)\(reason)")
        }
    }

    /// In a description `#` and `\` mean something; a line break would end it.
    static func escaped(_ text: String) -> String {
        text.withoutControls.replacing("\\", with: "\\\\").replacing("#", with: "\\#")
    }

    /// A double-quoted YAML scalar.
    static func quoted(_ text: String) -> String {
        "\"" + text.withoutControls.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}

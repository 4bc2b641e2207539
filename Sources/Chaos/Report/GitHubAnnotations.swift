// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What is not well as workflow commands of GitHub Actions, which a pull request then shows at the line of the scenario
/// file: `::error file=…,line=…,title=…::sentence`. The step summary beside it is `MarkdownReport`.
package struct GitHubAnnotations {
    private let reports: [RunReport]

    package init(_ reports: [RunReport]) { self.reports = reports }

    /// A line each, with a line feed at the end; empty when all is well.
    package var text: String {
        reports.flatMap { report in runLines(report) + report.verdict.verdicts.compactMap { line($0, report) } }
            .map { $0 + "\n" }.joined()
    }

    private func line(_ verdict: Verdict, _ report: RunReport) -> String? {
        let level: String
        switch verdict.result {
        case .pass: return nil
        case .fail: level = verdict.severity == .must ? "error" : "notice"
        case .inconclusive: level = "warning"
        }
        var properties: [String] = []
        if let location = verdict.location {
            properties += ["file=\(Self.property(location.file))", "line=\(location.line)", "col=\(location.column)"]
        }
        properties.append("title=\(Self.property("\(report.name): \(verdict.id)"))")
        let text = Self.message(report.verdict.failureText(of: verdict))
        return "::\(level) \(properties.joined(separator: ","))::\(text)"
    }

    /// Why a run could not be judged.
    private func runLines(_ report: RunReport) -> [String] {
        guard ![.pass, .fail].contains(report.verdict.result) else { return [] }
        let level = report.verdict.result == .inconclusive ? "warning" : "error"
        let file = report.view.header.map(\.file) ?? ""
        let place = file.isEmpty ? "" : "file=\(Self.property(file)),"
        let reason = report.verdict.reasons.joined(separator: "; ")
        let text = reason.isEmpty ? report.verdict.result.rawValue : "\(report.verdict.result.rawValue): \(reason)"
        return ["::\(level) \(place)title=\(Self.property(report.name))::\(Self.message(text))"]
    }

    static func message(_ text: String) -> String {
        text.replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
    }

    static func property(_ text: String) -> String {
        message(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A judged run as a person reads it: the table, then the time line. A run that came to nothing (a topology that did
/// not start, an interrupt) is the one line that says why: its expectations were never put to the test.
package struct RunText {
    private let report: RunReport
    private let style: Style

    package init(_ report: RunReport, style: Style) {
        self.report = report
        self.style = style
    }

    /// Without a line feed at the end.
    package var text: String {
        switch report.verdict.result {
        case .topology, .interrupted, .internalError, .invalid, .skipped:
            VerdictTable(report, style: style).text
        case .pass, .fail, .inconclusive, .precondition:
            VerdictTable(report, style: style).text + "\n\n" + TimeLine(report, style: style).text
        }
    }
}

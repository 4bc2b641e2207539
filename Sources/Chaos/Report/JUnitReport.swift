// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A suite's runs as JUnit XML: a run is a `testsuite` (scenario × matrix cell × seed), a verdict a `testcase`.
///
/// A failure carries the whole sentence. What is inconclusive is skipped, with the reason; what only `should` be is
/// skipped when it is not. A run that could not be judged has an `error` in a case of its own, `run`.
package struct JUnitReport {
    private let reports: [RunReport]
    /// With `--strict` a case "inconclusive runs" fails when there are any.
    private let isStrict: Bool

    package init(_ reports: [RunReport], isStrict: Bool = false) {
        self.reports = reports
        self.isStrict = isStrict
    }

    private struct Case {
        enum Outcome {
            case passed
            case failure(message: String, text: String)
            case error(message: String)
            case skipped(message: String)
        }
        var name: String
        var outcome: Outcome
        var file: String?
        var line: Int?
    }

    package var text: String {
        var suites = reports.map(suite)
        if isStrict { suites.append(strictSuite) }
        let total = tally(suites.flatMap(\.cases))
        let lines =
            ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<testsuites name=\"gatecrash\" \(total)>"]
            + suites.flatMap(\.lines) + ["</testsuites>"]
        return lines.joined(separator: "\n") + "\n"
    }

    private func suite(_ report: RunReport) -> (cases: [Case], lines: [String]) {
        var cases = report.verdict.verdicts.map { outcome(of: $0, in: report) }
        if ![.pass, .fail].contains(report.verdict.result) || !report.verdict.reasons.isEmpty {
            cases.append(runCase(report))
        }
        let seconds = Self.seconds(report.length)
        let name =
            "\(report.name) seed \(report.seed)"
            + ((report.view.header?.repetition ?? 1) > 1
                ? " repetition \(report.view.header?.repetition ?? 1)" : "")
        let properties =
            [
                ("seed", String(report.seed)), ("result", report.verdict.result.rawValue),
                ("reproduce", report.verdict.reproduce),
            ] + (report.view.header?.variables ?? []).map { ("var.\($0.name)", $0.value) }
        let lines =
            ["  <testsuite name=\"\(Self.escape(name))\" \(tally(cases)) time=\"\(seconds)\">", "    <properties>"]
            + properties.map { "      <property name=\"\(Self.escape($0.0))\" value=\"\(Self.escape($0.1))\"/>" }
            + ["    </properties>"] + cases.flatMap { Self.lines($0, className: report.name) } + ["  </testsuite>"]
        return (cases, lines)
    }

    private func outcome(of verdict: Verdict, in report: RunReport) -> Case {
        var outcome = Case.Outcome.passed
        switch verdict.result {
        case .pass: break
        case .fail where verdict.severity == .should:
            outcome = .skipped(message: "should: \(report.verdict.failureText(of: verdict))")
        case .fail: outcome = .failure(message: verdict.sentence, text: report.verdict.failureText(of: verdict))
        case .inconclusive: outcome = .skipped(message: "inconclusive: \(verdict.explanation)")
        }
        return Case(name: verdict.id, outcome: outcome, file: verdict.location?.file, line: verdict.location?.line)
    }

    private func runCase(_ report: RunReport) -> Case {
        let reason = report.verdict.reasons.joined(separator: "; ")
        let message = "\(report.verdict.result.rawValue)\(reason.isEmpty ? "" : ": \(reason)")"
        switch report.verdict.result {
        case .pass: return Case(name: "run", outcome: .passed)
        case .fail: return Case(name: "run", outcome: .failure(message: message, text: message))
        case .inconclusive: return Case(name: "run", outcome: .skipped(message: message))
        default: return Case(name: "run", outcome: .error(message: message))
        }
    }

    private var strictSuite: (cases: [Case], lines: [String]) {
        let runs = reports.filter { $0.verdict.result == .inconclusive }.map { "\($0.name) seed \($0.seed)" }
        let message = "\(runs.count) inconclusive: \(runs.joined(separator: ", "))"
        let cases = [
            Case(name: "inconclusive runs", outcome: runs.isEmpty ? .passed : .failure(message: message, text: message))
        ]
        return (
            cases,
            ["  <testsuite name=\"gatecrash\" \(tally(cases))>"]
                + cases.flatMap { Self.lines($0, className: "gatecrash") } + ["  </testsuite>"]
        )
    }

    private func tally(_ cases: [Case]) -> String {
        var (failures, errors, skipped) = (0, 0, 0)
        for item in cases {
            switch item.outcome {
            case .passed: break
            case .failure: failures += 1
            case .error: errors += 1
            case .skipped: skipped += 1
            }
        }
        return "tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"\(errors)\" skipped=\"\(skipped)\""
    }
}

// MARK: XML

extension JUnitReport {
    private static func lines(_ item: Case, className: String) -> [String] {
        var head = "    <testcase name=\"\(escape(item.name))\" classname=\"\(escape(className))\""
        if let file = item.file { head += " file=\"\(escape(file))\"" }
        if let line = item.line { head += " line=\"\(line)\"" }
        switch item.outcome {
        case .passed: return [head + "/>"]
        case .failure(let message, let text):
            let body = "      <failure message=\"\(escape(message))\">\(escape(text))</failure>"
            return [head + ">", body, "    </testcase>"]
        case .error(let message):
            return [head + ">", "      <error message=\"\(escape(message))\"/>", "    </testcase>"]
        case .skipped(let message):
            return [head + ">", "      <skipped message=\"\(escape(message))\"/>", "    </testcase>"]
        }
    }

    /// XML 1.0: the five entities; line breaks survive in attributes; characters that XML does not allow become U+FFFD.
    static func escape(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&apos;"
            case "\t", "\n", "\r": out += "&#\(scalar.value);"
            default:
                let isAllowed = scalar.value >= 0x20 && scalar.value != 0xFFFE && scalar.value != 0xFFFF
                out.unicodeScalars.append(isAllowed ? scalar : "\u{FFFD}")
            }
        }
        return out
    }

    /// `45.120`: seconds with a point, whatever the locale.
    private static func seconds(_ time: Int64) -> String {
        let milliseconds = max(0, time / 1_000_000)
        let rest = String(milliseconds % 1_000)
        return "\(milliseconds / 1_000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}

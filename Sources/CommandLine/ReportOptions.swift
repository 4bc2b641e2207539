// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chaos

/// The files that `run` and `report` write.
struct ReportOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Writes a JUnit report: one case an expectation.", valueName: "file"))
    var junit: String?
    @Option(name: .long, help: ArgumentHelp("Writes all results as JSON.", valueName: "file"))
    var json: String?
    @Option(name: .long, help: ArgumentHelp("Writes a summary in Markdown.", valueName: "file"))
    var markdown: String?
    @Option(name: .long, help: ArgumentHelp("Writes one self-contained page with drawings.", valueName: "file"))
    var html: String?
    @Option(name: .long, help: ArgumentHelp("Writes TAP version 14.", valueName: "file"))
    var tap: String?
    @Flag(
        name: .long,
        help: """
            Prints annotations for GitHub Actions and appends the summary to $GITHUB_STEP_SUMMARY; on by itself when \
            GITHUB_ACTIONS is true.
            """)
    var github = false
    @Flag(name: .long, help: "Counts inconclusive runs as an error in the JUnit report.")
    var strict = false

    private var files: [(flag: String, path: String?)] {
        [("--junit", junit), ("--json", json), ("--markdown", markdown), ("--html", html), ("--tap", tap)]
    }

    var isAny: Bool { github || files.contains { $0.path != nil } }

    /// Looks before a long run whether its reports can be written.
    ///
    /// - Throws: `ExitCode` 2, after one line a file that cannot be written.
    func checkWritable() throws {
        try Console.checkWritable(files.compactMap { flag, path in path.map { (flag, $0) } })
    }

    /// - Throws: `ExitCode` 2, after one line that says what could not be written.
    func write(_ reports: [RunReport]) throws {
        if let junit { try Console.write(JUnitReport(reports, isStrict: strict).text, toFile: junit) }
        if let json { try Console.write(ResultDocument(reports).json.text(indent: 2) + "\n", toFile: json) }
        if let markdown { try Console.write(MarkdownReport(reports).text, toFile: markdown) }
        if let html { try Console.write(HTMLReport(reports).text, toFile: html) }
        if let tap { try Console.write(TAPReport(reports).text, toFile: tap) }
        if github || Console.environment["GITHUB_ACTIONS"] == "true" { try writeForGitHub(reports) }
    }

    private func writeForGitHub(_ reports: [RunReport]) throws {
        Console.write(GitHubAnnotations(reports).text)
        guard let path = Console.environment["GITHUB_STEP_SUMMARY"], !path.isEmpty else { return }
        try Console.write(MarkdownReport(reports).text, toFile: path, appends: true)
    }
}

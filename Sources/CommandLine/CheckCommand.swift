// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chaos
import Document

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Judge the journal of a run again.",
        discussion: """
            A journal holds all that was observed, the scenario and its variables, so nothing is run and nothing else \
            is needed: the verdict and the exit code are those of the run. With FILE the journal is judged by that \
            file, such as one whose bounds were changed.

            Exit codes: 0 pass, 1 fail, 2 unreadable journal or invalid file, 3 precondition not met, 4 inconclusive, \
            5 topology could not start, 6 internal error, 130 interrupted.
            """)

    @Argument(
        help: ArgumentHelp(
            "A journal of `gatecrash run --journal`, or a folder of them.", valueName: "journal"))
    var journal: String
    @Argument(help: ArgumentHelp("The scenario to judge by, instead of the one in the journal.", valueName: "file"))
    var scenario: String?
    @Flag(name: .shortAndLong, help: "Shows only what failed.")
    var quiet = false

    func run() throws {
        let judged = RepeatedBaseline.settled(try Journals.judge([journal], scenario: scenario))
        let isTerminal = isatty(STDOUT_FILENO) == 1
        let style = Style.detect(isTerminal: isTerminal, columns: Console.columns) { Console.environment[$0] }
        for report in judged where !quiet || report.verdict.result != .pass {
            Console.out(RunText(report, style: style).text + "\n")
        }
        let summary = SuiteSummary(judged, style: style)
        Console.out(summary.text)
        throw ExitCode(summary.result.exitCode)
    }
}

/// Journals that a person names, judged.
enum Journals {
    /// - Throws: `ExitCode` 2, after one line a mistake.
    static func judge(_ paths: [String], scenario: String? = nil) throws -> [RunReport] {
        do {
            return try JournalFiles.paths(paths).map { path in
                let judgement = try JournalJudgement(journal: path, scenario: scenario)
                for note in judgement.notes { Console.error("gatecrash: \(note)") }
                return judgement.report
            }
        } catch let problems as Problems {
            throw Console.refuse(problems)
        }
    }
}

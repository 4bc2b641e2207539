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

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Compare the results of two runs or suites.",
        discussion: """
            Each side is a result document (`gatecrash run --json`), a journal, or a folder of journals. Runs are \
            compared by scenario and matrix cell: verdicts, answers, latencies, and when each mark was.

            Exit codes: 0 nothing is worse, 1 a verdict is worse or a run is missing, 2 unreadable files.
            """)

    @Argument(help: ArgumentHelp("Results to compare with.", valueName: "before"))
    var before: String
    @Argument(help: ArgumentHelp("Results to compare.", valueName: "after"))
    var after: String
    @Option(name: .long, help: ArgumentHelp("Writes the changes as JSON.", valueName: "file"))
    var json: String?

    func run() throws {
        let diff = ResultDiff(try Self.digest(before), try Self.digest(after))
        let isTerminal = isatty(STDOUT_FILENO) == 1
        let style = Style.detect(isTerminal: isTerminal, columns: Console.columns) { Console.environment[$0] }
        Console.out(diff.text(style: style))
        if let json { try Console.write(diff.json.text(indent: 2) + "\n", toFile: json) }
        if diff.isWorse { throw ExitCode(1) }
    }

    private static func digest(_ path: String) throws -> ResultDigest {
        guard path.hasSuffix(".json") else { return try ResultDigest(try Journals.judge([path])) }
        do {
            let text = try FileText.read(path)
            return try ResultDigest(JSONValue(parsing: text.utf8))
        } catch let problem as Problem {
            throw Console.refuse(Problems([Problem(at: nil, "\(path): \(problem.message)", advice: problem.advice)]))
        } catch let problems as Problems {
            throw Console.refuse(problems)
        }
    }
}

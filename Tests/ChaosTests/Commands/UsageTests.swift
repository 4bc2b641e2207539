// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Bad usage is one line that says what and what to do, and exit code 2; nothing has been started by then.
@Suite struct UsageTests {
    private static let scenario = """
        scenario: long
        topology:
          mocks: { api: {} }
          gateway:
            inline:
              _format_version: "3.0"
              services: [{ name: s, host: up, routes: [{ name: r, paths: [/] }] }]
              upstreams: [{ name: up, targets: [{ target: "api:8080" }] }]
        load: [{ rate: 1/s, for: 3m, request: { path: / } }]
        expect: [{ availability: ">= 0%" }]
        """

    @Test(arguments: [
        (["run"], "Missing expected argument '<paths> ...'; see gatecrash run --help"),
        (["run", "long.yml", "--nope"], "Unknown option '--nope' (did you mean '--jobs'?); see gatecrash run --help"),
        (["run", "long.yml", "--jobs", "0"], "--jobs 0: say 1 or more; see gatecrash run --help"),
        (["run", "long.yml", "--repeat", "many"], "The value 'many' is invalid for '--repeat <repeat>'"),
        (["run", "long.yml", "--junit"], "Missing value for '--junit <file>'; see gatecrash run --help"),
        (["validate"], "Missing expected argument '<paths> ...'; see gatecrash validate --help"),
        (["explain", "--seed", "x", "long.yml"], "The value 'x' is invalid for '--seed <seed>'"),
        (["check"], "Missing expected argument '<journal>'; see gatecrash check --help"),
        (["report", "--html-x", "a"], "Unknown option '--html-x'"),
        (["mock", "--nope"], "Unknown option '--nope' (did you mean '--name'?); see gatecrash mock --help"),
        (["gateway", "--workers", "x"], "The value 'x' is invalid for '--workers <workers>'"),
        (["nonsense"], "Unexpected argument 'nonsense'; see gatecrash --help"),
        // Files that a run would write, looked at before it begins.
        (["run", "long.yml", "--junit", "no/such/r.xml"], "--junit no/such/r.xml: cannot be written: No such file"),
        (["run", "long.yml", "--json", "."], "--json .: cannot be written: Is a directory"),
        (["run", "long.yml", "--markdown", "long.yml/x"], "--markdown long.yml/x: cannot be written: Not a directory"),
        (["run", "long.yml", "--journal", "long.yml"], "--journal long.yml: is a file, not a folder; name a folder"),
        (["run", "long.yml", "--journal", "long.yml/x"], "--journal long.yml/x: cannot be made: Not a directory"),
        (["report", "j.jsonl", "--junit", "no/such/r.xml"], "--junit no/such/r.xml: cannot be written"),
        // Files that are not there.
        (["run", "missing.yml"], "missing.yml: there is no such file or folder"),
        (["check", "missing.jsonl"], "missing.jsonl: there is no such file or folder"),
        (["report", "."], ".: no journal (*.jsonl) in this folder"),
    ])
    func `one line and exit code 2`(arguments: [String], message: String) async throws {
        try await withTemporaryDirectory { folder in
            try Self.scenario.write(toFile: folder + "/long.yml", atomically: true, encoding: .utf8)
            try "".write(toFile: folder + "/j.jsonl", atomically: true, encoding: .utf8)
            if arguments == ["report", "."] { try FileManager.default.removeItem(atPath: folder + "/j.jsonl") }
            let run = try ProgramRun(arguments, in: folder)
            #expect(run.code == 2)
            #expect(run.output == "")
            #expect(run.complaints.count == 1, "\(run.errors)")
            #expect(run.errors.hasPrefix("gatecrash: \(message)"), "\(run.errors)")
        }
    }

    @Test(arguments: ["run", "validate", "explain", "check", "report", "gateway", "mock"])
    func `help says what a command does, its options and its exit codes`(command: String) async throws {
        try await withTemporaryDirectory { folder in
            let help = try ProgramRun(["help", command], in: folder)
            let flag = try ProgramRun([command, "--help"], in: folder)
            #expect(help.code == 0)
            #expect(help.output == flag.output)
            #expect(help.output.contains("USAGE: gatecrash \(command)"))
            #expect(help.errors == "")
        }
    }
}

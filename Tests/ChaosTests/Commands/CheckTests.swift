// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import Document
import Foundation
import Testing

/// `gatecrash check` and `gatecrash report`: a journal is enough to judge a run again.
@Suite struct CheckTests {
    private static let scenario = """
        scenario: tiny
        vars: { limit: 3 }
        matrix: { policy: [hit, miss] }
        topology:
          mocks: { api: {} }
          gateway: { kong: ./kong.yml }
        load: [{ id: users, rate: 10/s, for: 2s, request: { path: / } }]
        expect:
          - { id: few, count: { status: 503 }, is: "<= $(limit)" }
          - { id: "policy-$(policy)", sometimes: { status: 200 } }
        """

    private static let kong: JSONValue = [
        "_format_version": "3.0",
        "services": [["name": "s", "host": "up", "routes": [["name": "r", "paths": ["/"]]]]],
        "upstreams": [["name": "up", "targets": [["target": "api:8080"]]]],
    ]

    /// A run in which `failures` of 20 requests got 503, as a journal; `kong.yml` is nowhere on the disk.
    private func journal(
        failures: Int = 3, policy: String = "hit", limit: String = "3", text: String = scenario, isCutOff: Bool = false
    ) -> [UInt8] {
        var header = JournalEvent.Header(scenario: "tiny")
        header.file = "gone/tiny.yml"
        header.text = text
        header.seed = 7
        header.cell = [.init("policy", policy)]
        header.variables = [.init("policy", policy), .init("limit", limit)]
        header.nodes = [.init("gateway", .gateway), .init("api", .mock, names: ["api:8080"])]
        header.configurations = [.init("gateway", Self.kong)]
        var events: [JournalEvent] = [.header(header)]
        for n in 1...20 {
            let at = Int64(n - 1) * 100_000_000
            let status = n <= failures ? 503 : 200
            events.append(
                .request(
                    .init(
                        load: "users", n: n, planned: at, sent: at, firstByte: at + 1, end: at + 2, status: status,
                        outcome: status == 200 ? .ok : .failed)))
        }
        if !isCutOff { events.append(.end(.init(at: Instant(2_000_000_000)))) }
        return events.flatMap(\.line)
    }

    private func judge(_ journal: [UInt8], by scenario: String? = nil) async throws -> RunReport {
        try await withTemporaryDirectory { folder in
            try Data(journal).write(to: URL(fileURLWithPath: folder + "/j.jsonl"))
            try scenario?.write(toFile: folder + "/edited.yml", atomically: true, encoding: .utf8)
            return try JournalJudgement(
                journal: folder + "/j.jsonl", scenario: scenario.map { _ in folder + "/edited.yml" }
            ).report
        }
    }

    @Test func `the journal alone gives the verdict of the run`() async throws {
        #expect(try await judge(journal()).verdict.result == .pass)
        let report = try await judge(journal(failures: 4))
        #expect(report.verdict.result == .fail)
        #expect(report.name == "tiny [policy=hit]")
        #expect(report.verdict.verdicts.first?.seen == "came 4 times")
    }

    @Test func `the cell of the matrix and the variables of the run are those of the journal`() async throws {
        let miss = try await judge(journal(policy: "miss"))
        #expect(miss.verdict.verdicts.map(\.id) == ["few", "policy-miss"])
        #expect(try await judge(journal(failures: 9, limit: "9")).verdict.result == .pass)
        // An axis that was narrowed to a value which the file does not have.
        let other = try await judge(journal(policy: "other"))
        #expect(other.verdict.verdicts.map(\.id) == ["few", "policy-other"])
    }

    @Test func `another file judges the same journal by its own bounds, with the variables that were set`()
        async throws
    {
        let strict = Self.scenario.replacing("<= $(limit)", with: "<= $(limit - 1)")
        #expect(try await judge(journal(), by: strict).verdict.result == .fail)
        #expect(try await judge(journal(limit: "4"), by: strict).verdict.result == .pass)
        // The file's own default moved: only what `--var` had set is kept.
        let moved = Self.scenario.replacing("limit: 3", with: "limit: 1")
        #expect(try await judge(journal(), by: moved).verdict.result == .fail)
    }

    @Test(arguments: [
        ("scenario: tiny", "scenario: other", "is of the scenario `tiny`"),
        ("policy: [hit, miss]", "policy: [miss], more: [1, 2]", "which"),
    ])
    func `a file of another scenario is refused`(old: String, new: String, message: String) async throws {
        let error = await #expect(throws: Problems.self) {
            _ = try await judge(journal(), by: Self.scenario.replacing(old, with: new))
        }
        #expect(error?.list.count == 1)
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `a journal without a header, without a scenario or with broken lines is refused`() async throws {
        func message(_ journal: [UInt8]) async -> String {
            let error = await #expect(throws: Problems.self) { _ = try await judge(journal) }
            return error?.description ?? ""
        }
        #expect(await message([]).hasSuffix("has no header; name a journal that `gatecrash run` wrote"))
        #expect(await message(journal(text: "")).contains("holds no scenario to judge by"))
        #expect(await message(Array("{}\n".utf8) + journal()).contains("j.jsonl:1:1: \"kind\" must be text"))
    }

    @Test(arguments: [(3, false, Int32(0), "✓"), (4, false, 1, "✗"), (3, true, 4, "?")])
    func `the exit code of check is that of the run`(
        failures: Int, isCutOff: Bool, code: Int32, symbol: String
    )
        async throws
    {
        try await withTemporaryDirectory { folder in
            let journal = journal(failures: failures, isCutOff: isCutOff)
            try FileManager.default.createDirectory(atPath: folder + "/kept", withIntermediateDirectories: true)
            try Data(journal).write(to: URL(fileURLWithPath: folder + "/kept/j.jsonl"))
            for path in ["kept/j.jsonl", "kept"] {
                let check = try ProgramRun(["check", path], in: folder)
                #expect(check.code == code, "\(check.errors)")
                #expect(check.output.contains("\(symbol) tiny [policy=hit] seed 7"), "\(check.output)")
            }
        }
    }

    @Test func `report writes what is asked for, and prints when nothing is`() async throws {
        try await withTemporaryDirectory { folder in
            try Data(journal(failures: 4)).write(to: URL(fileURLWithPath: folder + "/j.jsonl"))
            let files = try ProgramRun(
                ["report", "j.jsonl", "--junit", "r.xml", "--json", "r.json", "--markdown", "r.md"], in: folder)
            #expect(files.code == 0, "\(files.errors)")
            #expect(files.output == "")
            #expect(try String(contentsOfFile: folder + "/r.xml", encoding: .utf8).contains("<failure"))
            #expect(try String(contentsOfFile: folder + "/r.json", encoding: .utf8).contains("\"result\": \"fail\""))
            #expect(try String(contentsOfFile: folder + "/r.md", encoding: .utf8).contains("gatecrash: fail"))
            let printed = try ProgramRun(["report", "j.jsonl"], in: folder)
            #expect(printed.code == 0)
            #expect(printed.output.contains("came 4 times"))
        }
    }

    @Test func `a page, test points and annotations come from the same journal`() async throws {
        try await withTemporaryDirectory { folder in
            try Data(journal(failures: 4)).write(to: URL(fileURLWithPath: folder + "/j.jsonl"))
            try "before\n".write(toFile: folder + "/summary.md", atomically: true, encoding: .utf8)
            let files = try ProgramRun(
                ["report", "j.jsonl", "--html", "r.html", "--tap", "r.tap", "--github"], in: folder,
                environment: ["GITHUB_STEP_SUMMARY": folder + "/summary.md"])
            #expect(files.code == 0, "\(files.errors)")
            #expect(files.output.hasPrefix("::error file=gone/tiny.yml,line=9,col=5,title=tiny [policy=hit]%3A few::"))
            #expect(files.output.split(separator: "\n").count == 1)
            let page = try String(contentsOfFile: folder + "/r.html", encoding: .utf8)
            #expect(page.contains("id=\"run-0-few\" open=\"\""))
            #expect(try String(contentsOfFile: folder + "/r.tap", encoding: .utf8).contains("not ok 1 - few"))
            let summary = try String(contentsOfFile: folder + "/summary.md", encoding: .utf8)
            #expect(summary.hasPrefix("before\n## gatecrash: fail"))
            let automatic = try ProgramRun(
                ["report", "j.jsonl", "--tap", "r.tap"], in: folder, environment: ["GITHUB_ACTIONS": "true"])
            #expect(automatic.output.hasPrefix("::error "))
        }
    }

    @Test func `diff says what is worse, and refuses what is no result`() async throws {
        try await withTemporaryDirectory { folder in
            try Data(journal()).write(to: URL(fileURLWithPath: folder + "/a.jsonl"))
            try Data(journal(failures: 4)).write(to: URL(fileURLWithPath: folder + "/b.jsonl"))
            #expect(try ProgramRun(["report", "b.jsonl", "--json", "b.json"], in: folder).code == 0)
            for after in ["b.jsonl", "b.json"] {
                let worse = try ProgramRun(["diff", "a.jsonl", after], in: folder)
                #expect(worse.code == 1, "\(worse.errors)")
                #expect(worse.output.contains("  - expectation few: pass (came 3 times) -> fail (came 4 times)"))
                #expect(worse.output.contains("  ~ answer 503 from gateway: 3 -> 4 (+1)"), "\(worse.output)")
            }
            let better = try ProgramRun(["diff", "b.json", "a.jsonl", "--json", "d.json"], in: folder)
            #expect(better.code == 0)
            #expect(try String(contentsOfFile: folder + "/d.json", encoding: .utf8).contains("\"worse\": false"))
            try "{}".write(toFile: folder + "/no.json", atomically: true, encoding: .utf8)
            for (path, words) in [("no.json", "not a result document"), ("gone.json", "No such file")] {
                let refused = try ProgramRun(["diff", "a.jsonl", path], in: folder)
                #expect(refused.code == 2)
                #expect(refused.complaints.count == 1 && refused.errors.contains(words), "\(refused.errors)")
            }
        }
    }

    /// The log, too, is nowhere on the disk; its requests are in the journal.
    @Test(arguments: ["night.log", "{ file: night.log, speed: 2x }"])
    func `a run that replayed a log is judged again without the log`(replay: String) async throws {
        let load = "rate: 10/s, for: 2s, request: { path: / }"
        let report = try await judge(journal(text: Self.scenario.replacing(load, with: "replay: \(replay)")))
        #expect(report.verdict.verdicts.first { $0.id == "few" }?.result == .pass)
    }
}

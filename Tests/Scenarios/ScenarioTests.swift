// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import Foundation
import Testing

/// Every scenario of this folder and of the documentation, run for real: gateway and mock APIs as child processes on
/// loopback, in real time.
///
/// They run in one suite, several at once, as `gatecrash run --jobs 4` does: a scenario mostly waits. Each run has
/// ports, processes and event loops of its own; what a busy neighbour can do to it is measured (`max_lateness`), and a
/// run that came to no verdict for that reason is repeated once, with fewer beside it.
@Suite(.serialized) struct ScenarioTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "files")

    private static let entries: Result<[SuiteEntry], any Error> = Result {
        try SuiteSelection(paths: [folder.path]).entries() + ExampleEntries.all()
    }

    private static let files: [String] = {
        let paths = (try? entries.get().map(\.file)) ?? []
        return Set(paths).map { URL(fileURLWithPath: $0).lastPathComponent }.sorted()
    }()

    /// The program beside this test bundle.
    static let program =
        Bundle.allBundles.map { $0.bundleURL }.first { $0.pathExtension == "xctest" }?
        .deletingLastPathComponent().appending(path: "gatecrash").path
        ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "gatecrash").path

    /// The whole suite, run once for all tests: the runs of every file.
    private static let runs = Task { try await runAll() }

    private static let journals = FileManager.default.temporaryDirectory.appending(
        path: "gatecrash-\(UUID().uuidString)")

    private static func runAll() async throws -> [FinishedRun] {
        // Scenarios of one name are told apart within a suite only.
        let (first, second) = (journals.appending(path: "1"), journals.appending(path: "2"))
        for folder in [first, second] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        let entries = try Self.entries.get()
        let runs = try await run(entries, jobs: 4, journals: first)
        let again = runs.filter { $0.report.verdict.result == .inconclusive }.map(\.index)
        guard !again.isEmpty else { return runs }
        let repeated = try await run(again.map { entries[$0] }, jobs: 2, journals: second)
        return runs.filter { !again.contains($0.index) } + repeated
    }

    private static func run(_ entries: [SuiteEntry], jobs: Int, journals: URL) async throws -> [FinishedRun] {
        var options = SuiteRun.Options()
        options.executable = Self.program
        options.jobs = jobs
        // The index of a run is then that of its entry.
        options.repetitions = 1
        options.journalFolder = journals.path
        return try await SuiteRun(entries, options: options) { _ in }.run()
    }

    /// The journal alone, in another process and another year: what `gatecrash check` says.
    @Test(.timeLimit(.minutes(10))) func `every journal gives the verdict of its run`() async throws {
        let runs = try await Self.runs.value
        defer { try? FileManager.default.removeItem(at: Self.journals) }
        for run in runs {
            let path = try #require(run.journalPath)
            let judgement = try JournalJudgement(journal: path)
            #expect(judgement.report.verdict == run.report.verdict, "\(run.report.name)")
            #expect(judgement.report.statistics == run.report.statistics)
            #expect(judgement.notes == [])
        }
    }

    @Test func `there are scenarios, and all of them are valid`() throws {
        #expect(try Self.entries.get().count >= Self.files.count)
        #expect(Self.files.count >= 3)
    }

    @Test(.timeLimit(.minutes(10)), arguments: files)
    func `the scenario passes`(file: String) async throws {
        let runs = try await Self.runs.value.filter {
            URL(fileURLWithPath: $0.report.view.header?.file ?? "").lastPathComponent == file
        }
        #expect(!runs.isEmpty)
        // One that needs a program which this host has not is skipped.
        for run in runs where ![.pass, .skipped].contains(run.report.verdict.result) {
            Issue.record("\(RunText(run.report, style: Style()).text)")
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import Foundation
import Testing

/// Every scenario of this folder, run for real: gateway and mock APIs as child processes on loopback, in real time.
/// They measure time, so they run one after the other and nothing else beside them.
@Suite(.serialized) struct ScenarioTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "files")

    private static let files: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".yml") && !$0.hasPrefix("kong") }.sorted()
    }()

    /// The program beside this test bundle.
    static let program =
        Bundle.allBundles.map { $0.bundleURL }.first { $0.pathExtension == "xctest" }?
        .deletingLastPathComponent().appending(path: "gatecrash").path
        ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "gatecrash").path

    @Test func `there are scenarios`() { #expect(Self.files.count >= 3) }

    /// A run that the machine was too slow for says nothing about the gateway; it is repeated once.
    @Test(.timeLimit(.minutes(4)), arguments: files)
    func `the scenario passes`(file: String) async throws {
        var options = SuiteRun.Options()
        options.executable = Self.program
        options.jobs = 2
        let selection = SuiteSelection(paths: [Self.folder.appending(path: file).path])
        var runs: [FinishedRun] = []
        for _ in 1...2 {
            runs = try await SuiteRun(try selection.entries(), options: options) { _ in }.run()
            if !runs.contains(where: { $0.report.verdict.result == .inconclusive }) { break }
        }
        #expect(!runs.isEmpty)
        for run in runs where run.report.verdict.result != .pass {
            Issue.record(
                "\(VerdictTable(run.report, style: Style()).text)\n\n\(TimeLine(run.report, style: Style()).text)")
        }
    }
}

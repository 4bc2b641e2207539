// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Chaos

@Suite struct TAPTests {
    private func report(_ walk: WalkThrough = WalkThrough()) -> RunReport {
        RunReport(view: walk.played.view, verdict: walk.verdict)
    }

    private func report(_ result: RunResult, reasons: [String] = [], _ verdicts: [Verdict]) -> RunReport {
        var story = Story()
        story.end(0)
        let verdict = RunVerdict(result: result, reasons: reasons, verdicts: verdicts, reproduce: "gatecrash run a.yml")
        return RunReport(view: story.view, verdict: verdict)
    }

    private func verdict(_ result: Verdict.Result, severity: Chaos.Expectation.Severity = .must) -> Verdict {
        Verdict(
            id: "a # b", group: .expectation, kind: "count", severity: severity, result: result, seen: "came 4 times",
            allowed: "== 3", sentence: "it \"came\" 4 times, allowed == 3\n", why: nil,
            location: SourceLocation(file: "dir/a,b.yml", line: 7, column: 5))
    }

    @Test func `a run is a subtest, a verdict a point`() {
        let text = TAPReport([report(WalkThrough(tripsAt: 4))]).text
        let lines = text.split(separator: "\n").map(String.init)
        #expect(
            lines.prefix(5) == [
                "TAP version 14", "1..1", "# Subtest: walk-through seed 42", "    1..10", "    ok 1 - becomes-1",
            ])
        #expect(lines.contains("    not ok 6 - model-6"))
        #expect(lines.contains { $0.hasPrefix("      message: \"api became unhealthy at HTTP failure 4") })
        #expect(lines.last == "not ok 1 - walk-through seed 42")
    }

    @Test func `what cannot be told is skipped, what should hold is to do`() {
        let text = TAPReport([
            report(.inconclusive, reasons: ["late"], [verdict(.inconclusive)]),
            report(.pass, [verdict(.fail, severity: .should)]), report(.topology, reasons: ["no port"], []),
        ]).text
        #expect(text.contains("    ok 1 - a \\# b # SKIP it \"came\" 4 times, allowed == 3 ."))
        #expect(text.contains("    not ok 1 - a \\# b # todo should hold\n      ---\n"))
        #expect(
            text.contains("      message: \"it \\\"came\\\" 4 times, allowed == 3 . Reproduce: gatecrash run a.yml\"\n")
        )
        #expect(text.contains("ok 1 - walk-through seed 42 # SKIP inconclusive: late\n"))
        #expect(text.contains("    1..0 # SKIP no port\nnot ok 3 - walk-through seed 42\n# topology: no port\n"))
    }

    // MARK: GitHub

    @Test func `annotations stand at the line of the file`() {
        let text = GitHubAnnotations([
            report(.fail, [verdict(.pass), verdict(.fail), verdict(.fail, severity: .should), verdict(.inconclusive)]),
            report(.topology, reasons: ["100% busy"], []),
        ]).text
        let lines = text.split(separator: "\n").map(String.init)
        let sentence = "it \"came\" 4 times, allowed == 3%0A. Reproduce: gatecrash run a.yml"
        let place = "file=dir/a%2Cb.yml,line=7,col=5,title=walk-through%3A a # b"
        #expect(
            lines == [
                "::error \(place)::\(sentence)", "::notice \(place)::\(sentence)", "::warning \(place)::\(sentence)",
                "::error file=walk-through.yaml,title=walk-through::topology: 100%25 busy",
            ])
    }

    @Test func `a run that passes says nothing`() { #expect(GitHubAnnotations([report()]).text == "") }
}

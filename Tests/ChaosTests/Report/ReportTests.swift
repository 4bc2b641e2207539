// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import FoundationEssentials
import Testing

@testable import Chaos

@Suite struct ReportTests {
    private func report(_ walk: WalkThrough) -> RunReport { RunReport(view: walk.played.view, verdict: walk.verdict) }

    // MARK: Table

    @Test func `the table of a run that passes`() {
        let text = VerdictTable(report(WalkThrough()), style: Style(width: 96)).text
        #expect(
            text == """
                  ✓ becomes-1    became unhealthy 3 requests after errors-on     <= 16 requests after errors-on
                  ✓ becomes-2    became healthy 10.26s after tripped             10s..15.3s after tripped
                  ✓ window-3     came 1 time; began 19ms after tripped; ended …  == 1 time; 0s..100ms after tri…
                  ✓ stays-4      stayed healthy                                  healthy
                  ✓ order-5      in order                                        errors-on, tripped, dark.start…
                  ✓ model-6      6 changes as predicted                          agreement
                  ✓ sometimes-7  came 512 times                                  >= 1
                  ✓ never-1      never came                                      never
                  ✓ never-2      never came                                      never
                  ✓ always-3     running                                         running during start..end

                PASS  walk-through, seed 42: 10 passed
                """)
    }

    @Test func `what is not well gets a paragraph`() {
        let text = VerdictTable(report(WalkThrough(tripsAt: 4)), style: Style(width: 100)).text
        #expect(
            text.hasSuffix(
                """

                ✗ model-6
                    api became unhealthy at HTTP failure 4, configuration says 3 (passive.unhealthy.http_failures =
                    3 of upstream orders-up). Reproduce: gatecrash run walk-through.yaml --seed 42

                FAIL  walk-through, seed 42: 9 passed, 1 failed
                """))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }

    @Test func `colour only where it is wanted`() {
        let environment = ["TERM": "xterm"]
        func style(_ extra: [String: String] = [:], terminal: Bool = true) -> Style {
            let all = environment.merging(extra) { $1 }
            return Style.detect(isTerminal: terminal, columns: 90, environment: { all[$0] })
        }
        #expect(style().isColoured)
        #expect(style(["NO_COLOR": ""]).isColoured)
        #expect(!style(["NO_COLOR": "1"]).isColoured)
        #expect(!style(["CI": "true"]).isColoured)
        #expect(!style(["TERM": "dumb"]).isColoured)
        #expect(!style(terminal: false).isColoured)
        #expect(style().width == 90)
        #expect(Style(isColoured: true).paint("x", .red) == "\u{1B}[31mx\u{1B}[0m")
        #expect(Style(isColoured: false).paint("x", .red) == "x")
    }

    // MARK: Time line

    @Test func `the time line of a run`() {
        let text = TimeLine(report(WalkThrough()), style: Style(width: 100)).text
        #expect(
            text == """
                                    0s        5s        10s       15s       20s       25s       30s       35s
                  200 from upstream ####################                    +#######################################
                  500 from upstream                     .
                  503 from gateway                      #####################
                  p99 up to 2ms     ::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::
                  api:8080          ====================x++++++++++++++++++++=======================================
                  errors-on                             [===============]
                  marks                                 abc             d   ef
                  a errors-on 10s, b tripped 10.04s, c dark.start 10.06s, d errors-on.end 18s, e dark.end 20.28s,
                  f recovered 20.3s
                  answers: # most, + a quarter, . some; targets: = healthy, ~ failures counted, + successes counted,
                  x out
                """)
    }

    @Test(arguments: [40, 61, 80, 120, 200])
    func `a time line fits its width`(width: Int) {
        let text = TimeLine(report(WalkThrough(stillUsesUnhealthy: true)), style: Style(width: width)).text
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= width })
    }

    @Test func `colours of a time line are whole and end`() {
        let text = TimeLine(report(WalkThrough()), style: Style(isColoured: true, width: 100)).text
        #expect(text.contains("\u{1B}[32m#"))
        #expect(text.contains("\u{1B}[31mx\u{1B}[0m"))
        let plain = text.replacingEscapes
        #expect(plain == TimeLine(report(WalkThrough()), style: Style(width: 100)).text)
    }

    @Test func `an empty run has no time line`() {
        var story = Story()
        story.end(0)
        let report = RunReport(view: story.view, verdict: RunJudge.judge(TestPlan.plan(), story.view))
        #expect(TimeLine(report, style: Style()).text == "")
    }

    // MARK: Live

    private let moment = LiveStatus(
        run: "walk-through", phase: "errors-on", elapsed: .milliseconds(12_345), left: .seconds(32), requests: 617,
        statuses: [.init(name: "200", count: 500), .init(name: "503", count: 114), .init(name: "timeout", count: 3)],
        targets: [.init(name: "api", state: .unhealthy)])

    @Test func `the live line of a terminal`() {
        let line = LiveLine.terminal(moment, style: Style(width: 100))
        #expect(
            line == "\r\u{1B}[K12s errors-on  617 requests  200 × 500  503 × 114  timeout × 3  api unhealthy  32s left")
        for width in 40...100 {
            #expect(
                LiveLine.terminal(moment, style: Style(isColoured: true, width: width)).replacingEscapes.count <= width)
        }
    }

    @Test func `the plain line of a log`() {
        #expect(
            LiveLine.plain(moment)
                == "walk-through: t=12s errors-on requests=617 200=500 503=114 timeout=3 api=unhealthy left=32s")
        let health = JournalEvent.health(
            .init(
                at: Instant(s(10.07)), sequence: 1, place: Story.place, from: .mostlyHealthy, to: .unhealthy,
                cause: .passive,
                report: .httpFailure, counters: .init(http: 3), limit: 3))
        #expect(
            LiveLine.plain(health, run: "walk-through")
                == "walk-through: 10.07s api:8080 unhealthy (HTTP failure 3 of 3, passive)")
        let note = JournalEvent.note(.init(at: Instant(0), text: "a\u{1B}[2Jb\nc"))
        #expect(LiveLine.plain(note, run: "x") == "x: 0s a [2Jb c")
        let counter = JournalEvent.health(
            .init(at: Instant(0), sequence: 1, place: Story.place, from: .healthy, to: .mostlyHealthy, cause: .passive))
        #expect(LiveLine.plain(counter, run: "x") == nil)
    }

    // MARK: JSON, Markdown, summary

    @Test func `the result document has the promised keys`() throws {
        let text = ResultDocument([report(WalkThrough(tripsAt: 4)), report(WalkThrough())]).json.text(indent: 2)
        let json = try JSONValue(parsing: text.utf8)
        #expect(json["result"] == "fail")
        #expect(json["exit_code"] == 1)
        let run = try #require(json["runs"]?.arrayValue?.first)
        #expect(run["seed"] == "42")
        #expect(run["requests"]?["by_answer"]?["503 from gateway"]?.intValue == 511)
        #expect(
            run["marks"]?.arrayValue?.contains { $0["name"] == "tripped" && $0["t_ns"]?.intValue == 10_061_500_000 }
                == true)
        let verdict = try #require(run["verdicts"]?.arrayValue?.first { $0["id"] == "model-6" })
        #expect(verdict["result"] == "fail")
        #expect(verdict["line"] == 1)
        #expect(verdict["why"] == .null)
    }

    @Test func `Markdown shows what it is given and no more`() {
        let text = MarkdownReport([report(WalkThrough(tripsAt: 4))]).text
        #expect(text.hasPrefix("## gatecrash: fail (0 of 1 runs passed)\n"))
        #expect(text.contains("| ✗ | model-6 | model | api became unhealthy at HTTP failure 4"))
        #expect(MarkdownReport.escape("a|b<c>*d*\n`e`") == "a\\|b\\<c\\>\\*d\\* \\`e\\`")
    }

    @Test func `the summary of a suite`() {
        let summary = SuiteSummary([report(WalkThrough(tripsAt: 4)), report(WalkThrough())], style: Style())
        #expect(
            summary.text == """
                  ✗ walk-through seed 42  fail          9 of 10 hold
                  ✓ walk-through seed 42  pass          10 of 10 hold
                  walk-through: 1 of 2 passed, 1 failed: flake rate 50% (seed 42)
                1 of 2 runs did not pass: fail (exit code 1)
                """)
        #expect(summary.result == .fail)
    }
}

extension String {
    /// Without colours and the clearing of the line.
    fileprivate var replacingEscapes: String {
        var out = ""
        var isEscape = false
        for character in self where character != "\r" {
            if character == "\u{1B}" {
                isEscape = true
            } else if isEscape {
                isEscape = !character.isLetter
            } else {
                out.append(character)
            }
        }
        return out
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Chaos

/// A run against earlier runs of its scenario.
@Suite struct BaselineTests {
    /// What `run --json` wrote of one run of `small`: p99 in milliseconds, successes in a second.
    private static func runs(_ runs: [(p99: Int, rate: Int)], scenario: String = "small") -> String {
        let list = runs.map { run -> JSONValue in
            [
                "scenario": .string(scenario), "cell": [:], "length_ns": 20_000_000_000,
                "requests": [
                    "total": 1000, "ok": .integer(run.rate * 20),
                    "latency_ns": [
                        "count": 1000, "p50": 1_000_000, "p99": .integer(run.p99 * 1_000_000), "p999": 9_000_000,
                        "max": 9_500_000,
                    ],
                ],
            ]
        }
        let document: JSONValue = ["format": 1, "runs": .array(list)]
        return document.text()
    }

    private func options(_ text: String) -> PlanOptions {
        var options = PlanOptions()
        options.readFile = { (path) throws(Problems) in
            guard path == "base.json" else { throw Problems([Problem(at: nil, "\(path): cannot be read")]) }
            return text
        }
        return options
    }

    private static let old = "- { id: after-all,"
    private func scenario(_ expectation: String) -> String {
        Examples.broken(Self.old, "- { \(expectation) }\n  \(Self.old)")
    }

    @Test func `bounds are relative to the median of the runs`() throws {
        let text = scenario(#"baseline: ./base.json, latency.p99: "<= +10%", rate: ">= -3%""#)
        let plan = try Examples.plans(text, options(Self.runs([(4, 48), (5, 50), (9, 49)])))[0]
        let expectation = try #require(plan.expectations.first { $0.id.hasPrefix("baseline") })
        guard case .baseline(let baseline) = expectation.kind else {
            Issue.record("another kind")
            return
        }
        #expect(baseline.entries.map(\.figure) == [.p99, .rate] && baseline.entries.map(\.runs) == [3, 3])
        #expect(baseline.entries[0].before.median == 5e6 && baseline.entries[0].most == 0.1)
        #expect(baseline.entries[1].before.median == 49 && baseline.entries[1].least == -0.03)
        #expect(baseline.entries.map(\.text) == ["<= +10%", ">= -3%"])
        #expect(explain(plan).contains("latency.p99 <= +10% of the median of 3 runs"))
    }

    @Test(arguments: [
        (#"baseline: ./base.json"#, "28:5: a baseline bounds nothing; write latency.p99: \"<= +10%\""),
        (
            #"baseline: ./base.json, rate: "== 3%""#,
            "28:36: `rate` of a baseline cannot be `== 3%`; write \"<= +10%\" or \">= -3%\""
        ),
        (#"baseline: ./base.json, rate: "<= 3ms""#, "28:36: `3ms` is no change; write \"<= +10%\" or \">= -3%\""),
        (
            #"baseline: ../base.json, rate: "<= +3%""#,
            "28:17: `baseline` must name a file in the scenario's folder, not `../base.json`; copy it there"
        ),
        (#"baseline: ./none.json, rate: "<= +3%""#, "28:17: none.json: cannot be read"),
    ])
    func `mistakes are named at their place`(expectation: String, message: String) {
        let messages = Examples.messages(scenario(expectation), options(Self.runs([(5, 50)])))
        #expect(messages.contains("s.yml:" + message), "\(messages)")
    }

    @Test(arguments: [
        ("{", "not valid JSON"), ("{}", "it has no runs"),
        (runs([(5, 50)], scenario: "other"), "it has no run of `small`"),
    ])
    func `a file without earlier runs is refused`(text: String, part: String) {
        let messages = Examples.messages(
            scenario(#"baseline: ./base.json, rate: "<= +3%""#), options(text))
        #expect(messages.contains { $0.contains(part) }, "\(messages)")
    }

    /// The walk-through's 2000 requests take the same time in every run of the toy gateway.
    @Test(arguments: [
        (1.0, 0.1, Verdict.Result.pass), (1.09, 0.1, .pass), (0.5, 0.1, .fail), (0.9, 0.1, .fail), (0.5, 1.5, .pass),
    ])
    func `the verdict is that of the change`(old: Double, most: Double, result: Verdict.Result) throws {
        let view = WalkThrough().played.view
        let p99 = Double(try #require(RunStatistics(view.requests).latency).p99)
        let entry = try #require(BaselineBounds.Entry(figure: .p99, values: [p99 * old], least: nil, most: most))
        let bounds = BaselineBounds(file: "base.json", entries: [entry])
        let verdict = RunJudge.judge(TestPlan.plan([.baseline(bounds)], timer: .zero), view).verdicts[0]
        #expect(verdict.result == result, "\(verdict)")
        #expect(verdict.sentence.contains("against base.json: latency.p99 "))
    }

    // MARK: Repetitions

    /// A run whose p99 is so many milliseconds, against a file; 10% more are allowed.
    private func report(_ p99: Double, _ before: [Double], reasons: [String] = []) throws -> RunReport {
        let entry = try #require(
            BaselineBounds.Entry(figure: .p99, values: before.map { $0 * 1e6 }, least: nil, most: 0.1))
        let comparison = BaselineComparison(file: "base.json", entry: entry, now: p99 * 1e6)
        let isWell = comparison.isAllowed(p99 * 1e6, slack: 0)
        var verdict = Verdict(
            id: "same-speed", group: .expectation, kind: "baseline", result: isWell ? .pass : .fail, seen: "",
            allowed: "", sentence: "alone")
        verdict.comparisons = [comparison]
        return RunReport(
            view: Story().view,
            verdict: RunVerdict(result: isWell ? .pass : .fail, reasons: reasons, verdicts: [verdict]))
    }

    static let before = [4.8, 4.9, 5.0, 5.1, 5.2, 5.0]
    @Test(
        arguments: [
            // One slow run among good ones; all are slower; the median is, and the runs are all over the place; two
            // that are slower could be chance; all are faster.
            ([5.0, 9.0, 5.1, 4.9, 5.2], .pass), ([5.6, 5.7, 5.8, 5.9, 6.0], .fail),
            ([4.7, 4.6, 5.6, 9.0, 8.0], .pass), ([5.6, 5.7], .inconclusive), ([4.5, 4.6, 4.4, 4.2, 4.3], .pass),
        ] as [([Double], RunResult)])
    func `repetitions are judged together, by their ranks`(now: [Double], result: RunResult) throws {
        let reports = RepeatedBaseline.settled(try now.map { try report($0, Self.before) })
        #expect(reports.allSatisfy { $0.verdict.result == result }, "\(reports[0].verdict.verdicts[0].sentence)")
        #expect(reports.allSatisfy { $0.verdict.verdicts[0].isJoint })
    }

    @Test func `a joint verdict says what is compared, and how sure it is`() throws {
        let reports = RepeatedBaseline.settled(try [5.6, 5.7, 5.8, 5.9, 6.0].map { try report($0, Self.before) })
        #expect(
            reports[0].verdict.verdicts[0].sentence
                == "against base.json, 5 runs together: latency.p99 +16.0%: 5.8ms, was 4.8ms..5.2ms in 6 runs "
                + "(p = 0.0043), allowed <= +10%")
        let summary = SuiteSummary(reports, style: Style(width: 80)).text
        #expect(summary.contains("walk-through: fail against base.json, 5 runs together: "), "\(summary)")
    }

    @Test func `too few runs to tell from chance are inconclusive`() throws {
        let reports = RepeatedBaseline.settled(try [9.0, 9.1].map { try report($0, [5, 5.1]) })
        #expect(reports.map(\.verdict.result) == [.inconclusive, .inconclusive])
        #expect(reports[0].verdict.verdicts[0].sentence.contains("too few runs to tell from chance"))
    }

    @Test func `a run alone, and one that came to nothing, keep their verdicts`() throws {
        let alone = try report(9, Self.before)
        #expect(RepeatedBaseline.settled([alone])[0].verdict == alone.verdict)
        let busy = try report(9, Self.before, reasons: ["the host was too busy"])
        let mixed = RepeatedBaseline.settled([busy] + (try [5.0, 5.1].map { try report($0, Self.before) }))
        #expect(mixed[0].verdict == busy.verdict && mixed[1].verdict.result == .pass)
        #expect(mixed[1].verdict.verdicts[0].sentence.contains("2 runs together"))
    }

    // MARK: Score

    @Test func `a score is the part that passed, by weight`() {
        func verdict(_ result: Verdict.Result, _ weight: Double, _ group: Verdict.Group = .expectation) -> Verdict {
            var verdict = Verdict(
                id: "v", group: group, kind: "count", result: result, seen: "", allowed: "", sentence: "")
            verdict.weight = weight
            return verdict
        }
        let run = RunVerdict(
            result: .fail,
            verdicts: [
                verdict(.pass, 3), verdict(.fail, 1), verdict(.inconclusive, 10), verdict(.fail, 10, .invariant),
            ])
        #expect(run.score == 0.75)
        #expect(RunVerdict(result: .fail).score == nil)
        let summary = SuiteSummary([RunReport(view: Story().view, verdict: run)], style: Style(width: 80)).text
        #expect(summary.contains("score 75%: 3 of 4 by weight"), "\(summary)")
        let plain = RunVerdict(result: .pass, verdicts: [verdict(.pass, 1)])
        #expect(
            !SuiteSummary([RunReport(view: Story().view, verdict: plain)], style: Style(width: 80)).text
                .contains("score"))
    }
}

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
        let before = try #require(Spread([p99 * old]))
        let bounds = BaselineBounds(
            file: "base.json",
            entries: [.init(figure: .p99, before: before, runs: 1, least: nil, most: most)])
        let verdict = RunJudge.judge(TestPlan.plan([.baseline(bounds)], timer: .zero), view).verdicts[0]
        #expect(verdict.result == result, "\(verdict)")
        #expect(verdict.sentence.contains("against base.json: latency.p99 "))
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Chaos

@Suite struct StatisticsTests {
    private func judge(
        _ kind: ExpectationKind, _ story: Story, timer: Int64 = 0, steps: [String] = ["errors-on"]
    ) -> Verdict {
        RunJudge.judge(TestPlan.plan([kind], timer: Nanoseconds(timer), steps: steps), story.view).verdicts[0]
    }

    /// A request every 100 ms for 10 s, bad in the given seconds.
    private func story(badFrom: Int64 = -1, badTo: Int64 = -1) -> Story {
        var story = Story()
        for n in 0..<100 {
            let at = ms(100) * Int64(n)
            story.answer(at, at >= badFrom && at < badTo ? 500 : 200)
        }
        story.end(s(10))
        return story
    }

    // MARK: availability

    /// Ten bad ones of a hundred, all in the fifth second.
    @Test(
        arguments: [
            (0.9, nil, nil, Verdict.Result.pass), (0.901, nil, nil, .fail), (0.5, ms(2_000), nil, .pass),
            (0.51, ms(2_000), nil, .fail), (0.0, nil, 10, .pass), (0.0, nil, 9, .fail),
            // A window longer than the run is the run.
            (0.9, s(100), nil, .pass),
        ] as [(Double, Int64?, Int?, Verdict.Result)])
    func `availability over all and over the worst window`(
        least: Double, window: Int64?, budget: Int?, expected: Verdict.Result
    ) {
        let kind = ExpectationKind.availability(
            Availability(
                bound: TestPlan.ratio(least), budget: budget.map { TestPlan.number(nil, $0) },
                window: window.map { Nanoseconds($0) }, during: .wholeRun, loads: []))
        #expect(judge(kind, story(badFrom: s(5), badTo: s(6))).result == expected)
    }

    @Test func `warm-up and other loads are left out`() {
        var story = Story()
        for n in 0..<10 { story.answer(ms(100) * Int64(n), 500, warmup: true) }
        for n in 10..<20 { story.answer(ms(100) * Int64(n), 200) }
        for n in 10..<20 { story.answer(ms(100) * Int64(n), 500, load: "others") }
        story.end(s(3))
        func verdict(_ loads: [String]) -> Verdict.Result {
            judge(
                .availability(
                    Availability(bound: TestPlan.ratio(1), budget: nil, window: nil, during: .wholeRun, loads: loads)),
                story
            ).result
        }
        #expect(verdict(["users"]) == .pass)
        #expect(verdict([]) == .fail)
    }

    @Test func `an uncertain edge makes a share uncertain`() {
        var story = story(badFrom: s(5), badTo: s(5.2))
        story.step("errors-on", s(5.1), to: s(9), lo: ms(150), hi: ms(150))
        func verdict(_ least: Double) -> Verdict.Result {
            judge(
                .availability(
                    Availability(
                        bound: TestPlan.ratio(least), budget: nil, window: nil,
                        during: TestPlan.during("errors-on", "errors-on.end"), loads: [])), story
            ).result
        }
        #expect(verdict(1) == .inconclusive)
        #expect(verdict(0.5) == .pass)
    }

    @Test func `no request at all proves nothing`() {
        var story = Story()
        story.end(s(1))
        let kind = ExpectationKind.availability(
            Availability(bound: TestPlan.ratio(1), budget: nil, window: nil, during: .wholeRun, loads: []))
        let verdict = judge(kind, story)
        #expect(verdict.result == .fail)
        #expect(verdict.seen == "no request")
    }

    // MARK: recovery

    @Test(
        arguments: [
            (s(6), 1.0, s(2), Verdict.Result.pass), (s(0.9), 1.0, s(2), .fail), (s(6), 1.0, s(20), .inconclusive),
        ] as [(Int64, Double, Int64, Verdict.Result)])
    func `recovery is the first arrival from which the share holds`(
        within: Int64, share: Double, stable: Int64, expected: Verdict.Result
    ) {
        var story = story(badFrom: s(4), badTo: s(6))
        story.step("errors-on", s(5))
        let kind = ExpectationKind.recovery(
            Recovery(
                ok: Ratio(share), stable: Nanoseconds(stable), within: TestPlan.time(nil, within),
                after: TestPlan.mark("errors-on"), loads: [], mark: MarkName("back")))
        #expect(judge(kind, story).result == expected)
    }

    // MARK: latency

    @Test(arguments: [
        (LatencyBounds.Statistic.quantile(0.5), ms(50), Verdict.Result.pass), (.quantile(0.5), ms(49), .fail),
        (.quantile(0.99), ms(99), .pass), (.quantile(0.99), ms(98), .fail), (.maximum, ms(100), .pass),
        (.maximum, ms(99), .fail), (.minimum, ms(1), .pass), (.mean, ms(50.5), .pass), (.mean, ms(50.4), .fail),
    ])
    func `quantiles are exact`(statistic: LatencyBounds.Statistic, most: Int64, expected: Verdict.Result) {
        var story = Story()
        for n in 1...100 { story.answer(ms(10) * Int64(n), 200, took: ms(Double(n))) }
        story.end(s(3))
        let kind = ExpectationKind.latency(
            LatencyBounds(
                entries: [.init(statistic: statistic, bound: TestPlan.time(nil, most))], filter: .all,
                isCorrected: true,
                during: .wholeRun))
        #expect(judge(kind, story).result == expected)
    }

    @Test func `a sentence names the answers that it is about`() {
        #expect(OutcomeFilter.all.phrase(of: "latency") == "latency")
        #expect(OutcomeFilter(loads: ["reads"]).phrase(of: "latency") == "latency of reads")
        #expect(OutcomeFilter(outcome: .ok).phrase(of: "latency") == "latency of ok")
    }

    @Test func `corrected latency counts from the planned start`() {
        var story = Story()
        story.answer(s(1), 200, took: ms(10), late: ms(40))
        story.end(s(3))
        func verdict(_ corrected: Bool) -> Verdict {
            judge(
                .latency(
                    LatencyBounds(
                        entries: [.init(statistic: .maximum, bound: TestPlan.time(nil, ms(20)))], filter: .all,
                        isCorrected: corrected, during: .wholeRun)), story)
        }
        #expect(verdict(false).result == .pass)
        #expect(verdict(true).result == .fail)
        #expect(verdict(true).reasons.contains("It was sent 40ms after its planned start: the generator was late"))
    }

    // MARK: count, sometimes

    @Test(
        arguments: [
            (1, 10, Verdict.Result.pass), (11, nil, .fail), (nil, 9, .fail), (10, 10, .pass),
        ] as [(Int?, Int?, Verdict.Result)])
    func `outcomes are counted`(lower: Int?, upper: Int?, expected: Verdict.Result) {
        let kind = ExpectationKind.count(
            Count(
                filter: OutcomeFilter(statuses: [500...599], origin: .upstream), bound: TestPlan.number(lower, upper),
                during: .wholeRun))
        #expect(judge(kind, story(badFrom: s(5), badTo: s(6))).result == expected)
    }

    @Test func `a count with an uncertain edge is inconclusive only where it matters`() {
        var story = story(badFrom: s(5), badTo: s(6))
        story.step("errors-on", s(5.5), to: s(9), lo: ms(50), hi: ms(50))
        func verdict(_ lower: Int, _ upper: Int) -> Verdict.Result {
            judge(
                .count(
                    Count(
                        filter: OutcomeFilter(statuses: [500...500]), bound: TestPlan.number(lower, upper),
                        during: TestPlan.during("errors-on", "errors-on.end"))), story
            ).result
        }
        #expect(verdict(4, 5) == .pass)
        #expect(verdict(5, 5) == .inconclusive)
        #expect(verdict(6, 9) == .fail)
    }

    /// The fault is switched on at the very moment of an arrival: planned 2 ms before the mark, answered after it.
    @Test(arguments: [
        (1, 1, Verdict.Result.pass), (2, 2, .pass), (0, 0, .fail), (3, 9, .fail),
    ])
    func `a request on its way at an edge may be counted on either side`(
        lower: Int, upper: Int, expected: Verdict.Result
    ) {
        var story = Story()
        story.answer(s(4.9), 500)
        story.answer(s(5), 500, took: ms(4))
        story.answer(s(5.1), 500)
        story.step("errors-on", s(5.002), to: s(9), lo: ms(1))
        story.end(s(10))
        let kind = ExpectationKind.count(
            Count(
                filter: OutcomeFilter(statuses: [500...500]), bound: TestPlan.number(lower, upper),
                during: TestPlan.during("errors-on", "errors-on.end")))
        #expect(judge(kind, story).result == expected)
    }

    @Test func `sometimes says what came instead`() {
        let verdict = judge(.sometimes(OutcomeFilter(statuses: [503...503]), during: .wholeRun), story())
        #expect(verdict.result == .fail)
        #expect(verdict.sentence == "503 never came during start..end, allowed >= 1")
        #expect(verdict.reasons.first == "The answers were 100 × 200 from upstream")
    }

    // MARK: requests

    @Test func `lost, duplicated and unknown requests are found by their ids`() {
        var story = Story()
        story.answer(s(1), 200, from: .gateway)  // good to the client, no mock saw it
        let twice = story.answer(s(2), 200)
        story.serve(s(2.1), 200, id: twice)
        story.noAnswer(s(3))
        story.answer(s(4), 200)
        story.end(s(5))
        func verdict(_ lost: Bound?, _ duplicated: Bound?, _ unknown: Bound?) -> Verdict {
            judge(
                .requests(
                    RequestBounds(lost: lost, duplicated: duplicated, unknown: unknown, loads: [], during: .wholeRun)),
                story)
        }
        let one = TestPlan.number(1, 1)
        let none = TestPlan.number(nil, 0)
        #expect(verdict(one, one, one).result == .pass)
        #expect(verdict(none, nil, nil).reasons == ["lost: users-1"])
        #expect(verdict(nil, none, nil).reasons == ["duplicated: users-2"])
        #expect(verdict(nil, nil, none).reasons == ["unknown: users-3"])
    }

    // MARK: traffic, probes

    @Test func `traffic is what mocks saw, without probes`() {
        var story = Story()
        for n in 0..<9 { story.answer(ms(100) * Int64(n), 200) }
        for n in 0..<3 { story.serve(ms(100) * Int64(n), 200, id: "users-\(n + 100)", node: "api-2") }
        story.probe(s(0.5), 200, .success)
        story.end(s(2))
        func verdict(_ node: String, count: Bound? = nil, share: Bound? = nil) -> Verdict.Result {
            judge(
                .traffic(
                    Traffic(
                        filter: TrafficFilter(to: [node], path: nil, method: nil), count: count, share: share,
                        during: .wholeRun)), story
            ).result
        }
        #expect(verdict("api", count: TestPlan.number(9, 9)) == .pass)
        #expect(verdict("api", count: TestPlan.number(0, 0)) == .fail)
        #expect(verdict("api-2", share: TestPlan.ratio(0.25, 0.25)) == .pass)
        #expect(verdict("api-2", share: TestPlan.ratio(0.3, 0.4)) == .fail)
    }

    @Test func `how many mocks of a group got requests, with those that may have`() {
        var story = Story()
        for n in 0..<4 { story.answer(ms(100) * Int64(n), 200) }
        story.serve(s(1), 200, id: "users-100", node: "api-2")
        story.probe(s(0.5), 200, .success)
        story.end(s(2))
        func verdict(_ nodes: Bound, to: [String], path: String? = nil) -> Verdict {
            judge(
                .traffic(
                    Traffic(
                        filter: TrafficFilter(to: to, path: path, method: nil), count: nil, share: nil, nodes: nodes,
                        during: .wholeRun)), story)
        }
        #expect(verdict(TestPlan.number(2, 2), to: ["api", "api-2", "api-3"]).result == .pass)
        #expect(verdict(TestPlan.number(1, 1), to: ["api-2", "api-3"]).result == .pass)
        #expect(verdict(TestPlan.number(0, 0), to: ["api-3"]).result == .pass)
        let failed = verdict(TestPlan.number(1, 1), to: ["api", "api-2"])
        #expect(failed.result == .fail)
        #expect(failed.reasons.contains("Requests reached api, api-2"))
        #expect(verdict(TestPlan.number(1, 1), to: ["api", "api-2"], path: "/nowhere").result == .fail)
    }

    /// Two paths of api, one of api-2; from 2 s on the first is served by api-2, from 4 s on by api again.
    @Test func `paths that are served by another mock than at first have moved`() {
        var story = Story()
        for n in 0..<60 {
            let at = ms(100) * Int64(n)
            story.serve(at, 200, id: "users-1", path: "/a", node: (20..<40).contains(n) ? "api-2" : "api")
            story.serve(at, 200, id: "users-2", path: "/b", node: "api")
            story.serve(at, 200, id: "users-3", path: "/c", node: "api-2")
        }
        story.step("cut", s(2) - 1)
        story.step("back", s(4) - 1)
        story.end(s(6))
        func verdict(_ to: [String], _ moved: Int, _ during: During, since: During? = nil) -> Verdict {
            let since = since ?? During(from: MarkExpression(.start), to: MarkExpression(MarkName("cut")))
            return judge(
                .traffic(
                    Traffic(
                        filter: TrafficFilter(to: to, path: nil, method: nil), count: nil, share: nil,
                        moved: .init(TestPlan.number(moved, moved), since: since), during: during)),
                story, steps: ["cut", "back"])
        }
        let cut = During(from: MarkExpression(MarkName("cut")), to: MarkExpression(MarkName("back")))
        let late = During(from: MarkExpression(MarkName("back")), to: MarkExpression(.end))
        #expect(verdict(["api"], 1, cut).result == .pass)
        #expect(verdict(["api-2"], 0, cut).result == .pass)
        #expect(verdict(["api"], 0, late).result == .pass)
        #expect(verdict(["api", "api-2"], 1, .wholeRun).result == .pass)
        let failed = verdict(["api"], 0, .wholeRun)
        #expect(failed.result == .fail)
        #expect(failed.sentence.hasPrefix("paths of api: moved 1 of 2 paths, allowed == 0"), "\(failed.sentence)")
        #expect(failed.reasons == ["The first, /a of api, came to api-2 at 2s"])
        // A path of two mocks has no home to stay at.
        #expect(verdict(["api-2"], 1, late, since: .wholeRun).result == .pass)
        #expect(verdict(["api-3"], 0, late).result == .fail)
    }

    @Test func `probes are as far apart as wanted, and the odd one is named`() {
        var story = Story()
        for second in [1.0, 6, 11, 17, 22] { story.probe(s(second), 200, .success) }
        story.mark("end", s(25))
        story.end(s(25))
        func verdict(_ every: Bound?, _ count: Bound?) -> Verdict {
            judge(.probes(Probes(to: "api", every: every, count: count, during: .wholeRun)), story)
        }
        #expect(verdict(nil, TestPlan.number(5, nil)).result == .pass)
        #expect(verdict(TestPlan.time(s(4.7), s(6)), nil).result == .pass)
        let odd = verdict(TestPlan.time(s(4.7), s(5.3)), nil)
        #expect(odd.result == .fail)
        #expect(odd.reasons.first == "The probe at 17s came 6s after the one before")
    }

    // MARK: process

    @Test func `a process that ended is not running, and says how`() {
        var story = Story()
        story.process(-s(1), "gateway", .started)
        story.process(s(4), "gateway", .exited, signal: 9)
        story.append(.log(.init(at: Instant(s(3.9)), node: "gateway", text: "out of memory")))
        story.mark("end", s(10))
        story.end(s(10))
        let verdict = judge(.process(node: "gateway", stays: .running, during: .wholeRun), story)
        #expect(verdict.result == .fail)
        #expect(verdict.sentence == "gateway was ended by SIGKILL at 4s, allowed running during start..end")
        #expect(verdict.reasons == ["Its last log line: out of memory"])
        #expect(judge(.exit(node: "gateway", signal: "KILL", code: nil), story).result == .pass)
        #expect(judge(.exit(node: "gateway", signal: "TERM", code: nil), story).result == .fail)
        #expect(judge(.exit(node: "gateway", signal: nil, code: 0), story).result == .fail)
        #expect(
            judge(.exit(node: "api", signal: nil, code: 0), story).sentence
                == "api never ended, allowed ended with code 0")
    }
}

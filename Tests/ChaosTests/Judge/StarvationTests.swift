// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chaos

/// A failure in time that processes' waits for a core explain is inconclusive; nothing else changes.
@Suite struct StarvationTests {
    /// A request every 50 ms for 10 s, 3 ms each; those planned in `slow` take `took`.
    private func story(slow: Range<Int64> = 5_000..<5_200, took: Int64 = ms(191)) -> Story {
        var story = Story()
        for n in 0..<200 {
            let at = Int64(n) * 50
            story.answer(ms(Double(at)), 200, took: slow.contains(at) ? took : ms(3))
        }
        return story
    }

    private func verdict(
        _ story: Story, _ kinds: [ExpectationKind]? = nil, invariants: [Invariant.Kind] = [], stress: Bool = false
    ) -> RunVerdict {
        var story = story
        story.end(s(11))
        let p99 = LatencyBounds(
            entries: [.init(statistic: .quantile(0.99), bound: TestPlan.time(nil, ms(25)))], filter: .all,
            isCorrected: true, during: .wholeRun)
        var plan = TestPlan.plan(kinds ?? [.latency(p99)], invariants: invariants)
        if stress {
            plan.steps = [
                Step(
                    name: "burn", trigger: .at(MarkExpression(.start)), length: nil,
                    action: .stress(StressSpec(node: "gateway", processor: Ratio(0.8))), location: TestPlan.location)
            ]
        }
        return RunJudge.judge(plan, story.view)
    }

    /// Between 5 s and 5.4 s in looks of 50 ms.
    private func starve(_ story: inout Story, _ node: String?, each waited: Int64) {
        for n in 1...8 {
            story.append(.waited(.init(at: Instant(s(5) + ms(50) * Int64(n), lo: ms(50)), node: node, waited: waited)))
        }
    }

    @Test func `a slow answer of a gateway that had its core is a failure`() {
        #expect(verdict(story()).result == .fail)
    }

    @Test func `a slow answer of a gateway that was not let run is inconclusive, and says so`() throws {
        var story = story()
        starve(&story, "gateway", each: ms(45))
        let verdict = verdict(story)
        #expect(verdict.result == .inconclusive)
        let latency = try #require(verdict.verdicts.first)
        #expect(latency.result == .inconclusive)
        #expect(
            latency.reasons.first == "The gateway waited 176ms for a core between 5s and 5.19s, more than the bound "
                + "leaves room for: that proves nothing against the gateway")
        #expect(latency.sentence.contains("p99 191ms, allowed <= 25ms"))
    }

    @Test(
        arguments: [
            // What is left is still more than the bound.
            (ms(30), .fail), (ms(41), .fail), (ms(42), .inconclusive),
        ] as [(Int64, Verdict.Result)])
    func `only as much is forgiven as was waited`(each: Int64, expected: Verdict.Result) {
        var story = story()
        starve(&story, "gateway", each: each)
        #expect(verdict(story).verdicts[0].result == expected)
    }

    @Test func `the waits of a request's way add up, those of other mocks do not`() {
        var story = story()
        starve(&story, "gateway", each: ms(15))
        #expect(verdict(story).result == .fail)
        starve(&story, "api", each: ms(15))
        #expect(verdict(story).result == .fail)
        var others = story
        starve(&others, nil, each: ms(15))
        #expect(verdict(others).result == .inconclusive)
        story.editHeader { $0.nodes.append(.init("api-2", .mock)) }
        starve(&story, "api-2", each: ms(15))
        #expect(verdict(story).result == .fail)
    }

    @Test func `a wait at another time excuses nothing`() {
        var story = story(slow: 8_000..<8_200)
        starve(&story, "gateway", each: ms(50))
        #expect(verdict(story).result == .fail)
    }

    @Test func `what passes stays, however long anybody waited`() {
        var story = story(took: ms(20))
        starve(&story, "gateway", each: ms(50))
        #expect(verdict(story).result == .pass)
    }

    @Test func `what the scenario burns itself excuses nothing`() {
        var story = story()
        starve(&story, "gateway", each: ms(45))
        story.append(.step(.init(at: Instant(s(4)), index: 0, name: "burn", phase: .started)))
        #expect(verdict(story, stress: true).result == .fail)
    }

    @Test func `an invariant on latency is excused as the expectation is`() throws {
        let invariant = Invariant.Kind.alwaysLatency(TestPlan.time(nil, ms(100)), .all)
        #expect(verdict(story(), [], invariants: [invariant]).result == .fail)
        var starved = story()
        starve(&starved, "gateway", each: ms(45))
        let verdict = verdict(starved, [], invariants: [invariant])
        #expect(verdict.verdicts.last?.result == .inconclusive)
    }

    /// Tripped at 1 s, back 5.5 s later; allowed are 5.3 s and what the gateway waited shortly before.
    @Test(arguments: [(0, .fail), (ms(40), .inconclusive), (ms(20), .fail)] as [(Int64, Verdict.Result)])
    func `a change that came late because nobody let it come is inconclusive`(
        wait: Int64, expected: Verdict.Result
    ) {
        var story = Story()
        for n in 0..<80 { story.answer(ms(100) * Int64(n), 200) }
        story.step("errors-on", s(1))
        story.health(s(1.1), .healthy, .unhealthy, .passive, .httpFailure)
        story.health(s(6.5), .unhealthy, .healthy, .active, .success)
        for n in 1...8 where wait > 0 {
            story.append(
                .waited(.init(at: Instant(s(6) + ms(50) * Int64(n), lo: ms(50)), node: "gateway", waited: wait)))
        }
        let kind = ExpectationKind.transition(
            Transition(
                target: TestPlan.api, becomes: .healthy, within: TestPlan.time(nil, s(5.3)),
                after: MarkExpression(MarkName("errors-on")), cause: nil, mark: nil))
        #expect(verdict(story, [kind]).verdicts[0].result == expected)
    }

    /// Two requests of 5 s got no answer in 2 s, or a 504 of the gateway after 2 s, among 200 good ones. Of each look
    /// of 50 ms meanwhile the gateway waited `each`.
    @Test(
        arguments: [(0, .fail), (ms(24), .fail), (ms(26), .inconclusive)] as [(Int64, Verdict.Result)],
        [.timeout, .aborted, nil] as [JournalEvent.Request.Failure?])
    func `a request whose time was over while nobody let it pass is left open`(
        wait: (each: Int64, expected: Verdict.Result), failure: JournalEvent.Request.Failure?
    ) {
        var story = story(slow: 0..<0)
        for _ in 0..<2 {
            if let failure {
                story.noAnswer(s(5), failure)
            } else {
                story.answer(s(5), 504, from: .gateway, took: s(2))
            }
        }
        for n in 1...40 where wait.each > 0 {
            story.append(
                .waited(.init(at: Instant(s(5) + ms(50) * Int64(n), lo: ms(50)), node: "gateway", waited: wait.each)))
        }
        let all = Availability(bound: TestPlan.ratio(1), budget: nil, window: nil, during: .wholeRun, loads: [])
        let unknown = RequestBounds(
            lost: nil, duplicated: nil, unknown: TestPlan.number(nil, 0), loads: [], during: .wholeRun)
        func good(_ least: Int) -> ExpectationKind {
            .count(Count(filter: .init(outcome: .ok), bound: TestPlan.number(least, nil), during: .wholeRun))
        }
        let found = verdict(
            story, [.availability(all), .requests(unknown), good(202), good(203)],
            invariants: [.alwaysAvailability(all), .neverOutcome(.init(statuses: [504...504]))])
        let isOpen = failure != nil
        // More than all of them together is not excused.
        let expected: [Verdict.Result] = [
            wait.expected, isOpen ? wait.expected : .pass, wait.expected, .fail, wait.expected,
            isOpen ? .pass : wait.expected,
        ]
        #expect(found.verdicts.map(\.result) == expected)
        #expect(
            wait.expected == .fail
                || found.verdicts[0].reasons.first?.hasPrefix("The gateway waited 1.04s for a core") == true)
    }

    /// Told to stop at 5 s, stopped 35 ms later; 10 ms are allowed.
    @Test(arguments: [(0, .fail), (ms(30), .inconclusive), (ms(2), .fail)] as [(Int64, Verdict.Result)])
    func `a process that was not let run stops later`(wait: Int64, expected: Verdict.Result) {
        var story = Story()
        story.step("errors-on", s(5), to: s(9))
        story.process(s(5.035), "api", .paused)
        story.process(s(9), "api", .resumed)
        if wait > 0 { starve(&story, "api", each: wait) }
        let start = MarkExpression(MarkName("errors-on"), offset: Nanoseconds(ms(10)))
        let during = During(from: start, to: MarkExpression(MarkName("errors-on"), offset: Nanoseconds(s(3))))
        let kind = ExpectationKind.process(node: "api", stays: .paused, during: during)
        #expect(verdict(story, [kind]).verdicts[0].result == expected)
        // One that does not stop at all is not excused.
        var awake = Story()
        awake.step("errors-on", s(5), to: s(9))
        if wait > 0 { starve(&awake, "api", each: wait) }
        #expect(verdict(awake, [kind]).verdicts[0].result == .fail)
    }
}

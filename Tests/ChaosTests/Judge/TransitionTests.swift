// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Chaos

@Suite struct TransitionTests {
    private func judge(
        _ kinds: ExpectationKind..., tell: (inout Story) -> Void, slack: Int64? = 0
    ) -> [Verdict] {
        var story = Story()
        story.step("errors-on", s(10), to: s(18))
        tell(&story)
        story.end(s(40), canary: ms(20))
        let plan = TestPlan.plan(kinds, timer: slack.map { Nanoseconds($0) })
        return RunJudge.judge(plan, story.view).verdicts
    }

    /// When it happened (± uncertainty), what is allowed after 10 s, what that makes.
    @Test(
        arguments: [
            (s(10.2), 0, nil, ms(300), Verdict.Result.pass),
            // Exactly on the bound is inside.
            (s(10.3), 0, nil, ms(300), .pass),
            (s(10.4), 0, nil, ms(300), .fail),
            (s(10.1), 0, ms(200), ms(300), .fail),
            // The uncertainty covers the edge.
            (s(10.3), ms(50), nil, ms(300), .inconclusive),
            (s(10.4), ms(150), nil, ms(300), .inconclusive),
            (s(10.2), ms(50), ms(200), ms(300), .inconclusive),
            // It does not reach the edge.
            (s(10.2), ms(90), nil, ms(300), .pass),
            (s(10.5), ms(150), nil, ms(300), .fail),
        ] as [(Int64, Int64, Int64?, Int64, Verdict.Result)])
    func `a change is held against the bound with its uncertainty`(
        at: Int64, uncertainty: Int64, lower: Int64?, upper: Int64, expected: Verdict.Result
    ) {
        let verdicts = judge(TestPlan.becomes(.unhealthy, within: TestPlan.time(lower, upper))) { story in
            story.health(at, .healthy, .unhealthy, .passive, .httpFailure, lo: uncertainty, hi: uncertainty)
        }
        #expect(verdicts[0].result == expected)
    }

    @Test func `the measured lateness of timers widens the upper bound only`() {
        let late = TestPlan.becomes(.unhealthy, within: TestPlan.time(nil, ms(300)))
        let early = TestPlan.becomes(.unhealthy, within: TestPlan.time(ms(330), ms(400)))
        let verdicts = judge(
            late, early, tell: { $0.health(s(10.315), .healthy, .unhealthy, .passive, .httpFailure) }, slack: nil)
        #expect(verdicts.map(\.result) == [.pass, .fail])
    }

    @Test func `a bound in requests counts arrivals up to the one in whose course the change came`() {
        func verdict(_ most: Int) -> Verdict.Result {
            judge(TestPlan.becomes(.unhealthy, within: TestPlan.requests(most))) { story in
                for n in 0..<20 { story.answer(s(9.9) + ms(20) * Int64(n), 500) }
                story.health(s(10.045), .healthy, .unhealthy, .passive, .httpFailure)
            }[0].result
        }
        #expect(verdict(3) == .pass)
        #expect(verdict(2) == .fail)
    }

    @Test func `a change by another cause fails and says which`() {
        let verdicts = judge(TestPlan.becomes(.unhealthy, within: TestPlan.time(nil, s(5)), cause: .passive)) { story in
            story.health(s(10.3), .healthy, .unhealthy, .active, .timeout, counters: .init(timeout: 3), limit: 3)
        }
        #expect(verdicts[0].result == .fail)
        #expect(verdicts[0].sentence == "api became unhealthy by active, allowed passive")
    }

    @Test func `a change before the mark does not count, and the sentence says so`() {
        let verdicts = judge(TestPlan.becomes(.unhealthy, within: TestPlan.time(nil, s(5)))) { story in
            story.health(s(9), .healthy, .unhealthy, .passive, .httpFailure)
        }
        #expect(verdicts[0].result == .fail)
        #expect(verdicts[0].sentence == "api never became unhealthy after errors-on, allowed <= 5s")
        #expect(verdicts[0].reasons.first == "It was unhealthy already since 9s")
    }

    @Test func `a change that had no time to come is inconclusive, and so is what depends on it`() {
        let first = TestPlan.becomes(.unhealthy, within: TestPlan.time(nil, s(60)), as: "tripped")
        let second = TestPlan.becomes(.healthy, within: TestPlan.time(nil, s(1)), after: "tripped", as: "recovered")
        let third = ExpectationKind.order([TestPlan.mark("errors-on"), TestPlan.mark("recovered")])
        let verdicts = judge(first, second, third) { $0.answer(s(39), 200) }
        #expect(verdicts.map(\.result) == [.inconclusive, .inconclusive, .inconclusive])
        #expect(verdicts[2].sentence == "cannot be judged: recovered was never seen (see becomes-1)")
    }

    @Test func `marks resolve whatever the order of the file is`() {
        let story = WalkThrough().played
        var plan = WalkThrough.plan
        plan.expectations.swapAt(0, 3)
        plan.marks = plan.marks.map { mark in
            guard case .expectation(let index) = mark.origin else { return mark }
            let moved = [0: 3, 3: 0][index] ?? index
            return MarkDefinition(name: mark.name, origin: .expectation(moved), location: nil)
        }
        plan.judgingOrder = [3, 1, 2, 0, 4, 5, 6]
        #expect(RunJudge.judge(plan, story.view).result == .pass)
    }

    /// A dead target answers nothing: what it answered while it lived explains nothing.
    @Test(arguments: [
        (
            [500, 503],
            "20 requests got 502 from the gateway itself, without an answer of api, and 502 is in neither "
                + "passive.healthy.http_statuses nor passive.unhealthy.http_statuses"
        ),
        (
            [500, 502],
            "20 requests got 502 from the gateway itself, without an answer of api: each is an HTTP failure "
                + "(passive.unhealthy.http_failures = 3), of which the gateway reported none"
        ),
    ])
    func `failures that the gateway made itself and did not count are named`(statuses: [Int], reason: String) {
        var story = Story()
        for n in 0..<20 { story.answer(s(8) + ms(Double(n) * 50), 200) }
        story.step("errors-on", s(10))
        story.probe(s(12), 200, .success)
        for n in 0..<20 { story.answer(s(10) + ms(Double(n) * 50), 502, from: .gateway) }
        story.end(s(20))
        let within = TestPlan.becomes(.unhealthy, within: TestPlan.time(nil, s(1)))
        let checks: JSONValue = [
            "active": ["healthy": ["interval": 5, "successes": 3, "http_statuses": [200]]],
            "passive": [
                "unhealthy": ["http_failures": 3, "http_statuses": .array(statuses.map { .integer($0) })]
            ],
        ]
        let verdict = RunJudge.judge(TestPlan.plan([within], checks: checks), story.view).verdicts[0]
        #expect(verdict.result == .fail)
        #expect(verdict.reasons.first == reason, "\(verdict.reasons)")
    }

    // MARK: stays

    private let stays = ExpectationKind.stays(
        Stays(target: TestPlan.api, stays: .healthy, during: TestPlan.during("errors-on", "errors-on.end"), flaps: nil))

    @Test(
        arguments: [
            (s(9), 0, Verdict.Result.fail), (s(12), 0, .fail), (s(18), 0, .pass), (s(19), 0, .pass),
            (s(17.99), ms(50), .inconclusive),
        ] as [(Int64, Int64, Verdict.Result)])
    func `a departure inside the interval fails, at its end or after it does not`(
        at: Int64, uncertainty: Int64, expected: Verdict.Result
    ) {
        let verdicts = judge(stays) { story in
            story.health(at, .healthy, .unhealthy, .passive, .httpFailure, lo: uncertainty, hi: uncertainty)
        }
        #expect(verdicts[0].result == expected)
    }

    @Test func `counters that move a target between routable states are no departure`() {
        let verdicts = judge(stays) { story in
            story.health(s(12), .healthy, .mostlyHealthy, .passive, .httpFailure)
            story.health(s(13), .mostlyHealthy, .healthy, .active, .success)
        }
        #expect(verdicts[0].result == .pass)
    }

    @Test func `flaps are counted`() {
        func verdict(_ bound: Bound) -> Verdict.Result {
            let flaps = Stays(
                target: TestPlan.api, stays: .healthy, during: TestPlan.during("errors-on", "errors-on.end"),
                flaps: bound)
            return judge(.stays(flaps)) { story in
                for second in [11.0, 13, 15] {
                    story.health(s(second), .healthy, .unhealthy, .passive, .httpFailure)
                    story.health(s(second + 1), .unhealthy, .healthy, .active, .success)
                }
            }[0].result
        }
        #expect(verdict(TestPlan.number(3, 3)) == .pass)
        #expect(verdict(TestPlan.number(nil, 2)) == .fail)
    }

    @Test func `a gateway that starts anew thinks its targets healthy`() {
        var story = Story()
        story.health(s(5), .healthy, .unhealthy, .passive, .httpFailure)
        story.process(s(8), "gateway", .started)
        let history = TargetHistory.all(of: story.view)[TargetKey(TestPlan.api)]
        #expect(history?.changes.map(\.to) == [.unhealthy, .healthy])
        #expect(history?.state(at: s(9)) == .healthy)
    }
}

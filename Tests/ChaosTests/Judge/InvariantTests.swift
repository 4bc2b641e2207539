// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chaos

@Suite struct InvariantTests {
    private func judge(_ kind: Invariant.Kind, grace: Int64 = ms(50), tell: (inout Story) -> Void) -> Verdict {
        var story = Story()
        tell(&story)
        story.end(s(20))
        return RunJudge.judge(TestPlan.plan(invariants: [kind], grace: grace, timer: .zero), story.view).verdicts[0]
    }

    private let whileOut = Invariant.Kind.neverTraffic(
        TrafficFilter(to: ["api"], path: "/orders", method: nil), while: .health(TestPlan.api, .unhealthy))

    /// A request reaches the mock; the target was out from 5 s to 10 s (± uncertainty).
    @Test(
        arguments: [
            (s(4.9), 0, Verdict.Result.pass), (s(5.04), 0, .pass), (s(5.06), 0, .fail), (s(9.9), 0, .fail),
            (s(10.1), 0, .pass),
            (s(5.06), ms(30), .inconclusive), (s(9.99), ms(30), .inconclusive), (s(7), ms(30), .fail),
        ] as [(Int64, Int64, Verdict.Result)])
    func `traffic while a target is out, after the grace`(at: Int64, uncertainty: Int64, expected: Verdict.Result) {
        let verdict = judge(whileOut) { story in
            story.health(s(5), .healthy, .unhealthy, .passive, .httpFailure, lo: uncertainty, hi: uncertainty)
            story.health(s(10), .unhealthy, .healthy, .active, .success, lo: uncertainty, hi: uncertainty)
            story.answer(at - ms(0.5), 200)
            story.answer(s(19), 200)
        }
        #expect(verdict.result == expected)
    }

    @Test func `probes and other paths are not that traffic`() {
        let verdict = judge(whileOut) { story in
            story.health(s(5), .healthy, .unhealthy, .passive, .httpFailure)
            story.probe(s(6), 200, .success)
            story.answer(s(7), 200, path: "/other")
            story.answer(s(19), 503, from: .gateway)
        }
        #expect(verdict.result == .pass)
    }

    @Test func `the path is the client's or the one that a route made of it`() {
        let verdict = judge(whileOut) { story in
            story.health(s(5), .healthy, .unhealthy, .passive, .httpFailure)
            story.append(
                .request(
                    .init(load: "users", n: 1, path: "/orders/1", planned: s(7), end: s(7.1), status: 200, outcome: .ok)
                ))
            story.serve(s(7.01), 200, id: "users-1", path: "/1")
            story.answer(s(19), 503, from: .gateway)
        }
        #expect(verdict.result == .fail)
    }

    @Test func `a status that must never come is named with the first request that got it`() {
        let verdict = judge(.neverOutcome(OutcomeFilter(statuses: [502...502, 504...504]))) { story in
            story.answer(s(1), 200)
            story.answer(s(2), 502, from: .gateway)
            story.answer(s(3), 504, from: .gateway)
        }
        #expect(verdict.result == .fail)
        #expect(
            verdict.sentence
                == "502 or 504 came 2 times, first at 2s: users-2 got 502 from gateway, allowed never")
    }

    @Test func `warm-up is not left out of invariants`() {
        let verdict = judge(.neverOutcome(OutcomeFilter(statuses: [502...502]))) { story in
            story.answer(s(1), 502, from: .gateway, warmup: true)
            story.answer(s(2), 200)
        }
        #expect(verdict.result == .fail)
    }

    @Test func `latency is judged at every request, answered or not`() {
        let bound = TestPlan.time(nil, s(1.2))
        let slow = judge(.alwaysLatency(bound, .all)) { story in
            story.answer(s(1), 200)
            story.answer(s(2), 200, took: s(1.3))
        }
        #expect(slow.result == .fail)
        #expect(slow.seen == "once, first at 2s: users-2 took 1.3s")
        let open = judge(.alwaysLatency(bound, .all)) { story in
            story.append(.request(.init(load: "users", n: 1, planned: s(1), outcome: .unknown)))
        }
        #expect(open.result == .fail)
    }

    @Test func `connections to a dead node, but for probes`() {
        let kind = Invariant.Kind.neverConnections(to: ["api"], while: .process(node: "api", .dead), exceptProbes: true)
        func verdict(_ at: Int64, id: String?) -> Verdict.Result {
            judge(kind) { story in
                story.process(s(5), "api", .exited, signal: 9)
                story.process(s(10), "api", .started)
                story.serve(s(1), 200, id: "users-1", connection: 1)
                story.serve(at, 200, id: id, connection: 2)
                story.answer(s(19), 200)
            }.result
        }
        #expect(verdict(s(6), id: "users-2") == .fail)
        #expect(verdict(s(6), id: nil) == .pass)
        #expect(verdict(s(11), id: "users-2") == .pass)
    }

    @Test func `a condition is made of parts`() {
        var story = Story()
        story.health(s(5), .healthy, .unhealthy, .passive, .httpFailure)
        story.process(s(7), "api", .exited, code: 0)
        let context = JudgeContext(plan: TestPlan.plan(), view: story.view, slack: 0)
        func holds(_ condition: Condition, _ time: Int64) -> Bool {
            ConditionHistory(condition, in: context).holds(at: time, grace: 0) == .yes
        }
        let isOut = Condition.health(TestPlan.api, .unhealthy)
        let isDead = Condition.process(node: "api", .dead)
        #expect(holds(.all([isOut, isDead]), s(6)) == false)
        #expect(holds(.all([isOut, isDead]), s(8)))
        #expect(holds(.any([isOut, isDead]), s(6)))
        #expect(holds(.not(isOut), s(4)))
        #expect(holds(.not(isOut), s(6)) == false)
        #expect(holds(.constant(true), s(6)))
    }
}

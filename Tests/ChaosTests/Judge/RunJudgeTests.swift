// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chaos

@Suite struct RunJudgeTests {
    private let kinds: [ExpectationKind] = [.sometimes(OutcomeFilter(statuses: [503...503]), during: .wholeRun)]

    private func judge(
        _ status: Int = 503, isVirtual: Bool = false, plan edit: (inout Plan) -> Void = { _ in },
        tell: (inout Story) -> Void
    ) -> RunVerdict {
        var story = Story(isVirtual: isVirtual)
        story.answer(s(1), status, from: .gateway)
        tell(&story)
        var plan = TestPlan.plan(kinds)
        edit(&plan)
        return RunJudge.judge(plan, story.view)
    }

    @Test(arguments: [(503, RunResult.pass, Int32(0)), (200, .fail, 1)])
    func `expectations decide a finished run`(status: Int, result: RunResult, code: Int32) {
        let verdict = judge(status) { $0.end(s(2)) }
        #expect(verdict.result == result)
        #expect(verdict.result.exitCode == code)
    }

    @Test(arguments: [
        (JournalEvent.End.Reason.precondition, RunResult.precondition, Int32(3)), (.topology, .topology, 5),
        (.internalError, .internalError, 6), (.interrupted, .interrupted, 130), (.timeout, .fail, 1),
    ])
    func `the end of a run decides what cannot be judged`(
        reason: JournalEvent.End.Reason, result: RunResult, code: Int32
    ) {
        let verdict = judge(503) { $0.end(s(2), reason) }
        #expect(verdict.result == result)
        #expect(verdict.result.exitCode == code)
    }

    /// The p99 of a story's generator is half of what is given.
    @Test func `a load that was late as a rule makes the run inconclusive, whatever was seen`() {
        for status in [200, 503] {
            let verdict = judge(status) { $0.end(s(2), generator: ms(102)) }
            #expect(verdict.result == .inconclusive)
            #expect(verdict.result.exitCode == 4)
            #expect(
                verdict.reasons == [
                    "the load generator was more than 51ms late one time in a hundred, tolerance.max_lateness is 50ms: "
                        + "the host was too busy to judge by this run"
                ])
        }
        #expect(judge(200) { $0.end(s(2), canary: ms(102)) }.verdicts.map(\.result) == [.inconclusive])
        #expect(judge(503) { $0.end(s(2), generator: ms(100)) }.result == .pass)
        #expect(judge(503, isVirtual: true) { $0.end(s(2), generator: s(1)) }.result == .pass)
    }

    /// One in a hundred of 80 requests is a single one.
    @Test(arguments: [(80, 20.0, RunResult.pass), (80, 51, .inconclusive), (500, 20, .inconclusive)])
    func `few requests are late as a rule when half of them are`(count: Int, p50: Double, result: RunResult) {
        let verdict = judge(503) { story in
            story.append(
                .end(
                    .init(
                        at: Instant(s(2)),
                        generator: .init(count: count, p50: ms(p50), p99: ms(60), p999: ms(60), max: ms(60)))))
        }
        #expect(verdict.result == result)
    }

    @Test func `a single hiccup takes a failure, and nothing else`() {
        let failed = judge(200) { $0.end(s(2), canary: ms(60)) }
        #expect(failed.result == .inconclusive)
        #expect(failed.verdicts.map(\.result) == [.inconclusive])
        #expect(
            failed.verdicts[0].reasons.first
                == "A timer of the runner was 60ms late, tolerance.max_lateness is 50ms: a failure after that proves "
                + "nothing against the gateway")
        #expect(judge(503) { $0.end(s(2), canary: ms(60)) }.result == .pass)
        #expect(judge(200) { $0.end(s(2), canary: ms(50)) }.result == .fail)
    }

    /// The target left at 10 s, which is too late; the hiccup was noted at `hiccup`, so it began 0.36 s before at most.
    @Test(arguments: [(10.5, Verdict.Result.fail), (10.3, .inconclusive), (5, .inconclusive)])
    func `a failure that was certain before the hiccup stands`(hiccup: Double, expected: Verdict.Result) {
        var story = Story()
        story.step("errors-on", s(8))
        story.health(s(10), .healthy, .unhealthy, .passive, .httpFailure)
        story.answer(s(15), 503, from: .gateway)
        story.append(.lateness(.init(at: Instant(s(hiccup)), source: .canary, late: ms(60))))
        story.end(s(20), canary: ms(60))
        let plan = TestPlan.plan([TestPlan.becomes(.unhealthy, within: TestPlan.time(nil, s(1)))])
        #expect(RunJudge.judge(plan, story.view).verdicts[0].result == expected)
    }

    /// 1.03 s were seen, at least 1 s is asked for.
    @Test(arguments: [(20.0, Verdict.Result.pass), (9.5, .inconclusive), (5, .pass)])
    func `a lower limit that was met by the help of a hiccup is not met`(hiccup: Double, expected: Verdict.Result) {
        var story = Story()
        story.step("errors-on", s(9))
        story.health(s(10.03), .healthy, .unhealthy, .passive, .httpFailure)
        story.append(.lateness(.init(at: Instant(s(hiccup)), source: .generator, late: ms(60))))
        story.end(s(20), generator: ms(60))
        let plan = TestPlan.plan([TestPlan.becomes(.unhealthy, within: TestPlan.time(s(1), s(2)))])
        #expect(RunJudge.judge(plan, story.view).verdicts[0].result == expected)
    }

    @Test func `a journal that was cut off is inconclusive`() {
        let verdict = judge(200) { _ in }
        #expect(verdict.result == .inconclusive)
        #expect(verdict.reasons == ["the journal has no end: the run was cut off"])
    }

    @Test func `what only should be does not fail a run`() {
        let verdict = judge(200, plan: { $0.expectations[0].severity = .should }) { $0.end(s(2)) }
        #expect(verdict.result == .pass)
        #expect(verdict.verdicts[0].result == .fail)
    }

    @Test func `a first checkpoint that does not hold is a precondition`() {
        func step(_ index: Int, _ phase: JournalEvent.Step.Phase) -> JournalEvent {
            .step(
                .init(
                    at: Instant(0), index: index, name: "steady", phase: phase, text: "gateway does not answer",
                    isCheckpoint: true))
        }
        let verdict = judge(503) { story in
            story.append(step(0, .failed))
            story.end(s(2))
        }
        #expect(verdict.result == .precondition)
        #expect(verdict["steady"]?.sentence == "checkpoint steady did not hold: gateway does not answer")
        let later = judge(503) { story in
            story.append(step(3, .failed))
            story.end(s(2))
        }
        #expect(later.result == .fail)
    }

    @Test func `an invariant violated before a checkpoint breaks the checkpoint`() {
        var story = Story()
        story.answer(s(1), 502, from: .gateway)
        story.answer(s(3), 200)
        story.append(
            .step(.init(at: Instant(s(2)), index: 4, name: "calm", phase: .started, isCheckpoint: true)))
        story.end(s(4))
        let plan = TestPlan.plan(invariants: [.neverOutcome(OutcomeFilter(statuses: [502...502]))])
        let verdict = RunJudge.judge(plan, story.view)
        #expect(verdict.result == .fail)
        #expect(verdict["calm"]?.seen == "violated before it: never-1")
    }

    @Test(arguments: [
        ([RunResult.pass, .inconclusive], RunResult.inconclusive), ([.inconclusive, .precondition], .precondition),
        ([.precondition, .fail], .fail), ([.fail, .topology], .topology), ([.topology, .invalid], .invalid),
        ([.invalid, .internalError], .internalError), ([], .pass),
    ])
    func `the worst run decides a suite`(results: [RunResult], worst: RunResult) {
        #expect(RunResult.worst(results) == worst)
    }

    @Test func `the command that runs it again`() {
        func reproduce(_ file: String, isVirtual: Bool = false) -> String {
            var story = Story(isVirtual: isVirtual)
            story.editHeader { $0.file = file }
            story.end(s(1))
            return RunJudge.judge(TestPlan.plan(), story.view).reproduce
        }
        #expect(reproduce("a/b.yaml") == "gatecrash run a/b.yaml --seed 42")
        #expect(reproduce("b.yaml", isVirtual: true) == "gatecrash run b.yaml --seed 42 --virtual")
        #expect(reproduce("it's one.yaml") == "gatecrash run 'it'\\''s one.yaml' --seed 42")
    }

    @Test func `requests in flight at a mark are those sent and not answered`() {
        var story = Story()
        story.step("errors-on", s(5))
        story.answer(s(4.9), 200, took: ms(50))  // answered before
        story.answer(s(4.8), 200, took: ms(600))  // in flight
        story.answer(s(4.9), 503, from: .gateway, took: ms(500))  // in flight, no mock has it
        story.answer(s(5.1), 200)  // sent after
        story.answer(s(4.9), 200, took: ms(500), load: "writes")
        let context = JudgeContext(plan: TestPlan.plan(), view: story.view, slack: 0)
        #expect(context.requestsInFlight(to: "api", at: TestPlan.mark("errors-on"), load: "users") == 2)
        #expect(context.requestsInFlight(to: "api", at: TestPlan.mark("errors-on"), load: nil) == 3)
        #expect(context.requestsInFlight(to: "api-2", at: TestPlan.mark("errors-on"), load: "users") == 1)
        #expect(context.requestsInFlight(to: "api", at: TestPlan.mark("nowhere"), load: nil) == nil)
    }

    @Test func `marks can be told while a run is under way`() {
        var story = Story()
        story.step("errors-on", s(10))
        story.health(s(10.1), .healthy, .unhealthy, .passive, .httpFailure)
        let plan = TestPlan.plan([TestPlan.becomes(.unhealthy, within: TestPlan.time(nil, s(1)), as: "tripped")])
        #expect(RunJudge.marks(plan, story.view).map(\.name) == ["start", "errors-on", "tripped"])
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chaos

@Suite struct WindowTests {
    /// A request every 100 ms for 20 s; 503 in the given stretches (first and last arrival), else 200.
    private func story(_ dark: [ClosedRange<Int64>], late: Int64 = 0) -> Story {
        var story = Story()
        story.step("errors-on", s(5), to: s(10))
        for n in 0...200 {
            let at = ms(100) * Int64(n)
            let isDark = dark.contains { $0.contains(at) }
            story.answer(at, isDark ? 503 : 200, from: isDark ? .gateway : .upstream, late: late)
        }
        story.end(s(20))
        return story
    }

    private func judge(_ kind: ExpectationKind, _ story: Story) -> Verdict {
        RunJudge.judge(TestPlan.plan([kind], timer: .zero), story.view).verdicts[0]
    }

    /// Dark from the first to the last arrival; the bound on the start after 5 s.
    @Test(
        arguments: [
            (s(5.1), 0, ms(100), Verdict.Result.pass),
            (s(5.2), 0, ms(150), .pass),  // nobody asked between 5.1 and 5.2 s: it may have begun there
            (s(5.3), 0, ms(150), .fail),
            (s(4.8), 0, ms(150), .fail),
            (s(5), 0, ms(150), .pass),
        ] as [(Int64, Int64, Int64, Verdict.Result)])
    func `the start of a window lies between two arrivals`(
        first: Int64, lower: Int64, upper: Int64, expected: Verdict.Result
    ) {
        let window = TestPlan.window(503, origin: .gateway, starts: TestPlan.after("errors-on", lower, upper))
        #expect(judge(window, story([first...s(8)])).result == expected)
    }

    /// Dark until the last arrival; the bound on the end after 10 s.
    @Test(
        arguments: [
            (s(9.9), 0, ms(150), Verdict.Result.pass),  // the next arrival, at 10 s, was the first that could be served
            (s(9.8), 0, ms(150), .fail),
            (s(10.1), 0, ms(150), .pass),
            (s(10.2), 0, ms(150), .fail),
            (s(9.9), ms(-110), ms(10), .pass),
            (s(10), ms(-110), ms(10), .pass),
            (s(10.1), ms(-110), ms(10), .fail),
            (s(9.7), ms(-110), ms(10), .fail),
        ] as [(Int64, Int64, Int64, Verdict.Result)])
    func `the end of a window lies between two arrivals`(
        last: Int64, lower: Int64, upper: Int64, expected: Verdict.Result
    ) {
        let window = TestPlan.window(503, origin: .gateway, ends: TestPlan.after("errors-on.end", lower, upper))
        #expect(judge(window, story([s(6)...last])).result == expected)
    }

    @Test func `a request that we sent late may be planned before the mark that it shows`() {
        var story = Story()
        story.step("errors-on", s(5), to: s(10))
        story.answer(s(4.98), 200)
        // Planned 5 ms before the mark, sent 3 ms after it: the gateway is not to blame.
        story.answer(s(4.995), 503, from: .gateway, late: ms(8))
        story.answer(s(5.02), 503, from: .gateway)
        story.answer(s(5.04), 200)
        story.end(s(6))
        let window = TestPlan.window(503, starts: TestPlan.after("errors-on", ms(1), ms(100)))
        #expect(judge(window, story).result == .pass)
    }

    /// How long it must last, dark from 6 s to 8 s: between 2 s (by arrivals) and 2.2 s (by the neighbours).
    @Test(
        arguments: [
            (s(1), s(2), Verdict.Result.pass), (s(2.1), s(3), .pass), (s(2.3), s(3), .fail), (s(1), s(1.9), .fail),
        ] as [(Int64, Int64, Verdict.Result)])
    func `the length of a window`(lower: Int64, upper: Int64, expected: Verdict.Result) {
        let window = TestPlan.window(503, lasts: TestPlan.time(lower, upper))
        #expect(judge(window, story([s(6)...s(8)])).result == expected)
    }

    @Test func `runs further apart than the gap are counted apart`() {
        let two = story([s(6)...s(7), s(8)...s(9)])
        #expect(judge(TestPlan.window(503, count: TestPlan.number(2, 2)), two).result == .pass)
        let verdict = judge(TestPlan.window(503, count: TestPlan.number(1, 1)), two)
        #expect(verdict.result == .fail)
        #expect(verdict.seen == "came 2 times")
        #expect(judge(TestPlan.window(503, count: TestPlan.number(1, 1), purity: 0.5, gap: s(2)), two).result == .pass)
    }

    @Test func `another answer inside a run makes it impure`() {
        let holed = story([s(6)...s(7), s(7.2)...s(8)])
        let verdict = judge(TestPlan.window(503, count: TestPlan.number(1, 1)), holed)
        #expect(verdict.result == .fail)
        #expect(verdict.seen == "is 95.238% pure (1 of 21 requests differ)")
        #expect(judge(TestPlan.window(503, purity: 0.9), holed).result == .pass)
    }

    @Test func `a window that never came fails unless none was wanted`() {
        let bright = story([])
        let verdict = judge(TestPlan.window(503, starts: TestPlan.after("errors-on", 0, ms(100))), bright)
        #expect(verdict.result == .fail)
        #expect(verdict.sentence == "window 503 never came, allowed at least one")
        #expect(judge(TestPlan.window(503, count: TestPlan.number(0, 0)), bright).result == .pass)
    }

    @Test func `the same status from the upstream is no window of the gateway`() {
        var story = Story()
        for n in 0..<20 { story.answer(ms(100) * Int64(n), 503, from: n < 10 ? .upstream : .gateway) }
        story.end(s(3))
        #expect(
            judge(TestPlan.window(503, origin: .gateway, lasts: TestPlan.time(ms(900), ms(900))), story).result == .pass
        )
        #expect(judge(TestPlan.window(503, lasts: TestPlan.time(ms(1900), ms(1900))), story).result == .pass)
    }

    @Test func `edges of a window make marks, and order leaves them the room they have`() {
        let window = TestPlan.window(503, as: "dark")
        let order = ExpectationKind.order(
            ["errors-on", "dark.start", "errors-on.end", "dark.end"].map { TestPlan.mark($0) })
        let plan = TestPlan.plan([window, order], timer: .zero)
        // The last 503 came at 9.9 s, the next request at 10 s: the end is not before 10 s for certain.
        #expect(RunJudge.judge(plan, story([s(5)...s(9.9)]).view).verdicts[1].result == .pass)
        let verdict = RunJudge.judge(plan, story([s(5)...s(9.7)]).view).verdicts[1]
        #expect(verdict.result == .fail)
        #expect(verdict.seen == "dark.end (9.7s) came 300ms before errors-on.end (10s)")
    }

    @Test func `order is inconclusive when the uncertainty of two marks overlaps`() {
        var story = Story()
        story.step("errors-on", s(5), to: s(5.01), lo: ms(20), hi: ms(20))
        story.end(s(6))
        func verdict(_ names: [String]) -> Verdict.Result {
            judge(.order(names.map { TestPlan.mark($0) }), story).result
        }
        #expect(verdict(["errors-on", "errors-on.end"]) == .inconclusive)
        #expect(verdict(["errors-on.end", "errors-on"]) == .inconclusive)
        #expect(verdict(["start", "errors-on"]) == .pass)
        #expect(verdict(["errors-on", "start"]) == .fail)
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import Document
import Testing

@Suite struct TimelineTests {
    private static let place = SourceLocation(file: "test.yaml", line: 1, column: 1)

    private func step(
        _ name: String?, _ trigger: Step.Trigger, length: Nanoseconds? = nil, _ action: Step.Action = .checkpoint
    ) -> Step {
        Step(name: name, trigger: trigger, length: length, action: action, location: Self.place)
    }
    private func at(_ seconds: Int64) -> Step.Trigger { .at(MarkExpression(.start, offset: .seconds(seconds))) }
    private func after(_ mark: String, _ seconds: Int64 = 0) -> Step.Trigger {
        .at(MarkExpression(MarkName(mark), offset: .seconds(seconds)))
    }
    private func never(_: Condition) -> Bool { false }

    @Test func `a step is ordered once, at its time`() {
        var timeline = Timeline([step("one", at(5))])
        #expect(timeline.nextDeadline == .seconds(5))
        #expect(timeline.advance(to: .seconds(5) - Nanoseconds(1), holds: never) == [])
        #expect(timeline.advance(to: .seconds(5), holds: never) == [.perform(0)])
        #expect(timeline.advance(to: .seconds(6), holds: never) == [])
        #expect(timeline.nextDeadline == nil)
    }

    @Test func `its length counts from when it was due, however slow it was`() {
        var timeline = Timeline([step("one", at(5), length: .seconds(8))])
        _ = timeline.advance(to: .seconds(5), holds: never)
        timeline.performed(0, at: .milliseconds(5_400))
        #expect(timeline.active == [0])
        #expect(timeline.nextDeadline == .seconds(13))
        #expect(timeline.advance(to: .seconds(13), holds: never) == [.undo(0)])
        timeline.undone(0, at: .milliseconds(13_001))
        #expect(timeline.nextDeadline == nil)
        #expect(timeline.active == [])
    }

    @Test func `steps follow the marks that others make`() {
        var timeline = Timeline([
            step("first", at(1), length: .seconds(2)), step("second", after("first", 1)), step(nil, after("first.end")),
        ])
        #expect(timeline.awaitsMarks)
        _ = timeline.advance(to: .seconds(1), holds: never)
        timeline.performed(0, at: .milliseconds(1_100))
        #expect(timeline.nextDeadline == .milliseconds(2_100))
        #expect(timeline.advance(to: .milliseconds(2_100), holds: never) == [.perform(1)])
        #expect(timeline.advance(to: .seconds(3), holds: never) == [.undo(0)])
        #expect(timeline.unreached == [2])
        timeline.undone(0, at: .milliseconds(3_050))
        #expect(!timeline.awaitsMarks)
        #expect(timeline.advance(to: .milliseconds(3_050), holds: never) == [.perform(2)])
    }

    @Test func `what is in force at the end is taken back, the last one first`() {
        var timeline = Timeline([
            step("first", at(1)), step("second", at(2), length: .seconds(50)),
            step("third", at(3), length: .seconds(1)),
        ])
        for (index, second) in [1, 2, 3].enumerated() {
            #expect(timeline.advance(to: .seconds(Int64(second)), holds: never) == [.perform(index)])
            timeline.performed(index, at: .seconds(Int64(second)))
        }
        #expect(timeline.inForce == [2, 1, 0])
        #expect(timeline.advance(to: .seconds(4), holds: never) == [.undo(2)])
        timeline.undone(2, at: .seconds(4))
        #expect(timeline.inForce == [1, 0])
    }

    @Test func `an observed mark starts a step also when it is learnt late`() {
        var timeline = Timeline([step("react", after("tripped", 1))])
        #expect(timeline.advance(to: .seconds(100), holds: never) == [])
        timeline.know(MarkName("tripped"), at: .seconds(10))
        timeline.know(MarkName("tripped"), at: .seconds(90))  // the first sighting counts
        #expect(timeline.advance(to: .seconds(12), holds: never) == [.perform(0)])
    }

    @Test func `a condition starts a step when it holds, and the length counts from its effect`() {
        var timeline = Timeline([step("react", .when(.process(node: "api", .dead)), length: .seconds(3))])
        #expect(timeline.nextDeadline == nil)
        #expect(!timeline.awaitsMarks)
        #expect(timeline.advance(to: .seconds(4)) { _ in false } == [])
        #expect(timeline.advance(to: .seconds(5)) { $0 == .process(node: "api", .dead) } == [.perform(0)])
        timeline.performed(0, at: .milliseconds(5_500))
        #expect(timeline.nextDeadline == .milliseconds(8_500))
    }

    @Test func `at one instant undoing comes before doing, and the file's order rules`() {
        var timeline = Timeline([
            step("c", at(9)), step("a", at(1), length: .seconds(8)), step("b", at(9)), step("d", at(8)),
        ])
        _ = timeline.advance(to: .seconds(1), holds: never)
        timeline.performed(1, at: .seconds(1))
        #expect(
            timeline.advance(to: .seconds(9), holds: never) == [.perform(3), .undo(1), .perform(0), .perform(2)])
    }

    @Test func `a skipped or failed step is over`() {
        var timeline = Timeline([
            step("steady", at(0)), step("bad", at(1), length: .seconds(1)), step("x", after("bad")),
        ])
        timeline.skip(0)
        #expect(timeline.advance(to: .seconds(1), holds: never) == [.perform(1)])
        timeline.failed(1)
        #expect(timeline.nextDeadline == nil)
        #expect(timeline.advance(to: .seconds(9), holds: never) == [])
        #expect(timeline.unreached == [2])
    }
}

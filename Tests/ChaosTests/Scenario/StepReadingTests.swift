// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing
import World

@testable import Chaos

/// How many steps a written one stands for, when they are due, and what the seed decides about them.
struct StepReadingTests {
    private func plan(_ step: String) throws -> Plan {
        let text = Examples.broken("{ at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 } }", step)
        return try #require(try Examples.plans(text).first)
    }

    /// The steps of one item, without the checkpoint before and the latency behind it.
    private func steps(_ step: String, seed: UInt64? = nil) throws -> [Step] {
        let plan = try plan(step)
        let drawn = seed.map { plan.drawn(RandomStreams(seed: $0)) } ?? plan
        return Array(drawn.steps.dropFirst().dropLast())
    }

    private func times(_ steps: [Step]) -> [Nanoseconds?] {
        steps.map { if case .at(let mark) = $0.trigger, mark.mark == .start { mark.offset } else { nil } }
    }

    @Test func `every five seconds, three times`() throws {
        let steps = try steps("{ every: 5s, times: 3, name: errors, for: 1s, mock: api, set: { ERROR_RATE: 1 } }")
        #expect(times(steps) == [.seconds(5), .seconds(10), .seconds(15)])
        #expect(steps.map(\.name) == ["errors-1", "errors-2", "errors-3"])
        #expect(steps.map(\.marksDone).first == [MarkName("errors-1"), MarkName("errors")])
        #expect(steps.map(\.marksUndone).last == [MarkName("errors-3.end"), MarkName("errors.end")])
        #expect(steps[1].marksDone == [MarkName("errors-2")])
    }

    @Test func `a time beside every is that of the first`() throws {
        let steps = try steps("{ at: 1s, every: 2s, times: 2, name: errors, for: 1s, pause: api }")
        #expect(times(steps) == [.seconds(1), .seconds(3)])
    }

    @Test func `every mark of a repeated step can be named`() throws {
        let plan = try plan("{ every: 5s, times: 2, name: errors, for: 1s, mock: api, set: { ERROR_RATE: 1 } }")
        let names = plan.marks.map(\.name.text)
        for name in ["errors", "errors.end", "errors-1", "errors-1.end", "errors-2", "errors-2.end"] {
            #expect(names.contains(name))
        }
    }

    @Test func `between two times the seed decides, always alike`() throws {
        let item = "{ between: [4s, 14s], random: true, name: errors, for: 1s, pause: api }"
        let first = times(try steps(item, seed: 1))
        #expect(first == times(try steps(item, seed: 1)))
        let all = try (1...40).compactMap { try times(steps(item, seed: $0)).first ?? nil }
        #expect(all.count == 40)
        #expect(all.allSatisfy { $0 >= .seconds(4) && $0 < .seconds(14) })
        #expect(Set(all).count > 30)
        #expect(all.contains { $0 < .seconds(7) } && all.contains { $0 > .seconds(11) })
    }

    @Test func `between without chance is spread evenly`() throws {
        let steps = try steps("{ between: [4s, 10s], random: false, times: 3, name: errors, for: 1s, pause: api }")
        #expect(times(steps) == [.seconds(4), .seconds(7), .seconds(10)])
    }

    @Test func `one of a group is drawn`() throws {
        let item = "{ at: 5s, name: errors, for: 1s, kill: { one-of: pair } }"
        var killed: Set<Step.Action> = []
        for seed in 1...30 as ClosedRange<UInt64> { killed.formUnion(try steps(item, seed: seed).map(\.action)) }
        let both: Set<Step.Action> = [.kill(node: "pair-1"), .kill(node: "pair-2")]
        #expect(killed == both)
        let (first, second) = (try steps(item, seed: 3), try steps(item, seed: 3))
        #expect(first == second)
    }

    @Test func `all of a group are steps of one family`() throws {
        let steps = try steps("{ at: 5s, name: errors, for: 1s, mock: { all-of: pair }, set: { ERROR_RATE: 1 } }")
        #expect(steps.map(\.name) == ["errors-1", "errors-2"])
        #expect(steps.map { if case .set(let mock, _) = $0.action { mock } else { "" } } == ["pair-1", "pair-2"])
    }

    @Test func `some of several are different ones`() throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            let steps = try steps(
                "{ at: 5s, name: errors, for: 1s, kill: { some-of: [pair, api], count: 2 } }", seed: seed)
            #expect(steps.count == 2)
            #expect(steps[0].action != steps[1].action)
        }
    }

    @Test func `a crash loop waits for each crash to be over`() throws {
        let steps = try steps(
            "{ at: 5s, name: errors, kill: api, crash_loop: { times: 3, up: 1s, down: 500ms..2s } }", seed: 5)
        #expect(steps.map(\.name) == ["errors-1", "errors-2", "errors-3"])
        #expect(steps[1].trigger == .at(MarkExpression(MarkName("errors-1.end"), offset: .seconds(1))))
        let lengths = steps.compactMap(\.length)
        #expect(lengths.count == 3 && Set(lengths).count == 3)
        #expect(lengths.allSatisfy { $0 >= .milliseconds(500) && $0 <= .seconds(2) })
        #expect(steps.last?.marksUndone == [MarkName("errors-3.end"), MarkName("errors.end")])
    }

    @Test func `a length may be drawn`() throws {
        let item = "{ at: 5s, name: errors, for: 1s..3s, pause: api }"
        let lengths = try (1...20).compactMap { try steps(item, seed: $0).first?.length }
        #expect(lengths.allSatisfy { $0 >= .seconds(1) && $0 <= .seconds(3) })
        #expect(Set(lengths).count > 10)
        #expect(try steps(item).first?.length == .seconds(3))
    }

    @Test func `a plan without draws stays as it is`() throws {
        let plan = try plan("{ at: 5s, name: errors, for: 1s, pause: api }")
        #expect(plan.drawn(RandomStreams(seed: 9)) == plan)
    }

    @Test func `signals are known by any of their names`() throws {
        for name in ["TERM", "SIGTERM", "sigterm", "15"] {
            let steps = try steps("{ at: 5s, name: errors, for: 1s, signal: { to: api, name: \(name) } }")
            #expect(steps.map(\.action) == [.signal(node: "api", name: "TERM")])
        }
    }

    @Test func `health by hand names a target`() throws {
        let steps = try steps("{ at: 5s, name: errors, for: 1s, health: { target: api, set: unhealthy } }")
        guard case .health(let target, .unhealthy)? = steps.first?.action else {
            Issue.record("no health step")
            return
        }
        #expect(target.target == "api:8080" && target.upstream == "up")
    }

    @Test func `a configuration brings targets that the first one has not`() throws {
        let text = Examples.broken(
            "{ at: 5s, name: errors, for: 5s, mock: api, set: { ERROR_RATE: 0.9 } }",
            "{ at: 5s, name: errors, for: 5s, patch: { upstreams: { up: { targets: { \"pair-1:8080\": {} } } } } }"
        )
        .split(separator: "\n").map { $0.contains("id: trips") ? $0 + "\n  - { target: pair-1, stays: healthy }" : $0 }
        .joined(separator: "\n")
        let plan = try #require(try Examples.plans(text).first)
        #expect(plan.topology.bindings.contains { $0.mock == "pair-1" && $0.port == 8080 })
        #expect(plan.topology.gateways[0].isReconfigured)
        guard case .stays(let stays) = plan.expectations[1].kind else {
            Issue.record("no such expectation")
            return
        }
        #expect(stays.target.target == "pair-1:8080")
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import Document
import FoundationEssentials
import Testing

/// What the runner samples beside the traffic, for real.
extension RealRunTests {
    @Test func `a gateway in the runner's process is driven and judged like one of its own`() async throws {
        let timeline = """
            { at: 1s, name: errors-on, for: 150ms, mock: api, set: { ERROR_RATE: 1 } }
            { at: 2.2s, name: change, for: 200ms, patch: { services: { s: { retries: 1 } } } }
            """
        let expect = "{ id: says-so, log: { of: gateway, match: /is unhealthy by passive check/, count: 1 } }"
        let text = text(timeline, expect: expect)
            .replacing("  gateway:\n    inline:", with: "  gateway:\n    process: in-process\n    inline:")
        let plan = try #require(try Plan.cells(ScenarioFile(parsing: text, path: "test.yaml")).first)
        #expect(plan.topology.gateways[0].process == .inProcess)
        let finished = try await run(plan)
        let view = finished.report.view
        #expect(finished.report.verdict.result == .pass, "\(finished.report.verdict.verdicts)")
        #expect(view.health.contains { !$0.to.isRoutable && $0.cause == .passive })
        #expect(view.configurations.count == 2)
        let gateway = view.processes.filter { $0.node == "gateway" }
        #expect(gateway.map(\.change) == [.ready])
        #expect(gateway.map(\.pid) == [Int(OwnProcess.identifier)])
    }

    /// The bound is one that no proxy keeps; who had no core is not to blame for that.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self/schedstat"), "no schedstat"))
    func `a bound that is missed for want of a core is inconclusive, and the journal says who waited`() async throws {
        let text = text("{ at: 1s, checkpoint: later }", expect: "{ id: quick, latency: { p99: <= 100us } }")
            .replacing("max_lateness: 1s", with: "max_lateness: 1s, timer: 0s")
        let plan = try #require(try Plan.cells(ScenarioFile(parsing: text, path: "test.yaml")).first)
        let crowd = Crowd.gather()
        defer { crowd.disperse() }
        let finished = try await run(plan)
        let quick = try #require(finished.report.verdict["quick"])
        #expect(quick.result == .inconclusive)
        #expect(quick.reasons.first?.contains(" for a core between ") == true, "\(quick.reasons)")
        #expect(finished.report.view.waits.contains { $0.node == nil && $0.at.t > $0.at.earliest })
    }

    @Test(arguments: [
        (
            "{ at: 1s, kill: gateway }",
            "`gateway` has no process of its own (`process: in-process`); leave out `process:`"
        ),
        (
            "{ at: 1s, stress: { node: gateway, cpu: 50% } }",
            "`gateway` has no process of its own (`process: in-process`); leave out `process:`"
        ),
    ])
    func `what needs a process is refused for a gateway that has none`(step: String, message: String) throws {
        let text = text(step).replacing(
            "  gateway:\n    inline:", with: "  gateway:\n    process: in-process\n    inline:")
        let problems = #expect(throws: Problems.self) {
            try Plan.cells(ScenarioFile(parsing: text, path: "test.yaml"))
        }
        #expect(problems?.list.contains { $0.description.contains(message) } == true, "\(problems as Any)")
    }

    @Test func `memory, descriptors, logs and metrics are looked at while a run goes on`() async throws {
        let expectations = [
            "{ id: memory, process: gateway, rss: 1MiB..900MiB, fds: 5..500 }",
            "{ id: mock-memory, of: api, rss: \"<= 900MiB\" }",
            "{ id: said, log: { of: gateway, match: \"/up: api:8080 .* is unhealthy by passive check/\", count: 1 } }",
            "{ id: when, log: { of: gateway, match: /is unhealthy/, count: 0 }, during: start..errors-on - 300ms }",
            "{ id: served, metric: { of: api, name: 'mock_requests_total{code=\"500\"}', is: 2 }, at: end }",
            "{ id: open, metric: { of: api, name: mock_connections, is: \">= 1\" }, during: 500ms..end }",
        ]
        let finished = try await run(
            plan(
                "{ at: 1s, name: errors-on, for: 150ms, mock: api, set: { ERROR_RATE: 1 } }", seconds: 3,
                expect: expectations.joined(separator: "\n  - ")))
        let view = finished.report.view
        for verdict in finished.report.verdict.verdicts where verdict.result != .pass {
            Issue.record("\(verdict.id): \(verdict.explanation)")
        }
        #expect(view.notes.isEmpty)
        #expect(Set(view.usage.map(\.node)) == ["gateway", "api"])
        #expect(view.usage.allSatisfy { $0.memory > 1 << 20 && $0.descriptors > 3 })
        #expect(view.metrics.count >= 8)
        #expect(view.logs.contains { $0.text.contains("unhealthy") })
        #expect(view.logs.allSatisfy { $0.at.lo <= 1_000_000_000 })
    }

    @Test func `a series that nobody has leaves its expectation open`() async throws {
        let finished = try await run(
            plan("", seconds: 1, expect: "{ id: none, metric: { of: api, name: no_such_series, is: 1 } }"))
        #expect(finished.report.verdict.verdicts.first { $0.id == "none" }?.result == .inconclusive)
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import Testing

/// What the runner samples beside the traffic, for real.
extension RealRunTests {
    @Test func `memory, descriptors, logs and metrics are looked at while a run goes on`() async throws {
        let expectations = [
            "{ id: memory, process: gateway, rss: 1MiB..900MiB, fds: 5..500 }",
            "{ id: mock-memory, of: api, rss: \"<= 900MiB\" }",
            "{ id: said, log: { of: gateway, match: \"/up: api:8080 .* is unhealthy by passive check/\", count: 1 } }",
            "{ id: said-when, log: { of: gateway, match: /is unhealthy/, count: 0 }, during: start..errors-on - 300ms }",
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

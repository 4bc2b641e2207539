// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import Document
import FoundationEssentials
import Testing

/// Shortages of a whole run, in real time: they set in, and are taken back.
@Suite(.serialized, .timeLimit(.minutes(2))) struct StressRunTests {
    private func run(_ timeline: String, connections: String = "", expect: String) async throws -> RunReport {
        let text = """
            scenario: stress
            seed: 42
            timeout: 60s
            tolerance: { max_lateness: 2s }
            topology:
              mocks: { api: {} }
              gateway:
                inline:
                  _format_version: "3.0"
                  services: [{ name: s, host: api, port: 8080, routes: [{ name: r, paths: [/] }] }]
            load:
              - { id: users, rate: 50/s, for: 3s, timeout: 500ms\(connections) }
            timeline:
              - { at: 0s, checkpoint: steady }
              - \(timeline)
            expect:
              - \(expect)
            """
        let plan = try #require(try Plan.cells(ScenarioFile(parsing: text, path: "stress.yml")).first)
        let report = try await RealRun.run(plan)
        #expect(report.verdict.result == .pass, "\(VerdictTable(report, style: Style()).text)")
        return report
    }

    /// Every request has a connection of its own, so that a gateway without descriptors can serve none.
    @Test func `a gateway without descriptors takes nobody, and everybody once it has them again`() async throws {
        let report = try await run(
            "{ at: 1s, name: starved, for: 1s, stress: { node: gateway, fds: 1 } }",
            connections: ", connections: { max: 100, reuse: false }",
            expect: """
                { sometimes: { status: 200 } }
                  - { sometimes: { outcome: unknown }, during: starved }
                  - { availability: "== 100%", during: 0s..starved - 100ms }
                """)
        // NIO's listener pauses for a second after it ran out of descriptors, so the end of the load is served again
        // at best.
        let steps = report.view.steps.filter { $0.name == "starved" }.map(\.phase)
        #expect(steps == [.started, .ended])
    }

    @Test func `helpers burn and hold beside the node, and none is left`() async throws {
        let report = try await run(
            "{ at: 500ms, name: busy, for: 1s, stress: { node: api, cpu: 50%, memory: 64MiB } }",
            expect: "{ availability: \">= 95%\" }")
        #expect(!report.view.notes.contains { $0.text.contains("helper") }, "\(report.view.notes.map(\.text))")
        #expect(!Self.helpersRun(), "a helper is left")
    }

    @Test func `what is not undone in the run is undone at its end`() async throws {
        let report = try await run(
            "{ at: 1s, stress: { node: gateway, cpu: 30% } }", expect: "{ sometimes: { status: 200 } }")
        #expect(!report.view.notes.contains { $0.text.contains("helper") }, "\(report.view.notes.map(\.text))")
        #expect(!Self.helpersRun(), "a helper is left")
    }

    @Test func `memory that is not there is refused, not taken`() async throws {
        let text = "{ at: 100ms, name: greedy, stress: { node: api, memory: 64GiB } }"
        let plan = try #require(
            try Plan.cells(
                ScenarioFile(
                    parsing: Examples.broken("{ at: 6s, name: lag, link: wire, fault: { latency: 3s } }", text),
                    path: "s.yml")
            ).first)
        guard case .stress(let spec) = plan.steps[2].action else {
            Issue.record("no stress step")
            return
        }
        #expect(spec.memory == 64 << 30 && spec.phrase == "64 GiB held")
    }

    /// Whether a child of this process is a helper; its command line says so.
    private static func helpersRun() -> Bool {
        let own = ProcessInfo.processInfo.processIdentifier
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.contains { entry in
            guard let stat = FileManager.default.contents(atPath: "/proc/\(entry)/stat"),
                let line = FileManager.default.contents(atPath: "/proc/\(entry)/cmdline")
            else { return false }
            let fields = String(decoding: stat, as: UTF8.self).split(separator: " ")
            return fields.count > 3 && fields[3] == "\(own)"
                && String(decoding: line, as: UTF8.self).contains("\0burn\0")
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import Document
import NIOCore
import Testing

/// Whole runs in which names fail: the gateway asks the scenario's name server, as child processes in real time.
@Suite(.serialized, .timeLimit(.minutes(2))) struct NameRunTests {
    private func text(dns: String, env: String = "", timeline: String, seconds: Int = 3, expect: String) -> String {
        """
        scenario: names
        seed: 42
        timeout: 60s
        tolerance: { max_lateness: 1s }
        topology:
          mocks: { api: { count: 2 } }
          dns: \(dns)
          gateway:
            env: { KONG_DNS_NOT_FOUND_TTL: "1", KONG_DNS_STALE_TTL: "0", RES_OPTIONS: "timeout:1 attempts:1"\(env) }
            inline:
              _format_version: "3.0"
              services:
                - { name: s, host: up, retries: 0, routes: [{ name: r, paths: [/] }] }
                - { name: direct, host: orders.internal, port: 8080, routes: [{ name: d, paths: [/direct] }] }
              upstreams: [{ name: up, targets: [{ target: "orders.internal:8080" }] }]
        load:
          - { id: users, rate: 50/s, for: \(seconds)s, timeout: 2s, request: { path: /orders/1 } }
          - { id: others, rate: 20/s, for: \(seconds)s, timeout: 2s, request: { path: /direct } }
        timeline:
          - { at: 0s, checkpoint: steady }
        \(timeline.split(separator: "\n").map { "  - \($0)" }.joined(separator: "\n"))
        expect:
        \(expect.split(separator: "\n").map { "  - \($0)" }.joined(separator: "\n"))
        """
    }

    private func run(_ text: String) async throws -> RunReport {
        let plan: Plan
        do {
            plan = try #require(try Plan.cells(ScenarioFile(parsing: text, path: "names.yml")).first)
        } catch let problems as Problems {
            Issue.record("\(problems)")
            throw problems
        }
        let report = try await RealRun.run(plan)
        #expect(
            report.verdict.result == .pass,
            "\(VerdictTable(report, style: Style()).text)\n\(report.view.logs.map(\.text).joined(separator: "\n"))")
        return report
    }

    @Test func `a name that is gone takes its target out, and its return brings it back`() async throws {
        let report = try await run(
            text(
                dns: "{ orders.internal: { a: [api-1, api-2] } }",
                timeline: "{ at: 1s, name: gone, for: 1500ms, dns: { name: orders.internal, fail: nxdomain } }",
                seconds: 5,
                expect: """
                    { traffic: { to: api-1, share: 50% ± 15% }, during: 0s..1s }
                    { window: { status: 503, of: users }, starts: 0s..1100ms after gone, lasts: 300ms..3s, as: dark }
                    { window: { status: 503, of: others }, starts: 0s..1100ms after gone, count: "== 1" }
                    { availability: "== 100%", during: gone.end + 1200ms..end }
                    """))
        let lookups = report.view.lookups
        #expect(lookups.contains { $0.type == "A" && $0.answer == "name error" && $0.faults == ["gone"] })
        #expect(lookups.contains { $0.type == "A" && $0.answer.hasPrefix("127.") && $0.faults.isEmpty })
    }

    @Test func `a changed answer moves the traffic, and taking it back moves it back`() async throws {
        let report = try await run(
            text(
                dns: "{ orders.internal: { srv: [api-1] } }",
                timeline: "{ at: 1s, name: moved, for: 2s, dns: { name: orders.internal, answer: [api-2] } }",
                seconds: 5,
                expect: """
                    { traffic: { to: api-2, count: "== 0" }, during: 0s..moved }
                    { traffic: { to: api-1, count: "== 0" }, during: moved + 1200ms..moved.end }
                    { traffic: { to: api-2, count: "== 0" }, during: moved.end + 1200ms..end }
                    { availability: "== 100%" }
                    """))
        #expect(report.view.lookups.contains { $0.type == "SRV" && $0.faults == ["moved"] })
    }

    @Test func `a server that fails is survived on what was known, until that is stale`() async throws {
        _ = try await run(
            text(
                dns: "{ orders.internal: { cname: real.internal, ttl: 1s }, real.internal: { a: api-1 } }",
                env: ", KONG_DNS_STALE_TTL: \"60\"",
                timeline:
                    "{ at: 500ms, name: dead, for: 2s, dns: { name: orders.internal, fail: servfail, delay: 10ms } }"
                    + "\n{ at: 500ms, for: 2s, dns: { name: real.internal, fail: timeout } }",
                seconds: 3, expect: "{ availability: \"== 100%\" }"
            ).replacing("KONG_DNS_STALE_TTL: \"0\", ", with: ""))
        let report = try await run(
            text(
                dns: "{ orders.internal: { a: api-1 } }",
                timeline: "{ at: 500ms, name: dead, for: 2s, dns: { name: orders.internal, fail: refuse } }",
                expect: """
                    { sometimes: { status: 503, of: users } }
                    { sometimes: { status: 500, of: others } }
                    """))
        #expect(report.view.lookups.contains { $0.answer == "refused" })
    }
}

/// Runs a plan with the program beside this test bundle.
enum RealRun {
    static var program: String {
        String(supervisionFixture[..<(supervisionFixture.lastIndex(of: "/") ?? supervisionFixture.startIndex)])
            + "/gatecrash"
    }

    static func run(_ plan: Plan) async throws -> RunReport {
        var options = SuiteRun.Options()
        options.executable = program
        options.steadyTimeout = .seconds(5)
        let suite = try SuiteRun([SuiteEntry(plan: plan, file: "test.yml", text: "")], options: options) { _ in }
        return try #require(await suite.run().first).report
    }
}

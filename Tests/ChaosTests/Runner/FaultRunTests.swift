// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import NIOCore
import Testing
import World

/// Faults of a scenario in a whole run with the real program.
@Suite(.serialized, .timeLimit(.minutes(2))) struct FaultRunTests {
    private var program: String {
        String(supervisionFixture[..<(supervisionFixture.lastIndex(of: "/") ?? supervisionFixture.startIndex)])
            + "/gatecrash"
    }

    private func text(port: Int) -> String {
        """
        scenario: faults
        seed: 42
        timeout: 60s
        tolerance: { max_lateness: 1s }
        topology:
          mocks: { api: {} }
          gateway:
            inline:
              _format_version: "3.0"
              services:
                - name: s
                  host: api
                  port: 8080
                  retries: 0
                  read_timeout: 400
                  routes: [{ name: r, paths: [/orders, /items], strip_path: false }]
          links:
            wire: { from: gateway, to: api, port: \(port) }
        load:
          - { id: orders, rate: 50/s, for: 2s, timeout: 2s, request: { method: POST, path: /orders/1, body: "{}" } }
          - { id: items, rate: 50/s, for: 2s, timeout: 2s, request: { path: /items/1 } }
        timeline:
          - at: 300ms
            name: bad
            link: wire
            fault: { status: 503 }
            match: { method: POST, path: /orders }
            nth: 2
            count: 3
          - at: 800ms
            name: cut
            for: 400ms
            link: wire
            fault: { truncate: 50% }
            match: { path: /items }
            toxicity: 50%
          # Longer than the gateway's read timeout: what is held passes when the fault goes.
          - at: 1.3s
            name: slow
            for: 650ms
            link: wire
            stream: down
            fault: { latency: 1s }
            match: { path: /items }
            count: 2
        expect:
          - { id: exactly-three, count: { status: 503, of: orders }, is: 3 }
          - { id: orders-else, availability: { at_least: 96% }, of: orders }
          - { id: timeouts, count: { status: 504, of: items }, is: 2 }
          - { id: nothing-lost, requests: { lost: 0, duplicated: 0 }, of: orders }
        """
    }

    @Test func `faults hit exactly the requests they name, and the journal says which`() async throws {
        let port = try PortReservation().port
        let plan = try #require(
            try Plan.cells(ScenarioFile(parsing: text(port: port), path: "faults.yml"), PlanOptions()).first)
        var options = SuiteRun.Options()
        options.executable = program
        let suite = try SuiteRun([SuiteEntry(plan: plan, file: "faults.yml", text: "")], options: options) { _ in }
        let report = try #require(await suite.run().first).report
        let view = report.view
        let failed = report.verdict.verdicts.filter { $0.result != .pass }.map(\.sentence)
        #expect(report.verdict.result == .pass, "\(failed) \(report.verdict.reasons)")
        // The status hits the second to the fourth order since it was there, and the mock has seen all of them.
        let bad = view.faults.filter { $0.fault == "bad" }
        #expect(bad.map(\.request) == [2, 3, 4])
        #expect(bad.allSatisfy { $0.line == "POST /orders/1" && $0.chaosID?.hasPrefix("orders-") == true })
        #expect(bad.allSatisfy { $0.type == "status" && $0.link == "wire" })
        // Half of the items of 400 ms are cut: the gateway's client sees a body that breaks off.
        let cut = view.faults.filter { $0.fault == "cut" }.count
        #expect((3...17).contains(cut), "\(cut) of about 20")
        #expect(view.faults.filter { $0.fault == "slow" }.count == 2)
        #expect(view.logs.contains { $0.node == "links" && $0.text.contains("http://127.0.0.1:") })
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import Document
import FoundationEssentials
import Testing

/// Steps on processes, configurations and health, done for real.
extension RealRunTests {
    private func changes(_ view: JournalView, _ node: String) -> [JournalEvent.Process.Change] {
        view.processes.filter { $0.node == node }.map(\.change)
    }

    @Test func `a signal stops and goes on, a stop drains and starts again, a crash loop crashes again and again`()
        async throws
    {
        let finished = try await run(
            plan(
                """
                { at: 300ms, name: frozen, for: 200ms, signal: { to: api, name: SIGSTOP } }
                { at: 900ms, name: off, for: 300ms, stop: api, drain: 2s }
                { at: 1800ms, name: loop, kill: { one-of: api }, \
                crash_loop: { times: 3, up: 100ms, down: 50ms..150ms } }
                """, seconds: 6, retries: 1))
        let view = finished.report.view
        #expect(finished.report.verdict.result == .pass)
        #expect(view.notes.isEmpty)
        let life: [JournalEvent.Process.Change] = [.exited, .started, .ready]
        #expect(changes(view, "api") == [.started, .ready, .paused, .resumed] + life + life + life + life)
        #expect(view.processes.filter { $0.change == .exited }.map(\.code) == [0, nil, nil, nil])
        #expect(view.processes.filter { $0.change == .exited }.map(\.signal) == [nil, 9, 9, 9])
        let isExpected = view.processes.filter { $0.change == .exited }.allSatisfy(\.isExpected)
        #expect(isExpected)
        for mark in ["frozen.end", "off.end", "loop", "loop-1", "loop-2.end", "loop-3", "loop.end"] {
            #expect(view.mark(mark) != nil, "\(mark)")
        }
        #expect(view.mark("loop") == view.mark("loop-1"))
        #expect(view.mark("loop.end") == view.mark("loop-3.end"))
    }

    @Test func `signals reach the gateway too, and it serves again`() async throws {
        let finished = try await run(
            plan("{ at: 500ms, name: hit, for: 300ms, signal: { to: gateway, name: TERM } }", seconds: 2))
        let view = finished.report.view
        #expect(finished.report.verdict.result == .pass)
        #expect(view.notes.isEmpty)
        #expect(changes(view, "gateway") == [.started, .ready, .exited, .started, .ready])
        #expect(view.requests.indices.last.map { view.requests.status($0) } == 200)
    }

    @Test func `configurations are loaded under load, by the Admin API and by SIGHUP, and taken back`() async throws {
        let finished = try await run(
            plan(
                """
                { at: 300ms, name: moved, for: 300ms, patch: { services: { s: { routes: { r: { paths: [/x] } } } } } }
                { at: 900ms, name: again, for: 300ms, by: signal, config: { inline: { _format_version: "3.0" } } }
                { at: 1500ms, name: out, for: 150ms, health: { target: api, set: unhealthy } }
                """, seconds: 3,
                expect: "{ id: oracle, model: kong-health }"))
        let view = finished.report.view
        #expect(finished.report.verdict.result == .pass)
        #expect(view.notes.isEmpty)
        func statuses(_ first: String, _ last: String) throws -> Set<Int?> {
            let from = try #require(view.mark(first)).latest
            let to = try #require(view.mark(last)).earliest - 8_000_000
            return Set(view.requests.rows(from: from, through: to).map { view.requests.status($0) })
        }
        #expect(try statuses("moved", "moved.end") == [404])
        #expect(try statuses("moved.end", "again") == [200])
        #expect(try statuses("again", "again.end") == [404])
        #expect(try statuses("out", "out.end") == [503])
        #expect(view.configurations.map(\.source).suffix(4) == ["admin", "admin", "reload", "reload"])
        #expect(view.documents.count == 4)
        #expect(view.health.contains { $0.cause == .manual && !$0.isRoutable })
        #expect(view.requests.indices.last.map { view.requests.status($0) } == 200)
    }

    @Test func `a configuration survives a restart of the gateway`() async throws {
        let finished = try await run(
            plan(
                """
                { at: 200ms, name: moved, patch: { services: { s: { routes: { r: { paths: [/x] } } } } } }
                { at: 500ms, name: again, restart: gateway }
                """, seconds: 2))
        let view = finished.report.view
        let again = try #require(view.mark("again")).latest
        let rows = view.requests.rows(from: again, through: .max)
        #expect(!rows.isEmpty)
        #expect(Set(rows.map { view.requests.status($0) }) == [404])
        #expect(view.notes.contains { $0.text.contains("taken back at the end: patch") })
    }

    /// Writes files into a folder of their own and runs the one scenario among them.
    private func run(
        files: [(name: String, text: String)], _ body: (FinishedRun, String) throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            for (name, text) in files {
                let path = directory + "/" + name
                #expect(FileManager.default.createFile(atPath: path, contents: Data(text.utf8)))
                if name.hasSuffix(".sh") {
                    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
                }
            }
            let plan = try #require(try Plan.cells(ScenarioFile(path: directory + "/test.yml")).first)
            try body(try await run(plan), directory)
        }
    }

    @Test func `programs of the folder are run and undone, and what they print is kept`() async throws {
        let script = """
            #!/bin/sh
            echo "$1 in $(basename "$PWD") with $GATECRASH_GATEWAY_ADMIN"
            """
        let timeline = """
            { at: 200ms, name: fault, for: 200ms, exec: [./fault.sh, "on"], undo: [./fault.sh, "off"] }
            { at: 700ms, name: late, exec: [./fault.sh, late], undo: [./fault.sh, never] }
            """
        try await run(files: [("test.yml", text(timeline, seconds: 1)), ("fault.sh", script)]) { finished, directory in
            let view = finished.report.view
            #expect(finished.report.verdict.result == .pass)
            let name = directory.split(separator: "/").last ?? ""
            // Nodes log too, and the links say where they are controlled.
            let lines = view.logs.filter { !["gateway", "api", "links"].contains($0.node) }
            let words = lines.map { $0.text.split(separator: " ").first ?? "" }
            #expect(words == ["on", "off", "late", "never"])
            #expect(lines.allSatisfy { $0.text.contains("in \(name) with http://127.0.0.1:") })
            #expect(view.notes.map(\.text).contains("taken back at the end: exec ./fault.sh late"))
        }
    }

    @Test func `a program that fails or takes too long fails the step`() async throws {
        for (script, message) in [("exit 3", "exited with code 3"), ("sleep 30", "took too long and was killed")] {
            let timeline = "{ at: 100ms, name: fault, exec: [./fault.sh], timeout: 300ms }"
            try await run(files: [("test.yml", text(timeline)), ("fault.sh", "#!/bin/sh\n\(script)\n")]) {
                finished, _ in
                #expect(finished.report.verdict.result == .topology)
                #expect(finished.report.verdict.reasons.joined().contains(message))
            }
        }
    }

    /// Two gateways, and a third as a program of the scenario in front of them.
    @Test func `a program stands in front of two gateways`() async throws {
        let scenario = """
            scenario: front
            tolerance: { max_lateness: 1s }
            topology:
              mocks:
                api:
                  health: /ready
                  routes:
                    - { path: /orders, method: POST, status: 201, body: { id: 7 }, headers: { X-Kind: order } }
                    - { path: "/slow*", latency: 40ms, body: late }
              gateway:
                gateway-a: { kong: ./kong.yml }
                gateway-b: { kong: ./kong.yml }
              processes:
                lb:
                  command: [./lb.sh, "$(port)", "$(file(lb.yml))", "$(folder)"]
                  files:
                    lb.yml: |
                      _format_version: "3.0"
                      services:
                        - { name: s, host: both, retries: 3, routes: [{ name: r, paths: [/], strip_path: false }] }
                      upstreams:
                        - name: both
                          targets:
                            - { target: "127.0.0.1:$(port(gateway-a))" }
                            - { target: "127.0.0.1:$(port(gateway-b))" }
                          healthchecks:
                            passive: { unhealthy: { tcp_failures: 1 } }
            load:
              - { id: posts, to: lb, rate: 40/s, for: 2s, request: { method: POST, path: /orders, body: x } }
              - { id: slow, to: gateway-b, rate: 10/s, for: 900ms, request: { path: /slow/1 } }
            timeline:
              - { at: 0s, checkpoint: steady }
              - { at: 1s, name: down, kill: gateway-a }
            expect:
              - { id: all-well, availability: "== 100%", of: posts }
              - { id: all-created, count: { status: 201, of: posts, origin: upstream }, is: "== 80" }
              - { id: slow-route, latency: { min: ">= 40ms" }, of: slow }
              - { id: gone, exit: { of: gateway-a, signal: KILL } }
              - { process: lb, stays: running }
              - { target: gateway-b/api, stays: healthy }
            """
        let kong = """
            _format_version: "3.0"
            services: [{ name: s, host: up, retries: 0, routes: [{ name: r, paths: [/], strip_path: false }] }]
            upstreams:
              - name: up
                targets: [{ target: "api:8080" }]
                healthchecks:
                  active: { http_path: /ready, healthy: { interval: 0.2, successes: 1 }, unhealthy: { interval: 0.2 } }
            """
        let script = """
            #!/bin/sh
            exec '\(program)' gateway --config "$2" --proxy-listen "127.0.0.1:$1" --admin-listen 127.0.0.1:0
            """
        let files = [("test.yml", scenario), ("kong.yml", kong), ("lb.sh", script)]
        try await run(files: files) { finished, _ in
            #expect(finished.report.verdict.result == .pass)
            let lb = finished.report.view.processes.filter { $0.node == "lb" }.map(\.change)
            #expect(lb == [.started, .ready])
        }
    }

    @Test func `a scenario whose program is missing is skipped with the reason`() async throws {
        let text =
            text("").split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n")
            + "\n"
        let scenario = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line == "topology:"
                ? "topology:\n  processes:\n    lb: { requires: no-such-program, command: [./lb.sh, $(port)] }"
                : String(line)
        }.joined(separator: "\n")
        try await run(files: [("test.yml", scenario), ("lb.sh", "#!/bin/sh\nexit 1\n")]) { finished, _ in
            #expect(finished.report.verdict.result == .skipped)
            #expect(finished.report.verdict.result.exitCode == 0)
            #expect(
                finished.report.verdict.reasons
                    == ["this host has no no-such-program: install it to run this scenario"])
            #expect(finished.report.view.processes.isEmpty, "nothing was started")
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import Document
import FoundationEssentials
import NIOCore
import Synchronization
import Testing
import World

/// Whole runs with the real program: gateway and mock as child processes. Short probes keep them short.
@Suite(.serialized, .timeLimit(.minutes(2))) struct RealRunTests {
    var program: String {
        String(supervisionFixture[..<(supervisionFixture.lastIndex(of: "/") ?? supervisionFixture.startIndex)])
            + "/gatecrash"
    }

    /// One mock behind one gateway, probed every 0.2 s, out after two failures.
    func text(_ timeline: String, seconds: Int64 = 3, retries: Int = 0, expect: String? = nil) -> String {
        """
        scenario: test
        seed: 42
        timeout: 60s
        tolerance: { max_lateness: 1s }
        topology:
          mocks:
            api: { health: /health }
          gateway:
            inline:
              _format_version: "3.0"
              services:
                - name: s
                  host: up
                  path: /
                  retries: \(retries)
                  connect_timeout: 500
                  read_timeout: 300
                  routes: [{ name: r, paths: [/orders] }]
              upstreams:
                - name: up
                  targets: [{ target: "api:8080" }]
                  healthchecks:
                    active:
                      http_path: /health
                      timeout: 0.2
                      healthy: { interval: 0.2, successes: 2 }
                      unhealthy: { interval: 0.2, http_failures: 2, tcp_failures: 2, timeouts: 2 }
                    passive:
                      healthy: { successes: 0 }
                      unhealthy: { http_failures: 2, tcp_failures: 2, timeouts: 2 }
          links:
            wire: { from: gateway, to: api }
        load:
          - { id: users, to: gateway, rate: 50/s, for: \(seconds)s, timeout: 2s, request: { path: /orders/1 } }
        timeline:
          - { at: 0s, checkpoint: steady }
        \(timeline.split(separator: "\n").map { "  - \($0)" }.joined(separator: "\n"))
        expect:
          - { id: works, sometimes: { status: 200 } }
        \(expect.map { "  - \($0)" } ?? "")
        """
    }

    func plan(_ timeline: String, seconds: Int64 = 3, retries: Int = 0, expect: String? = nil) throws -> Plan {
        let text = text(timeline, seconds: seconds, retries: retries, expect: expect)
        var options = PlanOptions()
        options.checksCapabilities = false
        do {
            return try #require(try Plan.cells(ScenarioFile(parsing: text, path: "test.yaml"), options).first)
        } catch let problems as Problems {
            Issue.record("\(problems)")
            throw problems
        }
    }

    func run(_ plan: Plan, interruptAfter: TimeAmount? = nil) async throws -> FinishedRun {
        var options = SuiteRun.Options()
        options.executable = program
        options.keepsFolders = true
        options.steadyTimeout = .milliseconds(500)
        let suite = try SuiteRun([SuiteEntry(plan: plan, file: "test.yaml", text: "")], options: options) { _ in }
        let finished = await suite.run()
        let result = try #require(finished.first)
        if result.report.verdict.result != .pass { show(result) }
        result.folder?.remove()
        return result
    }

    func show(_ run: FinishedRun) {
        let view = run.report.view
        print("result", run.report.verdict.result, run.report.verdict.reasons)
        for note in view.notes { print("note", note.at.t, note.text) }
        for log in view.logs { print("log", log.node, log.text) }
        for step in view.steps { print("step", step.at, step.name ?? "", step.phase, step.text) }
        for event in view.processes { print("process", event) }
    }

    @Test func `errors of a mock take it out, and their end brings it back`() async throws {
        let finished = try await run(
            plan("{ at: 1s, name: errors-on, for: 150ms, mock: api, set: { ERROR_RATE: 1 } }"))
        let view = finished.report.view
        #expect(finished.report.verdict.result == .pass)
        #expect(view.notes.isEmpty)
        #expect(view.requests.count == 150)
        let on = try #require(view.mark("errors-on"))
        let off = try #require(view.mark("errors-on.end"))
        #expect(abs(on.t - 1_000_000_000) < 50_000_000)
        #expect(abs(off.t - 1_150_000_000) < 50_000_000)
        let trip = try #require(view.health.first { !$0.to.isRoutable })
        #expect(trip.cause == .passive)
        #expect(trip.at.t > on.earliest)
        #expect(trip.at.t < on.t + 100_000_000)
        // Exactly two requests fail, then the gateway answers itself until two probes have passed.
        let errors500 = view.requests.indices.filter { view.requests.status($0) == 500 }
        #expect(errors500.count == 2)
        #expect(errors500.allSatisfy { view.requests.origin($0) == .upstream })
        let dark = view.requests.indices.filter { view.requests.status($0) == 503 }
        #expect(!dark.isEmpty)
        #expect(dark.allSatisfy { view.requests.origin($0) == .gateway })
        let back = try #require(view.health.first { $0.at.t > trip.at.t && $0.to.isRoutable })
        #expect(back.cause == .active)
        #expect(view.requests.indices.last.map { view.requests.status($0) } == 200)
    }

    @Test func `a killed mock is refused, started again on its port, and comes back`() async throws {
        // Kong counts a refused connect as a TCP failure only when it tries again; the last try is "status 502".
        let finished = try await run(
            plan("{ at: 800ms, name: crash, kill: api, restart: after 800ms }", seconds: 4, retries: 1))
        let view = finished.report.view
        #expect(finished.report.verdict.result == .pass)
        #expect(view.notes.isEmpty)
        let changes = view.processes.filter { $0.node == "api" }.map(\.change)
        #expect(changes == [.started, .ready, .exited, .started, .ready])
        #expect(view.processes.first { $0.change == .exited }?.signal == 9)
        let crash = try #require(view.mark("crash"))
        let again = try #require(view.mark("crash.end"))
        let out = try #require(view.health.first { !$0.to.isRoutable })
        #expect(out.report == .tcpFailure)
        #expect((crash.earliest...crash.t + 300_000_000).contains(out.at.t))
        let back = try #require(view.health.first { $0.at.t > again.t && $0.to.isRoutable })
        #expect(back.at.t < again.t + 900_000_000)
        // Nothing reached the mock while it was dead.
        let served = view.served.times.filter { $0 > crash.t && $0 < again.earliest }
        #expect(served.isEmpty)
        #expect(view.requests.indices.last.map { view.requests.status($0) } == 200)
    }

    @Test func `latency on the link and a refusing link show as 504 and 502`() async throws {
        let finished = try await run(
            plan(
                """
                { at: 500ms, name: slow, for: 500ms, link: wire, stream: down, fault: { latency: { latency: 1s } } }
                { at: 2.5s, name: closed, for: 300ms, link: wire, fault: refuse }
                """, seconds: 4))
        let view = finished.report.view
        #expect(finished.report.verdict.result == .pass)
        func statuses(_ status: Int) -> [Int64] {
            view.requests.indices.filter { view.requests.status($0) == status }.map { view.requests.planned[$0] }
        }
        #expect(statuses(504).contains { (500_000_000...1_000_000_000).contains($0) })
        #expect(statuses(502).contains { (2_490_000_000...2_800_000_000).contains($0) })
        #expect(view.requests.indices.last.map { view.requests.status($0) } == 200)
    }

    @Test func `pausing a mock shows as timeouts`() async throws {
        let finished = try await run(
            plan("{ at: 500ms, name: frozen, for: 900ms, pause: api }", seconds: 4))
        let view = finished.report.view
        #expect(finished.report.verdict.result == .pass)
        #expect(view.processes.filter { $0.node == "api" }.map(\.change).contains(.paused))
        #expect(view.health.contains { $0.report == .timeout && !$0.to.isRoutable })
        #expect(view.requests.indices.last.map { view.requests.status($0) } == 200)
    }

    @Test func `restarting the gateway keeps its address`() async throws {
        let finished = try await run(
            plan("{ at: 500ms, name: again, restart: gateway, drain: 2s }", seconds: 3))
        let view = finished.report.view
        #expect(finished.report.verdict.result == .pass)
        let changes = view.processes.filter { $0.node == "gateway" }.map(\.change)
        #expect(changes == [.started, .ready, .exited, .started, .ready])
        #expect(view.requests.indices.last.map { view.requests.status($0) } == 200)
    }

    @Test func `a step waits for a condition, another for an observed mark`() async throws {
        let plan = try plan(
            """
            { at: 300ms, name: errors-on, for: 100ms, mock: api, set: { ERROR_RATE: 1 } }
            { when: health(api) == unhealthy, checkpoint: seen }
            { after: tripped + 100ms, checkpoint: later }
            """, seconds: 2,
            expect: "{ target: api, becomes: unhealthy, within: 1s, after: errors-on, as: tripped }")
        let view = try await run(plan).report.view
        let trip = try #require(view.health.first { !$0.to.isRoutable })
        let seen = try #require(view.mark("seen"))
        let later = try #require(view.mark("later"))
        #expect((trip.at.t...trip.at.t + 100_000_000).contains(seen.t))
        #expect((trip.at.t + 90_000_000...trip.at.t + 300_000_000).contains(later.t))
    }

    @Test func `runs of a suite go on side by side and repeat with seeds of their own`() async throws {
        var options = SuiteRun.Options()
        options.executable = program
        options.jobs = 2
        options.repetitions = 2
        let plan = try plan("{ at: 100ms, name: crash, kill: api, restart: after 300ms }", seconds: 1, retries: 1)
        let running = Mutex((now: 0, most: 0))
        let suite = try SuiteRun([SuiteEntry(plan: plan, file: "test.yaml", text: "")], options: options) { update in
            running.withLock { running in
                if case .began = update { running.now += 1 }
                if case .finished = update { running.now -= 1 }
                running.most = max(running.most, running.now)
            }
        }
        let runs = await suite.run()
        #expect(runs.map(\.report.verdict.result) == [.pass, .pass])
        #expect(runs.map(\.repetition) == [1, 2])
        #expect(Set(runs.map(\.report.seed)).count == 2)
        #expect(runs.first?.report.seed == 42)
        #expect(running.withLock(\.most) == 2)
        #expect(runs.allSatisfy { $0.folder == nil }, "a run that passed leaves nothing behind")
    }

    @Test func `the watch-dog ends a run that takes too long`() async throws {
        var plan = try plan("", seconds: 50)
        plan.timeout = .milliseconds(700)
        let finished = try await run(plan)
        #expect(finished.report.verdict.result == .fail)
        #expect(finished.report.view.ending?.reason == .timeout)
        #expect(finished.report.verdict.reasons.first == "the run did not end within its timeout of 700ms")
    }

    @Test func `a target that is not healthy at the start is a precondition that is not met`() async throws {
        var plan = try plan("")
        plan.topology.bindings = []
        let finished = try await run(plan)
        #expect(finished.report.verdict.result == .precondition)
    }

    @Test func `a gateway that refuses its configuration is a topology that could not start, with its words`()
        async throws
    {
        var plan = try plan("")
        plan.topology.gateways[0].document = ["_format_version": "3.0", "services": [["nme": "s"]]]
        let finished = try await run(plan)
        #expect(finished.report.verdict.result == .topology)
        #expect(finished.report.verdict.reasons.joined().contains("nme"))
    }

    @Test func `an interrupted run stops its children and says so`() async throws {
        var options = SuiteRun.Options()
        options.executable = program
        let plan = try plan("", seconds: 50)
        let (stream, continuation) = AsyncStream.makeStream(of: JournalEvent.self)
        let suite = try SuiteRun(
            [SuiteEntry(plan: plan, file: "", text: ""), SuiteEntry(plan: plan, file: "", text: "")], options: options
        ) { update in
            if case .run(_, _, .event(let event)) = update { continuation.yield(event) }
        }
        async let finished = suite.run()
        var pids: [Int32] = []
        for await event in stream {
            if case .process(let change) = event, change.change == .ready { pids.append(Int32(change.pid ?? 0)) }
            if case .request = event { break }
        }
        suite.interrupt()
        let runs = await finished
        #expect(runs.map(\.report.verdict.result) == [.interrupted])
        #expect(pids.count == 2)
        #expect(pids.allSatisfy(isGone))
        runs.first?.folder?.remove()
    }

    @Test(arguments: [false, true])
    func `neither gateway nor mock survives a runner that is killed, even a paused mock`(isPaused: Bool) async throws {
        try await withRealWorld { _, loop in
            try await withTemporaryDirectory { directory in
                let file = directory + "/test.yaml"
                let text = text(isPaused ? "{ at: 100ms, name: frozen, pause: api }" : "", seconds: 50)
                #expect(FileManager.default.createFile(atPath: file, contents: Data(text.utf8)))
                let supervisor = try Supervisor()
                let (stream, continuation) = AsyncStream.makeStream(of: String.self)
                let specification = ChildSpecification(
                    name: "runner", executable: supervisionFixture, arguments: ["run", file, program],
                    environment: ChildEnvironment.inherited.merging(["TMPDIR": directory]) { $1 }, logPath: "/dev/null")
                let runner = try await supervisor.spawn(specification, on: loop) { event in
                    if case .output(let lines) = event {
                        for line in lines { continuation.yield(String(buffer: line)) }
                    }
                    if case .outputEnded = event { continuation.finish() }
                }.get()
                var pids: [Int32] = []
                var lines = stream.makeAsyncIterator()
                while let line = await lines.next() {
                    if let pid = Int32(line) { pids.append(pid) }
                    if line == (isPaused ? "paused" : "request") { break }
                }
                #expect(pids.count == 2)
                #expect(pids.allSatisfy { !isGone($0) })
                runner.signal(9)
                while await lines.next() != nil {}
                let areGone = try await eventually(.seconds(10), on: loop) { [pids] in pids.allSatisfy(isGone) }
                #expect(areGone)
            }
        }
    }
}

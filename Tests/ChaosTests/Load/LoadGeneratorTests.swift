// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import MockAPI
import NIOCore
import Synchronization
import Testing
import World

@testable import Chaos

@Suite(.timeLimit(.minutes(1))) struct LoadGeneratorTests {
    let sink = RecordingSink()

    /// What a load of the test is made of.
    private func spec(
        _ shape: LoadSpec.Shape, path: [TextTemplate.Part] = [.text("/hello")], method: String = "GET",
        body: String? = nil, timeout: Nanoseconds = .seconds(5), maximum: Int? = nil, reuses: Bool = true
    ) -> LoadSpec {
        let request = RequestTemplate(
            method: method, path: TextTemplate(path), headers: [.init(name: "X-Test", value: TextTemplate("a b"))],
            body: body.map { TextTemplate($0) })
        return LoadSpec(
            id: "users", to: "gateway", shape: shape, mix: [.init(weight: 1, request: request)], timeout: timeout,
            maximumConnections: maximum, reusesConnections: reuses, warmup: .milliseconds(5),
            location: SourceLocation(file: "s.yaml", line: 1, column: 1))
    }

    private func open(_ perSecond: Double, milliseconds: Int64) -> LoadSpec.Shape {
        .open(
            stages: [
                .rate(
                    from: Rate(perSecond: perSecond), to: Rate(perSecond: perSecond),
                    length: .milliseconds(milliseconds))
            ], arrivals: .even)
    }

    /// Runs a load against an address; results in the order of their ends.
    private func run(
        _ spec: LoadSpec, at address: SocketAddress, in world: World, stopAfter: Int? = nil
    ) async throws -> (results: [LoadResult], summary: LoadSummary) {
        let loop = world.loops.next()
        let results = NIOLockedResults()
        let summary = try await loop.flatSubmit {
            let box = GeneratorBox()
            let generator = LoadGenerator(
                spec: spec, world: world, loop: loop, start: loop.now, address: address, authority: "gateway",
                text: { template, n in
                    template.parts.map { if case .text(let text) = $0 { text } else { "\(n)" } }.joined()
                },
                report: { result in
                    results.append(result)
                    if results.all.count == stopAfter { box.generator?.stop() }
                })
            box.generator = generator
            return generator.run()
        }.get()
        return (results.all, summary)
    }

    private func withMock(
        _ settings: JSONValue = [:], _ body: (MockServer, World) async throws -> Void
    ) async throws {
        let world = World.real(threads: 1, seed: 1)
        var parsed = MockSettings()
        try parsed.merge(settings)
        let server = try await MockServer.start(
            world: world, address: SocketAddress(ipAddress: "127.0.0.1", port: 0), settings: parsed, sink: sink
        ).get()
        try await body(server, world)
        try await server.stop(grace: .zero).get()
        try await world.loops.shutdownGracefully()
    }

    @Test func `an open loop sends every request once, in order, on planned starts`() async throws {
        try await withMock { server, world in
            let (results, summary) = try await run(
                spec(open(1000, milliseconds: 100)), at: server.localAddress, in: world)
            #expect(summary.requests == 100 && summary.ok == 100 && summary.lateness.count == 100)
            let sorted = results.sorted { $0.number < $1.number }
            #expect(sorted.map(\.number) == Array(1...100))
            #expect(sorted.map(\.planned) == (0..<100).map { Nanoseconds.milliseconds($0) })
            #expect(sorted.filter(\.isWarmup).map(\.number) == [1, 2, 3, 4, 5])
            for result in results {
                #expect(result.status == 200 && result.bytes == 34 && result.failure == nil)
                let sent = try #require(result.sent)
                let firstByte = try #require(result.firstByte)
                #expect(result.planned <= sent && sent <= firstByte && firstByte <= result.ended)
            }
            let ids = try sink.lines.map { try JSONValue(parsing: $0.utf8)["id"]?.stringValue }
            #expect(Set(ids).count == 100 && ids.contains("users-1") && ids.contains("users-100"))
        }
    }

    @Test func `an open loop does not wait for slow answers`() async throws {
        try await withMock(["LATENCY": "1s"]) { server, world in
            let (results, summary) = try await run(
                spec(open(100, milliseconds: 100)), at: server.localAddress, in: world)
            #expect(summary.ok == 10 && Set(results.compactMap(\.connection)).count == 10)
            #expect(results.allSatisfy { $0.latency >= .seconds(1) })
            #expect(results.allSatisfy { ($0.sent ?? .zero) - $0.planned < .milliseconds(900) })
        }
    }

    @Test func `a limit on connections makes requests wait, and the wait is part of their latency`() async throws {
        try await withMock(["LATENCY": "20ms"]) { server, world in
            let (results, summary) = try await run(
                spec(open(1000, milliseconds: 5), maximum: 1), at: server.localAddress, in: world)
            #expect(summary.ok == 5 && summary.queued == 4 && summary.longestQueue == 4)
            #expect(results.map(\.number) == [1, 2, 3, 4, 5] && results.allSatisfy { $0.connection == 1 })
            #expect(results[4].latency >= .milliseconds(96))
        }
    }

    @Test func `idle connections are used again, unless the load says no`() async throws {
        try await withMock { server, world in
            let closed = LoadSpec.Shape.closed(clients: 1, think: .zero, requests: 5, length: nil)
            let again = try await run(spec(closed), at: server.localAddress, in: world)
            #expect(again.summary.ok == 5 && again.results.allSatisfy { $0.connection == 1 })
            let never = try await run(spec(closed, reuses: false), at: server.localAddress, in: world)
            #expect(never.summary.ok == 5 && Set(never.results.map(\.connection)).count == 5)
        }
    }

    @Test func `a connection that its server closes makes room for another`() async throws {
        try await withMock(["CLOSE": "before head"]) { server, world in
            let (results, summary) = try await run(
                spec(open(1000, milliseconds: 5), maximum: 1), at: server.localAddress, in: world)
            #expect(summary.requests == 5 && results.allSatisfy { $0.failure == .closed })
            #expect(results.map(\.connection) == [1, 2, 3, 4, 5])
        }
    }

    @Test func `a closed loop sends exactly its requests`() async throws {
        try await withMock(["CATCH_ALL": true]) { server, world in
            let shape = LoadSpec.Shape.closed(clients: 7, think: .milliseconds(1), requests: 100, length: nil)
            let (results, summary) = try await run(
                spec(
                    shape, path: [.text("/items/"), .expression(.literal(.number(0))), .text("/ä")], method: "POST",
                    body: "{}"),
                at: server.localAddress, in: world)
            #expect(summary.requests == 100 && summary.ok == 100 && results.count == 100)
            let records = try sink.lines.map { try JSONValue(parsing: $0.utf8) }
            #expect(
                records.contains {
                    $0["path"] == "/items/42/%C3%A4" && $0["id"] == "users-42" && $0["method"] == "POST"
                })
        }
    }

    /// Settings of the mock, and what a request finds.
    static let troubles:
        [(settings: JSONValue, status: Int?, failure: LoadResult.Failure?, outcome: LoadResult.Outcome)] = [
            (["ERROR_RATE": 1], 500, nil, .failed),
            (["CLOSE": "before head"], nil, .closed, .unknown),
            (["CLOSE": "mid body"], 200, .closed, .unknown),
            (["HANG": true], nil, .timeout, .unknown),
        ]

    @Test(arguments: troubles)
    func `trouble is told apart`(
        settings: JSONValue, status: Int?, failure: LoadResult.Failure?, outcome: LoadResult.Outcome
    ) async throws {
        try await withMock(settings) { server, world in
            let (results, summary) = try await run(
                spec(open(100, milliseconds: 20), timeout: failure == .timeout ? .seconds(1) : .seconds(20)),
                at: server.localAddress, in: world)
            #expect(results.count == 2 && summary.requests == 2)
            for result in results {
                #expect(result.status == status)
                #expect(result.failure == failure)
                #expect(result.outcome == outcome)
                if failure == .timeout { #expect(result.latency >= .seconds(1)) }
            }
        }
    }

    @Test func `nobody listening is refused and certainly not done`() async throws {
        let world = World.real(threads: 1, seed: 1)
        let server = try await MockServer.start(
            world: world, address: SocketAddress(ipAddress: "127.0.0.1", port: 0)
        ).get()
        try await server.stop().get()
        let (results, summary) = try await run(
            spec(open(100, milliseconds: 50)), at: server.localAddress, in: world)
        #expect(
            summary.failed == 5
                && results.allSatisfy { $0.failure == .refused && $0.outcome == .failed && $0.sent == nil })
        try await world.loops.shutdownGracefully()
    }

    @Test func `a request that waits for a connection gives up in time`() async throws {
        try await withMock(["HANG": true]) { server, world in
            let burst = LoadSpec.Shape.open(
                stages: [.burst(size: 3, period: .seconds(1), length: .milliseconds(1))], arrivals: .even)
            let (results, summary) = try await run(
                spec(burst, timeout: .milliseconds(40), maximum: 1), at: server.localAddress, in: world)
            #expect(summary.requests == 3 && results.map(\.failure) == [.timeout, .timeout, .timeout])
            // The first left whole, as a rule; another may have found a new connection in its last moment.
            #expect(
                results.allSatisfy { ($0.outcome == .failed) == ($0.sent == nil) && $0.latency >= .milliseconds(40) })
        }
    }

    @Test func `stopping gives up what is under way and ends the load`() async throws {
        try await withMock { server, world in
            let (results, summary) = try await run(
                spec(.closed(clients: 3, think: .seconds(60), requests: nil, length: .seconds(600))),
                at: server.localAddress, in: world, stopAfter: 3)
            #expect(summary.requests == 3 && results.count == 3)
        }
        try await withMock(["HANG": true]) { server, world in
            let loop = world.loops.next()
            let load = spec(open(10, milliseconds: 60_000), timeout: .seconds(60))
            let address = server.localAddress
            let results = NIOLockedResults()
            let (future, box) = try await loop.submit {
                let generator = LoadGenerator(
                    spec: load, world: world, loop: loop, start: loop.now, address: address, authority: "a",
                    text: { _, _ in "" }, report: { results.append($0) })
                return (generator.run(), NIOLoopBound(generator, eventLoop: loop))
            }.get()
            try await sink.reaches(4, on: loop)
            loop.execute { box.value.stop() }
            let summary = try await future.get()
            #expect(summary.unknown == 1 && results.all.map(\.failure) == [.aborted])
        }
    }

    @Test func `the canary tells how late timers are`() async throws {
        let world = World.real(threads: 1, seed: 1)
        let loop = world.loops.next()
        // The loop is kept busy for 20 ms, so about 20 firings are late, the first by most of it.
        let canary = try await loop.submit {
            let canary = NIOLoopBound(TimerCanary(on: loop, period: .milliseconds(1)), eventLoop: loop)
            let end = loop.now + .milliseconds(20)
            while loop.now < end {}
            return canary
        }.get()
        try await loop.scheduleTask(in: .milliseconds(2)) {
            #expect(canary.value.lateness.count >= 20 && canary.value.lateness.worst >= .milliseconds(18))
            #expect(canary.value.lateness.quantile(99) >= .milliseconds(10))
            #expect(canary.value.takeWorst() >= .milliseconds(18) && canary.value.takeWorst() < .milliseconds(18))
            canary.value.stop()
        }.futureResult.get()
        try await world.loops.shutdownGracefully()
    }
}

private final class GeneratorBox { weak var generator: LoadGenerator? }

private final class NIOLockedResults: Sendable {
    private let results = Mutex([LoadResult]())
    var all: [LoadResult] { results.withLock { $0 } }
    func append(_ result: LoadResult) { results.withLock { $0.append(result) } }
}

/// Keeps records, and says when the n-th has come.
final class RecordingSink: RecordSink {
    private struct State {
        var lines: [String] = []
        var waiting: [(count: Int, promise: EventLoopPromise<Void>)] = []
    }
    private let state = Mutex(State())

    var lines: [String] { state.withLock { $0.lines } }

    func append(_ line: ByteBuffer) {
        let due = state.withLock { state in
            state.lines.append(String(buffer: line))
            let due = state.waiting.filter { $0.count <= state.lines.count }
            state.waiting.removeAll { $0.count <= state.lines.count }
            return due
        }
        for (_, promise) in due { promise.succeed() }
    }

    func reaches(_ count: Int, on loop: any EventLoop) async throws {
        let promise = loop.makePromise(of: Void.self)
        let isThere = state.withLock { state in
            if state.lines.count < count { state.waiting.append((count, promise)) }
            return state.lines.count >= count
        }
        if isThere { promise.succeed() }
        try await promise.futureResult.get()
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import MockAPI
import NIOCore
import Synchronization
import Testing
import World

@testable import Chaos

/// A load of WebSocket messages against the mock, over loopback.
@Suite(.timeLimit(.minutes(1))) struct WebSocketLoadTests {
    let sink = RecordingSink()

    private func spec(clients: Int, requests: Int, path: String = "/ws", timeout: Nanoseconds = .seconds(5)) -> LoadSpec
    {
        var request = RequestTemplate(
            method: "GET", path: TextTemplate(path), headers: [], body: TextTemplate("move north"))
        request.isWebSocket = true
        return LoadSpec(
            id: "players", to: "gateway",
            shape: .closed(clients: clients, think: .milliseconds(2), requests: requests, length: nil),
            mix: [.init(weight: 1, request: request)], timeout: timeout, maximumConnections: nil,
            reusesConnections: true, warmup: .zero, location: SourceLocation(file: "s.yaml", line: 1, column: 1))
    }

    /// Runs a load against a mock; `after` results the mock is stopped.
    private func run(
        _ spec: LoadSpec, _ settings: JSONValue = [:], stopsAfter: Int = .max
    ) async throws -> [LoadResult] {
        let world = World.real(threads: 1, seed: 1)
        var parsed = MockSettings()
        try parsed.merge(settings)
        let server = try await MockServer.start(
            world: world, address: SocketAddress(ipAddress: "127.0.0.1", port: 0), settings: parsed, sink: sink
        ).get()
        let loop = world.loops.next()
        let results = KeptResults()
        _ = try await loop.flatSubmit {
            LoadGenerator(
                spec: spec, world: world, loop: loop, start: loop.now, address: server.localAddress, authority: "a",
                text: { template, _ in template.constant ?? "" },
                report: { result in
                    if results.append(result) == stopsAfter { _ = server.stop(grace: .zero) }
                }
            ).run()
        }.get()
        try await server.stop(grace: .zero).get()
        try await world.loops.shutdownGracefully()
        return results.all
    }

    @Test func `each client has one session, and every message its echo`() async throws {
        let results = try await run(spec(clients: 5, requests: 100))
        #expect(results.count == 100 && results.allSatisfy { $0.outcome == .ok && $0.status == 200 })
        #expect(Set(results.compactMap(\.connection)) == [1, 2, 3, 4, 5])
        #expect(results.allSatisfy { $0.sent == $0.planned && $0.bytes > 20 })
        let records = try sink.lines.map { try JSONValue(parsing: $0.utf8) }
        let sessions = records.filter { $0["method"] == "GET" }
        let messages = records.filter { $0["method"] == "WS" }
        #expect(sessions.allSatisfy { $0["status"] == 101 })
        #expect(sessions.compactMap { $0["id"]?.stringValue }.sorted() == (1...5).map { "players-session.\($0)" })
        #expect(Set(messages.map { $0["id"]?.stringValue }) == Set((1...100).map { "players-\($0)" }))
    }

    @Test func `a lost session is a failure, and the next message opens a new one`() async throws {
        let results = try await run(spec(clients: 1, requests: 30), stopsAfter: 10)
        #expect(results.count == 30 && results.prefix(10).allSatisfy { $0.outcome == .ok && $0.connection == 1 })
        let lost = results.dropFirst(10)
        #expect(lost.allSatisfy { [.closed, .reset, .refused].contains($0.failure) }, "\(lost.map(\.failure))")
        #expect((lost.compactMap(\.connection).max() ?? 0) > 1)
    }

    @Test(
        arguments: [
            ("/nowhere", [:], 404), ("/ws", ["ERROR_RATE": 1, "ERROR_STATUS": 503], 503),
        ] as [(String, JSONValue, Int)])
    func `a server that refuses a session fails the message with its status`(
        path: String, settings: JSONValue, status: Int
    ) async throws {
        let results = try await run(spec(clients: 2, requests: 4, path: path), settings)
        #expect(results.count == 4 && results.allSatisfy { $0.status == status && $0.outcome == .failed })
    }

    @Test func `a session that never comes about times out`() async throws {
        let results = try await run(
            spec(clients: 1, requests: 2, timeout: .milliseconds(50)), ["HANG": true])
        #expect(results.map(\.failure) == [.timeout, .timeout] && results.allSatisfy { $0.sent == nil })
    }

    @Test func `the opening of a session is traffic, and none of the load's requests`() throws {
        var served = ServedTable()
        for (n, id) in ["players-session.1", "players-1", nil].enumerated() {
            served.append(
                .init(at: Instant(Int64(n)), node: "game", chaosID: id, n: n, method: "GET", path: "/ws", status: 101))
        }
        var requests = RequestTable()
        requests.append(
            .init(load: "players", n: 1, method: "GET", path: "/ws", planned: 0, outcome: .ok, bytes: 0))
        served.finish(joining: requests)
        #expect((0..<3).map { served.isProbe($0) } == [false, false, true])
        #expect((0..<3).map { served.request($0) } == [nil, 0, nil])
    }

    static let mistakes: [(load: String, message: String)] = [
        (
            "rate: 10/s, for: 2s, request: { websocket: true, path: /ws }",
            "the load `users` sends WebSocket messages in an open loop: a session has one message under way at a time; "
                + "give `clients` and `think` instead of a rate"
        ),
        (
            "clients: 2, for: 2s, request: { websocket: true, method: POST }",
            "`method` beside `websocket`: a session begins with GET; remove it"
        ),
        (
            "clients: 2, for: 2s, connections: { max: 3 }, request: { websocket: true }",
            "`connections` beside `websocket`: each client has one session; remove it"
        ),
        (
            "clients: 2, for: 2s, mix: [{ request: { websocket: true } }, { request: { path: / } }]",
            "`websocket` in the mix of the load `users`; give it a load of its own"
        ),
    ]

    @Test(arguments: mistakes)
    func `what a session cannot be is refused`(load: String, message: String) {
        let messages = Examples.messages(Examples.broken("rate: \"$(rate)\", for: 20s", load))
        #expect(messages.contains { $0.hasSuffix(message) }, "\(messages)")
    }

    @Test func `a scenario says it with one key`() throws {
        let text = Examples.broken(
            "rate: \"$(rate)\", for: 20s",
            "clients: 20, think: 100ms, for: 20s, request: { websocket: true, path: /ws, body: \"move $(n)\" }")
        let plan = try Examples.plans(text)[0]
        #expect(plan.loads[0].isWebSocket)
        #expect(explain(plan).contains("WebSocket messages on /ws"))
    }
}

private final class KeptResults: Sendable {
    private let results = Mutex([LoadResult]())
    var all: [LoadResult] { results.withLock { $0 } }

    /// - Returns: how many there are now.
    func append(_ result: LoadResult) -> Int {
        results.withLock {
            $0.append(result)
            return $0.count
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import MockAPI
import NIOCore
import Testing
import Wire
import World

/// The mock API over HTTP/2 in plain text, spoken as the gateway speaks it.
@Suite(.timeLimit(.minutes(1))) struct HTTP2MockTests {
    private final class Exchange: ClientDelegate {
        private let promise: EventLoopPromise<String>
        private var text = ""

        init(_ promise: EventLoopPromise<String>) { self.promise = promise }

        func received(head: ResponseHead, on connection: ClientConnection) { text = "\(head.status) " }
        func received(body: ByteBuffer, on connection: ClientConnection) { text += String(buffer: body) }
        func receivedEnd(trailers: Trailers?, on connection: ClientConnection) { promise.succeed(text) }
        func failed(_ failure: ClientFailure, on connection: ClientConnection) { promise.succeed(text + "\(failure)") }
    }

    private func withMock(
        _ settings: JSONValue = [:],
        _ body: (MockServer, World, NIOLoopBound<HTTP2ClientConnection>, KeepingSink) async throws -> Void
    ) async throws {
        let world = World.real(seed: 1)
        let sink = KeepingSink()
        var parsed = MockSettings()
        try parsed.merge(settings)
        let server = try await MockServer.start(
            world: world, address: .loopback(port: 0), settings: parsed, speaksHTTP2: true, sink: sink
        ).get()
        let loop = world.loops.next()
        let made = loop.makePromise(of: NIOLoopBound<HTTP2ClientConnection>.self)
        let channel = world.network.connect(to: server.localAddress, on: loop, timeout: .seconds(5)) { channel in
            channel.eventLoop.makeCompletedFuture {
                let connection = try HTTP2ClientConnection.install(
                    on: channel, scheme: "http", limits: HTTP2Limits(), wireLimits: WireLimits(),
                    idleTimeout: .seconds(60))
                made.succeed(NIOLoopBound(connection, eventLoop: channel.eventLoop))
            }
        }
        channel.cascadeFailure(to: made)
        _ = try await channel.get()
        let connection = try await made.futureResult.get()
        try await body(server, world, connection, sink)
        try await loop.submit { connection.value.end() }.get()
        try await server.stop(grace: .zero).get()
        try await world.loops.shutdownGracefully()
    }

    private func ask(
        _ connection: NIOLoopBound<HTTP2ClientConnection>, _ path: String, on loop: any EventLoop
    ) -> EventLoopFuture<String> {
        let promise = loop.makePromise(of: String.self)
        loop.flatSubmit { connection.value.openStream() }.whenComplete { result in
            switch result {
            case .success(let stream):
                self.send(path, on: stream.value, promise)
            case .failure(let error): promise.fail(error)
            }
        }
        return promise.futureResult
    }

    private func send(_ path: String, on stream: ClientConnection, _ promise: EventLoopPromise<String>) {
        stream.delegate = Exchange(promise)
        stream.send(
            whole: ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: a\r\nX-Chaos-Id: users-1\r\n\r\n"),
            method: .get)
    }

    @Test func `streams of one connection are answered and recorded as requests of it`() async throws {
        try await withMock { server, world, connection, sink in
            let loop = world.loops.next()
            async let first = ask(connection, "/hello?x=1", on: loop).get()
            async let second = ask(connection, "/nowhere", on: loop).get()
            #expect(try await first == #"200 {"message":"Hello from Mock API"}"# + "\n")
            #expect(try await second.hasPrefix("404 "))
            #expect(sink.lines.count == 2)
            #expect(sink.lines.allSatisfy { $0.contains(#""id":"users-1""#) && $0.contains(#""connection":1}"#) })
            // The same port for who speaks HTTP/1.1.
            let text = try await RawClient.exchange(
                "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", with: server, world: world)
            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        }
    }

    @Test func `an answer that is not given is a stream that is reset, and the connection goes on`() async throws {
        try await withMock(["CLOSE": "before head"]) { server, world, connection, _ in
            let loop = world.loops.next()
            #expect(try await ask(connection, "/hello", on: loop).get() == "reset")
            try await server.set(MockSettings()).get()
            #expect(try await ask(connection, "/hello", on: loop).get().hasPrefix("200 "))
        }
    }

    @Test func `a stream that has not begun when the server goes away fails alone`() async throws {
        try await withMock(["LATENCY": "10m"]) { server, world, connection, sink in
            let loop = world.loops.next()
            let late = try await loop.flatSubmit { connection.value.openStream() }.get()
            let open = ask(connection, "/hello", on: loop)
            let isOver = NIOLoopBoundBox.makeBoxSendingValue(false, eventLoop: loop)
            open.whenComplete { _ in isOver.value = true }
            try await sink.reaches(1, on: loop)
            let answer = loop.makePromise(of: String.self)
            try await loop.submit {
                connection.value.onEnd = { _ in self.send("/hello", on: late.value, answer) }
            }.get()
            let stopped = server.stop(grace: .minutes(10))
            #expect(try await answer.futureResult.get() == "closed")
            // The one that is open still waits, until the server gives it up.
            #expect(try await loop.submit { isOver.value }.get() == false)
            try await server.stop(grace: .zero).get()
            try await stopped.get()
            _ = try await open.get()
        }
    }

    @Test func `HTTP/2 and TLS exclude each other`() {
        let problems = #expect(throws: Problems.self) {
            try MockCommandOptions(flags: ["--http2": "on", "--tls": "on"], environment: [:])
        }
        #expect(
            problems?.sorted.map(\.description)
                == ["--http2: HTTP/2 is spoken in plain text only; leave out TLS or HTTP/2"])
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import MockAPI
import NIOCore
import Testing
import World

@Suite(.timeLimit(.minutes(1))) struct MockServerTests {
    let sink = KeepingSink()

    /// Runs `body` with a mock on loopback, and stops both.
    private func withMock(
        _ settings: JSONValue = [:], _ body: (MockServer, World) async throws -> Void
    ) async throws {
        let world = World.real(seed: 1)
        var parsed = MockSettings()
        try parsed.merge(settings)
        let server = try await MockServer.start(
            world: world, address: SocketAddress(ipAddress: "127.0.0.1", port: 0), settings: parsed, sink: sink
        ).get()
        do {
            try await body(server, world)
        } catch {
            try await server.stop(grace: .zero).get()
            try await world.loops.shutdownGracefully()
            throw error
        }
        try await server.stop(grace: .zero).get()
        try await world.loops.shutdownGracefully()
    }

    /// The answer without its Date.
    private func undated(_ text: String) -> String {
        text.split(separator: "\r\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("Date: ") }
            .joined(separator: "\n")
    }

    @Test func `the walk-through's request gets Flask's answer`() async throws {
        try await withMock { server, world in
            let text = try await RawClient.exchange(
                "GET /hello?x=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", with: server, world: world)
            #expect(
                undated(text) == """
                    HTTP/1.1 200 OK
                    Server: gatecrash-mock
                    Content-Type: application/json
                    Content-Length: 34
                    Connection: close

                    {"message":"Hello from Mock API"}

                    """)
            #expect(text.contains("\r\nDate: ") && text.contains(" GMT\r\n"))
        }
    }

    static let requests: [(request: String, head: [String], body: String)] = [
        ("HEAD /hello HTTP/1.1", ["HTTP/1.1 200 OK", "Content-Length: 34"], ""),
        ("HEAD / HTTP/1.0", ["HTTP/1.1 200 OK", "Content-Length: 34"], ""),
        ("GET /health HTTP/1.0", ["HTTP/1.1 200 OK"], "{\"status\":\"healthy\"}\n"),
        ("OPTIONS /hello HTTP/1.1", ["HTTP/1.1 200 OK", "Allow: HEAD, OPTIONS, GET", "Content-Length: 0"], ""),
        (
            "DELETE /health HTTP/1.1",
            ["HTTP/1.1 405 METHOD NOT ALLOWED", "Content-Length: 153", "Allow: HEAD, OPTIONS, GET"],
            MockAnswer.methodNotAllowed(.reading).body()
        ),
        ("GET /hello/ HTTP/1.1", ["HTTP/1.1 404 NOT FOUND", "Content-Length: 207"], MockAnswer.notFound.body()),
        ("GET http://a/hello HTTP/1.1", ["HTTP/1.1 200 OK"], MockAnswer.hello.body()),
    ]

    @Test(arguments: requests)
    func `an answer on the wire has its head and body`(request: String, head: [String], body: String) async throws {
        try await withMock { server, world in
            let text = try await RawClient.exchange(
                "\(request)\r\nHost: a\r\nConnection: close\r\n\r\n", with: server, world: world)
            let parts = undated(text).split(separator: "\n\n", maxSplits: 1, omittingEmptySubsequences: false)
            for line in head { #expect(parts[0].split(separator: "\n").contains(Substring(line))) }
            #expect(parts.last.map(String.init) == body)
        }
    }

    @Test func `requests sent ahead are answered in order on one connection`() async throws {
        try await withMock(["ERROR_NEXT": "1 of 3"]) { server, world in
            let text = try await RawClient.exchange(
                "GET /hello HTTP/1.1\r\nHost: a\r\n\r\nHEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n"
                    + "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                    + "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", with: server, world: world)
            let statuses = text.split(separator: "\r\n").filter { $0.contains("HTTP/1.1 ") }.map {
                $0.suffix(from: $0.firstRange(of: "HTTP/1.1 ")!.upperBound).prefix(3)
            }
            #expect(statuses == ["500", "200", "405", "200"])
            #expect(sink.lines.allSatisfy { $0.contains("\"connection\":1}") })
            #expect(sink.lines.count == 4)
        }
    }

    @Test func `a client that sends byte by byte is served`() async throws {
        try await withMock { server, world in
            let client = try await RawClient.connect(to: server.localAddress, world: world)
            for byte in "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" {
                try await client.send(String(byte))
            }
            #expect(try await client.everything().hasSuffix("{\"message\":\"Hello from Mock API\"}\n"))
        }
    }

    @Test(arguments: [
        "garbage\r\n\r\n", "GET /hello HTTP/1.1\r\n\r\n", "GET /hello HTTP/1.1\r\nHost : a\r\n\r\n", "\u{16}\u{3}\u{1}",
    ])
    func `garbage is refused with 400 and a close, and is no request`(text: String) async throws {
        try await withMock { server, world in
            let answer = try await RawClient.exchange(text + "\r\n\r\n", with: server, world: world)
            #expect(answer.hasPrefix("HTTP/1.1 400 BAD REQUEST\r\n") && answer.contains("\r\nConnection: close\r\n"))
            #expect(sink.lines.isEmpty)
        }
    }

    @Test func `a record is JSON whatever the stranger sent, and carries the id`() async throws {
        try await withMock { server, world in
            let path = String(repeating: "\"", count: 3000)
            _ = try await RawClient.exchange(
                "GET /\(path)?q HTTP/1.1\r\nHost: a\r\nx-chaos-id: users-17\r\n\r\n"
                    + "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", with: server, world: world)
            let records = try sink.lines.map { try JSONValue(parsing: $0.utf8) }
            #expect(records.count == 2 && sink.lines.allSatisfy { $0.utf8.count < 4096 })
            #expect(records[0]["id"] == "users-17" && records[0]["n"] == 1 && records[0]["status"] == 404)
            #expect(records[0]["path"]?.stringValue == "/" + String(repeating: "\"", count: 511))
            #expect(
                records[1]["id"] == JSONValue.null && records[1]["path"] == "/health" && records[1]["kind"] == "served")
            #expect((records[1]["t"]?.intValue ?? 0) > 0 && records[1]["method"] == "GET" && records[1]["n"] == 2)
        }
    }

    @Test func `a hanging answer never comes, but its record does`() async throws {
        try await withMock(["HANG": true]) { server, world in
            let client = try await RawClient.connect(to: server.localAddress, world: world)
            try await client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            try await sink.reaches(1, on: client.channel.eventLoop)
            // The loop has gone round with the request decided; /health still answers.
            let health = try await RawClient.exchange(
                "GET /health HTTP/1.0\r\n\r\n", with: server, world: world)
            #expect(health.hasPrefix("HTTP/1.1 200 OK"))
            try await client.channel.close()
            #expect(try await client.everything() == "")
            #expect(try JSONValue(parsing: sink.lines[0].utf8)["status"] == 0)
        }
    }

    static let closes: [(mode: String, ending: String)] = [
        ("before head", ""), ("mid body", "\r\n\r\n{\"message\":\"Hello"),
    ]

    @Test(arguments: closes)
    func `an answer may be cut`(mode: String, ending: String) async throws {
        try await withMock(["CLOSE": .string(mode)]) { server, world in
            let text = try await RawClient.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n", with: server, world: world)
            #expect(ending.isEmpty ? text.isEmpty : text.hasSuffix(ending))
        }
    }

    @Test func `an answer is held back for its latency and the record is not`() async throws {
        try await withMock(["LATENCY": "30ms"]) { server, world in
            let loop = world.loops.next()
            let before = loop.now
            let text = try await RawClient.exchange("GET /hello HTTP/1.0\r\n\r\n", with: server, world: world)
            #expect(loop.now - before >= .milliseconds(30))
            #expect(text.hasPrefix("HTTP/1.1 200 OK"))
        }
    }

    @Test func `stopping gives up what hangs`() async throws {
        try await withMock(["HANG": true]) { server, world in
            let client = try await RawClient.connect(to: server.localAddress, world: world)
            try await client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            try await sink.reaches(1, on: client.channel.eventLoop)
            try await server.stop(grace: .zero).get()
            #expect(try await client.everything() == "")
            await #expect(throws: NetworkError.self) {
                try await RawClient.connect(to: server.localAddress, world: world)
            }
        }
    }

    @Test func `an address in use is an error`() async throws {
        try await withMock { server, world in
            await #expect(throws: NetworkError.self) {
                try await MockServer.start(world: world, address: server.localAddress).get()
            }
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct MockSettingsOverHTTPTests {
    @Test func `settings are read, merged, replaced and refused over HTTP`() async throws {
        let world = World.real(seed: 1)
        let server = try await MockServer.start(
            world: world, address: SocketAddress(ipAddress: "127.0.0.1", port: 0)
        ).get()
        func ask(_ method: String, _ body: String = "") async throws -> (status: String, json: JSONValue) {
            let text = try await RawClient.exchange(
                "\(method) /_mock/settings HTTP/1.1\r\nHost: a\r\nConnection: "
                    + "close\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                    + body, with: server, world: world)
            let parts = text.split(separator: "\r\n\r\n", maxSplits: 1)
            return (String(text.dropFirst(9).prefix(3)), try JSONValue(parsing: parts[1].utf8))
        }
        let first = try await ask("GET")
        #expect(first.status == "200" && first.json["ERROR_RATE"] == 0 && first.json["CLOSE"] == "none")
        _ = try await ask("PATCH", #"{"ERROR_STATUS": 503, "LATENCY": "1ms"}"#)
        let merged = try await ask("PATCH", #"{"ERROR_RATE": 0.9}"#)
        #expect(merged.json["ERROR_STATUS"] == 503 && merged.json["ERROR_RATE"] == 0.9)
        let replaced = try await ask("PUT", #"{"ERROR_RATE": "10%"}"#)
        #expect(replaced.json["ERROR_STATUS"] == 500 && replaced.json["ERROR_RATE"] == 0.1)
        let refused = try await ask("PATCH", #"{"ERROR_RATE": 1, "HEALHT": "hang", "LATENCY": 5}"#)
        #expect(refused.status == "400")
        #expect(
            refused.json["problems"]?.arrayValue?.compactMap(\.stringValue).sorted() == [
                "LATENCY: 5 has no unit; write 5ms or 5s", "unknown setting HEALHT; did you mean HEALTH?",
            ])
        #expect(try await ask("PATCH", "{").status == "400")
        #expect(try await ask("DELETE").status == "405")
        #expect(try await ask("GET").json["ERROR_RATE"] == 0.1)
        #expect(try await server.settings().get().errorRate == 0.1)
        try await server.stop().get()
        try await world.loops.shutdownGracefully()
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import MockAPI
import NIOCore
import Testing
import Wire
import World

@Suite(.timeLimit(.minutes(1))) struct WebSocketMockTests {
    private static let upgrade =
        "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

    /// What comes back for a request and the bytes behind it, and the records that are left.
    private func exchange(
        _ settings: JSONValue, _ start: String, _ frames: ByteBuffer = ByteBuffer()
    ) async throws -> (text: String, records: [JSONValue]) {
        let world = World.real(seed: 1)
        var parsed = MockSettings()
        try parsed.merge(settings)
        let sink = KeepingSink()
        let server = try await MockServer.start(
            world: world, address: SocketAddress(ipAddress: "127.0.0.1", port: 0), settings: parsed, sink: sink
        ).get()
        let client = try await RawClient.connect(to: server.localAddress, world: world)
        try await client.send(start)
        // A server that refused has closed already.
        if frames.readableBytes > 0 { try await client.channel.writeAndFlush(frames).get() }
        let text = try await client.everything()
        try await server.stop(grace: .zero).get()
        try await world.loops.shutdownGracefully()
        return (text, try sink.lines.map { try JSONValue(parsing: $0.utf8) })
    }

    private static func frames(_ list: [(WebSocketOpcode, ByteBuffer)]) -> ByteBuffer {
        var frames = ByteBuffer()
        for (opcode, payload) in list { frames.writeWebSocketFrame(opcode, payload, mask: 0x1122_3344) }
        return frames
    }

    @Test func `messages come back, and each leaves a record`() async throws {
        let frames = Self.frames([
            (.text, ByteBuffer(string: "X-Chaos-Id: players-17\nhit")), (.ping, ByteBuffer(string: "there?")),
            (.binary, ByteBuffer(string: "raw")), (.close, .webSocketClose(1000)),
        ])
        let (text, records) = try await exchange(
            ["CATCH_ALL": true], "GET /arena?x=1 HTTP/1.1\r\n\(Self.upgrade)", frames)
        #expect(text.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"), "\(text)")
        #expect(text.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
        for part in ["X-Chaos-Id: players-17\nhit", "\u{6}there?", "\u{3}raw"] {
            #expect(text.contains(part), "\(part)")
        }
        #expect(records.compactMap { $0["status"] } == [101, 200, 200])
        #expect(records.compactMap { $0["method"] } == ["GET", "WS", "WS"])
        #expect(records.compactMap { $0["id"] } == [.null, "players-17", .null])
        #expect(records.allSatisfy { $0["path"] == "/arena" && $0["connection"] == 1 })
    }

    @Test func `a bad frame is answered with its code, and ends the session`() async throws {
        var unmasked = ByteBuffer()
        unmasked.writeWebSocketFrame(.text, ByteBuffer(string: "hello"))
        let (text, records) = try await exchange([:], "GET /ws HTTP/1.1\r\n\(Self.upgrade)", unmasked)
        #expect(text.hasPrefix("HTTP/1.1 101 "))
        // A close frame with 1002.
        #expect(text.hasSuffix("\u{2}\u{3}\u{fffd}") || text.hasSuffix("\u{2}\u{3}\u{ea}"), "\(text.debugDescription)")
        #expect(records.count == 1)
    }

    @Test(
        arguments: [
            // Another path, when only /ws is there; an injected error; a request that asks for nothing.
            ("GET /arena", [:], "404"), ("GET /ws", ["ERROR_RATE": 1], "500"),
            ("POST /ws", ["CATCH_ALL": true], "200"),
        ] as [(String, JSONValue, String)])
    func `what is no session is answered as HTTP`(start: String, settings: JSONValue, status: String) async throws {
        let fields = Self.upgrade.replacing("Connection: Upgrade", with: "Connection: Upgrade, close")
        let (text, records) = try await exchange(settings, "\(start) HTTP/1.1\r\n\(fields)")
        #expect(text.hasPrefix("HTTP/1.1 \(status) "), "\(text)")
        #expect(records.count == 1 && records[0]["status"]?.intValue == Int(status))
    }
}

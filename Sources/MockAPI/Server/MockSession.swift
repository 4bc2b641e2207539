// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire

/// A WebSocket of the mock: every message comes back as it was, a ping gets its pong, a close its close. Confined to
/// the mock's loop.
final class MockSession {
    private var decoder = WebSocketDecoder(isFromClient: true)
    private var inbound = ByteBuffer()
    private var isOver = false
    private let path: String
    /// Hands over the record of a message before its echo.
    private let record: (_ path: String, _ message: ByteBuffer) -> Void

    init(path: String, record: @escaping (_ path: String, _ message: ByteBuffer) -> Void) {
        self.path = path
        self.record = record
    }

    func received(_ bytes: ByteBuffer, on connection: ServerConnection) {
        inbound.writeImmutableBuffer(bytes)
        while !isOver {
            switch decoder.next(from: &inbound) {
            case .needsMore: return shrink()
            case .message(let isText, let message):
                record(path, message)
                send(isText ? .text : .binary, message, on: connection)
            case .ping(let payload): send(.pong, payload, on: connection)
            case .pong: break
            case .close(let code): end(code.map { .webSocketClose($0) } ?? ByteBuffer(), on: connection)
            case .failed(let error): end(.webSocketClose(error.closeCode), on: connection)
            }
        }
    }

    private func send(_ opcode: WebSocketOpcode, _ payload: ByteBuffer, on connection: ServerConnection) {
        var frame = ByteBuffer()
        frame.writeWebSocketFrame(opcode, payload)
        connection.send(body: frame)
        connection.flush()
    }

    private func end(_ payload: ByteBuffer, on connection: ServerConnection) {
        isOver = true
        inbound = ByteBuffer()
        send(.close, payload, on: connection)
        connection.sendEnd()
    }

    /// What was read is dropped; what waits for its rest is short.
    private func shrink() {
        if inbound.readableBytes == 0 { inbound = ByteBuffer() } else { inbound.discardReadBytes() }
    }
}

// MARK: The handshake

extension RequestHead {
    /// The client's half of the proof, when this request asks for a WebSocket of the version there is.
    var webSocketKey: String? {
        guard asksForWebSocket, method == .get, value(of: "sec-websocket-version") == WebSocketHandshake.version,
            let key = value(of: "sec-websocket-key"), WebSocketHandshake.isKey(key)
        else { return nil }
        return key
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The bytes of one message that wait to be written, and the framing of its body: chunk sizes, the last chunk, and the
/// length that was promised. Decides what leaves when; its connection writes it.
///
/// What was promised is kept to: bytes beyond Content-Length would be read as the next message, so they are dropped.
struct BodyWriter {
    /// A part up to this size is copied behind what waits: one copy is cheaper than one more vector.
    private static let coalescedBytes = 16 * 1024
    /// Set aside behind a head, for a short body.
    private static let bodyRoom = 256

    /// What waits, head included.
    private(set) var pending = ByteBuffer()
    /// `.length` counts what is still owed.
    private var framing = BodyFraming.none
    /// More or fewer bytes were sent than Content-Length said. The connection must close.
    private(set) var isBroken = false
    private let memory: OutboundMemory

    init(_ memory: OutboundMemory) { self.memory = memory }

    /// - Parameters:
    ///   - count: no less than the head will be long.
    ///   - framing: `.none` drops all of the body (an answer to HEAD).
    ///   - head: writes start line, fields and the empty line.
    @inline(__always)
    mutating func begin(atMost count: Int, framing: BodyFraming, head: (inout ByteCursor) -> Void) {
        var buffer = memory.take(count + Self.bodyRoom)
        buffer.append(atMost: count, head)
        pending = buffer
        (self.framing, isBroken) = (framing, false)
    }

    /// As the other `begin`, of a head that is written already; none when a tunnel begins.
    mutating func begin(_ head: ByteBuffer, framing: BodyFraming) {
        pending = head
        (self.framing, isBroken) = (framing, false)
    }

    /// Adds a part of the body.
    ///
    /// - Returns: what must be written now, in this order; nil when the part was put to what waits.
    mutating func add(_ body: ByteBuffer) -> (waiting: ByteBuffer, part: ByteBuffer)? {
        var body = body
        guard body.readableBytes > 0 else { return nil }
        switch framing {
        case .none: return nil
        case .untilClose: break
        case .chunked:
            pending.writeHexadecimal(body.readableBytes)
            pending.writeStaticString("\r\n")
        case .length(let owed):
            if body.readableBytes > owed {
                isBroken = true
                body = body.getSlice(at: body.readerIndex, length: Int(owed)) ?? ByteBuffer()
            }
            framing = .length(owed - Int64(body.readableBytes))
        }
        if body.readableBytes <= Self.coalescedBytes {
            body.withUnsafeReadableBytes { _ = pending.writeBytes($0) }
            if framing == .chunked { pending.writeStaticString("\r\n") }
            return nil
        }
        let waiting = takePending()
        if framing == .chunked { pending.writeStaticString("\r\n") }
        return (waiting, body)
    }

    /// Adds the end of the body.
    mutating func end(_ trailers: Trailers?) {
        if case .length(let owed) = framing, owed > 0 { isBroken = true }
        if framing == .chunked {
            pending.writeStaticString("0\r\n")
            for (name, value) in trailers?.list ?? [] { pending.writeField(name, value) }
            pending.writeStaticString("\r\n")
        }
        framing = .none
    }

    /// Hands over what waits.
    mutating func takePending() -> ByteBuffer {
        let bytes = pending
        pending = ByteBuffer()
        return bytes
    }

    /// Takes back memory whose bytes are in the socket.
    @inline(__always)
    func wrote(_ bytes: consuming ByteBuffer) { memory.give(bytes) }
}

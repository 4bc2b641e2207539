// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// What the next bytes of a WebSocket are.
package enum WebSocketEvent: Sendable, Hashable {
    case needsMore
    /// A whole message, put together from its parts.
    case message(isText: Bool, ByteBuffer)
    case ping(ByteBuffer)
    case pong(ByteBuffer)
    /// Nothing follows. Nil: the other side gave no code.
    case close(code: UInt16?)
    /// The connection is of no further use.
    case failed(WebSocketError)
}

/// Takes messages out of the bytes of one side of a WebSocket, as strictly as RFC 6455 asks.
///
///     FIN RSV opcode | MASK length | 16 or 64 bits more of length | mask | payload
///      1   3    4    |   1    7    |                              |  32  |
package struct WebSocketDecoder: Sendable {
    /// Longest message and so longest frame: what a test sends is short.
    package static let defaultMessageBytes = 1 << 20
    /// Most parts of one message.
    package static let mostParts = 1024

    private struct Header {
        var isFinal: Bool
        var opcode: WebSocketOpcode
        var mask: UInt32?
        /// With the mask.
        var headerBytes: Int
        var payloadBytes: Int
    }

    /// The side that is read is a client, which masks (section 5.1).
    private let isFromClient: Bool
    private let longest: Int
    /// Of the message whose parts are coming.
    private var isText = false
    private var message: ByteBuffer?
    private var parts = 0
    private var isOver = false

    package init(isFromClient: Bool, longest: Int = WebSocketDecoder.defaultMessageBytes) {
        self.isFromClient = isFromClient
        self.longest = longest
    }

    /// Takes the next thing off the front of `buffer`. After `close` and `failed` there is nothing more.
    package mutating func next(from buffer: inout ByteBuffer) -> WebSocketEvent {
        while !isOver {
            let header: Header
            switch Self.header(of: buffer, isFromClient: isFromClient, longest: longest) {
            case .success(nil): return .needsMore
            case .success(let found?): header = found
            case .failure(let error): return fail(error)
            }
            guard buffer.readableBytes >= header.headerBytes + header.payloadBytes else { return .needsMore }
            buffer.moveReaderIndex(forwardBy: header.headerBytes)
            var payload = buffer.readSlice(length: header.payloadBytes) ?? ByteBuffer()
            if let mask = header.mask { payload = ByteBuffer(bytes: payload.webSocketMasked(with: mask)) }
            if let event = take(header, payload) { return event }
        }
        return .needsMore
    }

    private mutating func fail(_ error: WebSocketError) -> WebSocketEvent {
        isOver = true
        return .failed(error)
    }

    /// - Returns: nil for a part of a message that is not whole yet.
    private mutating func take(_ header: Header, _ payload: ByteBuffer) -> WebSocketEvent? {
        switch header.opcode {
        case .ping: return .ping(payload)
        case .pong: return .pong(payload)
        case .close:
            // A code of two bytes and a reason, or nothing at all (section 5.5.1).
            if payload.readableBytes == 1 { return fail(.badCloseFrame) }
            isOver = true
            return .close(code: payload.getInteger(at: payload.readerIndex, as: UInt16.self))
        case .text, .binary:
            if message != nil { return fail(.interruptedMessage) }
            (isText, parts) = (header.opcode == .text, 1)
            message = payload
        case .continuation:
            guard message != nil else { return fail(.misplacedContinuation) }
            parts += 1
            if parts > Self.mostParts { return fail(.tooManyParts) }
            message?.writeImmutableBuffer(payload)
        }
        guard let whole = message else { return nil }
        if whole.readableBytes > longest { return fail(.tooLong) }
        guard header.isFinal else { return nil }
        message = nil
        if isText, String(validating: whole.readableBytesView, as: UTF8.self) == nil { return fail(.notUTF8) }
        return .message(isText: isText, whole)
    }

    private static func header(
        of buffer: ByteBuffer, isFromClient: Bool, longest: Int
    ) -> Result<Header?, WebSocketError> {
        let start = buffer.readerIndex
        guard let first = buffer.getInteger(at: start, as: UInt8.self),
            let second = buffer.getInteger(at: start + 1, as: UInt8.self)
        else { return .success(nil) }
        if first & 0x70 != 0 { return .failure(.reservedBits) }
        guard let opcode = WebSocketOpcode(rawValue: first & 0x0f) else { return .failure(.unknownOpcode) }
        let isFinal = first & 0x80 != 0
        if opcode.isControl, !isFinal { return .failure(.fragmentedControlFrame) }
        let isMasked = second & 0x80 != 0
        if isMasked != isFromClient { return .failure(isFromClient ? .missingMask : .unexpectedMask) }
        var length = UInt64(second & 0x7f)
        if opcode.isControl, length > 125 { return .failure(.longControlFrame) }
        var headerBytes = 2
        switch length {
        case 126:
            guard let more = buffer.getInteger(at: start + 2, as: UInt16.self) else { return .success(nil) }
            if more < 126 { return .failure(.wastefulLength) }
            (length, headerBytes) = (UInt64(more), 4)
        case 127:
            guard let more = buffer.getInteger(at: start + 2, as: UInt64.self) else { return .success(nil) }
            if more <= 0xffff { return .failure(.wastefulLength) }
            (length, headerBytes) = (more, 10)
        default: break
        }
        if length > UInt64(longest) { return .failure(length >> 63 == 1 ? .hugeLength : .tooLong) }
        var mask: UInt32?
        if isMasked {
            guard let found = buffer.getInteger(at: start + headerBytes, as: UInt32.self) else {
                return .success(nil)
            }
            mask = found
            headerBytes += 4
        }
        return .success(
            Header(
                isFinal: isFinal, opcode: opcode, mask: mask, headerBytes: headerBytes,
                payloadBytes: Int(length)))
    }
}

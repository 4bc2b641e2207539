// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The nine bytes before every frame of HTTP/2 (RFC 9113 section 4.1).
package struct FrameHead: Hashable, Sendable {
    package struct Kind: RawRepresentable, Hashable, Sendable {
        package var rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let data = Kind(rawValue: 0)
        package static let headers = Kind(rawValue: 1)
        package static let resetStream = Kind(rawValue: 3)
        package static let settings = Kind(rawValue: 4)
        package static let pushPromise = Kind(rawValue: 5)
        package static let ping = Kind(rawValue: 6)
        package static let goAway = Kind(rawValue: 7)
        package static let windowUpdate = Kind(rawValue: 8)
        package static let continuation = Kind(rawValue: 9)
    }

    package static let byteCount = 9

    /// Of the payload, in bytes.
    package var length: Int
    package var kind: Kind
    package var flags: UInt8
    package var stream: UInt32

    package init(length: Int, kind: Kind, flags: UInt8 = 0, stream: UInt32) {
        self.length = length
        self.kind = kind
        self.flags = flags
        self.stream = stream
    }

    /// Of DATA and HEADERS.
    package var endsStream: Bool { flags & Self.endStream != 0 }
    /// Of HEADERS, PUSH_PROMISE and CONTINUATION.
    package var endsHeaders: Bool { flags & Self.endHeaders != 0 }
    /// Of SETTINGS and PING.
    package var isAcknowledgement: Bool { flags & Self.acknowledged != 0 }
    package var isPadded: Bool { flags & Self.padded != 0 }
    package var hasPriority: Bool { flags & Self.priority != 0 }

    package static let endStream: UInt8 = 0x1
    package static let acknowledged: UInt8 = 0x1
    package static let endHeaders: UInt8 = 0x4
    private static let padded: UInt8 = 0x8
    private static let priority: UInt8 = 0x20
}

/// A whole frame.
package struct Frame: Hashable, Sendable {
    package var head: FrameHead
    package var payload: ByteBuffer

    package init(_ kind: FrameHead.Kind, flags: UInt8 = 0, stream: UInt32 = 0, payload: ByteBuffer) {
        head = FrameHead(length: payload.readableBytes, kind: kind, flags: flags, stream: stream)
        self.payload = payload
    }

    package init(_ head: FrameHead, payload: ByteBuffer) {
        self.head = head
        self.payload = payload
    }

    package static func goAway(last: UInt32, code: HTTP2ErrorNumber) -> Frame {
        var payload = ByteBuffer()
        payload.writeMultipleIntegers(last, code.rawValue)
        return Frame(.goAway, payload: payload)
    }

    package static func resetStream(_ stream: UInt32, code: HTTP2ErrorNumber) -> Frame {
        Frame(.resetStream, stream: stream, payload: ByteBuffer(integer: code.rawValue))
    }

    package static func ping(_ opaque: UInt64) -> Frame { Frame(.ping, payload: ByteBuffer(integer: opaque)) }

    /// Opens the window of the connection by so many bytes, at least one.
    package static func windowUpdate(_ count: Int) -> Frame {
        Frame(.windowUpdate, payload: ByteBuffer(integer: UInt32(clamping: count)))
    }

    /// As it stands on the wire.
    package var bytes: ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(FrameHead.byteCount + payload.readableBytes)
        bytes.writeFrameHead(head)
        bytes.writeImmutableBuffer(payload)
        return bytes
    }
}

/// Why a stream or a connection ended (RFC 9113 section 7).
package struct HTTP2ErrorNumber: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let noError = HTTP2ErrorNumber(rawValue: 0)
    package static let internalError = HTTP2ErrorNumber(rawValue: 2)
    package static let refusedStream = HTTP2ErrorNumber(rawValue: 7)
    package static let cancel = HTTP2ErrorNumber(rawValue: 8)

    /// The names of section 7, each at the place of its number.
    package static let names = [
        "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
        "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
    ]

    /// - Parameter text: a name of section 7, in any case, or a number of 32 bits.
    package init?(_ text: String) {
        if let place = Self.names.firstIndex(of: text.uppercased()) {
            self.init(rawValue: UInt32(place))
        } else if let number = UInt32(text) {
            self.init(rawValue: number)
        } else {
            return nil
        }
    }

    /// Its name, or its number when it has none.
    package var text: String {
        Int(rawValue) < Self.names.count ? Self.names[Int(rawValue)] : String(rawValue)
    }
}

extension ByteBuffer {
    mutating func writeFrameHead(_ head: FrameHead) {
        writeInteger(UInt8(truncatingIfNeeded: head.length >> 16))
        writeInteger(UInt16(truncatingIfNeeded: head.length))
        writeMultipleIntegers(head.kind.rawValue, head.flags, head.stream)
    }

    /// The head at the front, which stays there; nil when it has not come whole.
    func frameHead() -> FrameHead? {
        guard let lengthAndKind = getInteger(at: readerIndex, as: UInt32.self),
            let flags = getInteger(at: readerIndex + 4, as: UInt8.self),
            let stream = getInteger(at: readerIndex + 5, as: UInt32.self)
        else { return nil }
        // The highest bit of the stream is reserved and means nothing.
        return FrameHead(
            length: Int(lengthAndKind >> 8), kind: FrameHead.Kind(rawValue: UInt8(truncatingIfNeeded: lengthAndKind)),
            flags: flags, stream: stream & 0x7fff_ffff)
    }
}

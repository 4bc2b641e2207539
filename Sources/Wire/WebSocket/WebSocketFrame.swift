// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The kinds of frames (RFC 6455 section 5.2).
package enum WebSocketOpcode: UInt8, Sendable, Hashable, CaseIterable {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xa

    /// About the connection, not a part of a message; may stand between the parts of one.
    package var isControl: Bool { rawValue >= 0x8 }
}

/// Why bytes are no acceptable WebSocket frames.
package enum WebSocketError: Error, Sendable, Hashable {
    case reservedBits, unknownOpcode, longControlFrame, fragmentedControlFrame, badCloseFrame
    case missingMask, unexpectedMask, wastefulLength, hugeLength
    /// A part without a beginning, or a beginning within a message.
    case misplacedContinuation, interruptedMessage
    case tooLong, tooManyParts
    case notUTF8

    /// With which the connection is closed (section 7.4.1).
    package var closeCode: UInt16 {
        switch self {
        case .tooLong, .tooManyParts, .hugeLength: 1009
        case .notUTF8: 1007
        default: 1002
        }
    }
}

extension ByteBuffer {
    /// Writes one frame.
    ///
    /// - Parameter mask: that of a client, which must have one; nil for a server, which must not.
    package mutating func writeWebSocketFrame(
        _ opcode: WebSocketOpcode, _ payload: ByteBuffer, isFinal: Bool = true, mask: UInt32? = nil
    ) {
        let count = payload.readableBytes
        writeInteger((isFinal ? 0x80 : 0) | opcode.rawValue)
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        switch count {
        case ...125: writeInteger(maskBit | UInt8(count))
        case ...0xffff:
            writeInteger(maskBit | 126)
            writeInteger(UInt16(count))
        default:
            writeInteger(maskBit | 127)
            writeInteger(UInt64(count))
        }
        guard let mask else {
            writeImmutableBuffer(payload)
            return
        }
        writeInteger(mask)
        writeBytes(payload.webSocketMasked(with: mask))
    }

    /// A close frame's payload: a code, and no reason.
    package static func webSocketClose(_ code: UInt16) -> ByteBuffer { ByteBuffer(integer: code) }

    /// The readable bytes under a mask, or from under it: masking is its own inverse (section 5.3).
    func webSocketMasked(with mask: UInt32) -> [UInt8] {
        readableBytesView.enumerated().map { place, byte in
            byte ^ UInt8(truncatingIfNeeded: mask >> UInt32(24 - 8 * (place & 3)))
        }
    }
}

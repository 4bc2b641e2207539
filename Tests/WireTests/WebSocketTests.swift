// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import Wire

/// RFC 6455: the handshake's proof, frames to the byte, and what is refused.
@Suite struct WebSocketTests {
    @Test func `the proof is that of the RFC's example`() {
        #expect(WebSocketHandshake.accept(for: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(WebSocketHandshake.key(Array("the sample nonce".utf8)) == "dGhlIHNhbXBsZSBub25jZQ==")
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `Base64 is that of RFC 4648`(text: String, encoded: String) {
        #expect(WebSocketHandshake.base64(Array(text.utf8)) == encoded)
    }

    @Test(arguments: [
        ("dGhlIHNhbXBsZSBub25jZQ==", true), ("", false), ("dGhlIHNhbXBsZSBub25jZQ", false),
        ("dGhlIHNhbXBsZSBub25j!Q==", false), ("dGhlIHNhbXBsZSBub25jZQ==dGhl", false),
    ])
    func `a key is sixteen bytes`(key: String, isKey: Bool) { #expect(WebSocketHandshake.isKey(key) == isKey) }

    private func decode(_ bytes: [UInt8], isFromClient: Bool = false, longest: Int = 1 << 20) -> [WebSocketEvent] {
        var decoder = WebSocketDecoder(isFromClient: isFromClient, longest: longest)
        var buffer = ByteBuffer(bytes: bytes)
        var events: [WebSocketEvent] = []
        while true {
            let event = decoder.next(from: &buffer)
            if event == .needsMore { return events }
            events.append(event)
        }
    }

    /// The examples of section 5.7.
    @Test func `the RFC's frames are read and written`() {
        let hello = ByteBuffer(string: "Hello")
        let plain: [UInt8] = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]
        let masked: [UInt8] = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]
        #expect(decode(plain) == [.message(isText: true, hello)])
        #expect(decode(masked, isFromClient: true) == [.message(isText: true, hello)])
        #expect(decode([0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f]) == [.message(isText: true, hello)])
        #expect(decode([0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]) == [.ping(hello)])
        var written = ByteBuffer()
        written.writeWebSocketFrame(.text, hello)
        #expect(Array(written.readableBytesView) == plain)
        written.clear()
        written.writeWebSocketFrame(.text, hello, mask: 0x37fa_213d)
        #expect(Array(written.readableBytesView) == masked)
    }

    @Test(arguments: [0, 1, 125, 126, 127, 0xffff, 0x10000, 100_000], [true, false])
    func `every length comes back, in whatever pieces it comes`(length: Int, isFromClient: Bool) {
        let payload = ByteBuffer(repeating: 0x61, count: length)
        var written = ByteBuffer()
        written.writeWebSocketFrame(.binary, payload, mask: isFromClient ? 0x0102_0304 : nil)
        var decoder = WebSocketDecoder(isFromClient: isFromClient)
        var buffer = ByteBuffer()
        for piece in [1, 1, 1, 7] {
            guard var slice = written.readSlice(length: min(piece, written.readableBytes - 1)) else { break }
            buffer.writeBuffer(&slice)
            #expect(decoder.next(from: &buffer) == .needsMore)
        }
        buffer.writeBuffer(&written)
        #expect(decoder.next(from: &buffer) == .message(isText: false, payload))
        #expect(buffer.readableBytes == 0)
    }

    @Test func `control frames stand between the parts of a message`() {
        let bytes: [UInt8] = [0x01, 0x01, 0x61, 0x89, 0x00, 0x00, 0x01, 0x62, 0x8a, 0x00, 0x80, 0x01, 0x63]
        #expect(
            decode(bytes) == [
                .ping(ByteBuffer()), .pong(ByteBuffer()), .message(isText: true, ByteBuffer(string: "abc")),
            ])
    }

    @Test func `nothing follows a close`() {
        #expect(decode([0x88, 0x02, 0x03, 0xe8, 0x81, 0x01, 0x61]) == [.close(code: 1000)])
        #expect(decode([0x88, 0x00]) == [.close(code: nil)])
    }

    static let mistakes: [(bytes: [UInt8], error: WebSocketError, code: UInt16)] = [
        ([0xc1, 0x00], .reservedBits, 1002), ([0x83, 0x00], .unknownOpcode, 1002),
        ([0x89, 0x7e, 0x00, 0x80], .longControlFrame, 1002), ([0x09, 0x00], .fragmentedControlFrame, 1002),
        ([0x88, 0x01, 0x03], .badCloseFrame, 1002), ([0x81, 0x80, 0, 0, 0, 0], .unexpectedMask, 1002),
        ([0x81, 0x7e, 0x00, 0x7d], .wastefulLength, 1002),
        ([0x81, 0x7f, 0, 0, 0, 0, 0, 0, 0xff, 0xff], .wastefulLength, 1002),
        ([0x81, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0], .hugeLength, 1009),
        ([0x81, 0x7f, 0, 0, 0, 0, 0, 0x20, 0, 0], .tooLong, 1009), ([0x80, 0x00], .misplacedContinuation, 1002),
        ([0x01, 0x00, 0x81, 0x00], .interruptedMessage, 1002), ([0x81, 0x01, 0xff], .notUTF8, 1007),
    ]

    @Test(arguments: mistakes)
    func `what the RFC forbids is refused with its code`(bytes: [UInt8], error: WebSocketError, code: UInt16) {
        #expect(decode(bytes) == [.failed(error)])
        #expect(error.closeCode == code)
    }

    @Test func `a client must mask`() { #expect(decode([0x81, 0x00], isFromClient: true) == [.failed(.missingMask)]) }

    @Test func `messages have limits, whole and in parts`() {
        #expect(decode([0x81, 0x05], longest: 4) == [.failed(.tooLong)])
        #expect(decode([0x01, 0x03, 1, 1, 1, 0x80, 0x02, 1, 1], longest: 4) == [.failed(.tooLong)])
        let parts = [UInt8]([0x01, 0x00]) + (0..<WebSocketDecoder.mostParts).flatMap { _ in [UInt8]([0x00, 0x00]) }
        #expect(decode(parts) == [.failed(.tooManyParts)])
    }
}

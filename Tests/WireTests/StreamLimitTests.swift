// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import Testing

@testable import Wire

/// A client may open as many streams as it likes before it knows the limit of the server.
@Suite struct StreamLimitTests {
    private struct Frame: Equatable {
        static let (headers, reset, settings, goAway): (UInt8, UInt8, UInt8, UInt8) = (1, 3, 4, 7)

        var type: UInt8
        var flags: UInt8 = 0
        var stream: UInt32 = 0
        var payload: [UInt8] = []

        func write(into buffer: inout ByteBuffer) {
            buffer.writeInteger(UInt32(payload.count) << 8 | UInt32(type))
            buffer.writeMultipleIntegers(flags, stream)
            buffer.writeBytes(payload)
        }

        init(type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, payload: [UInt8] = []) {
            (self.type, self.flags, self.stream, self.payload) = (type, flags, stream, payload)
        }

        init?(from buffer: inout ByteBuffer) {
            guard let word: UInt32 = buffer.readInteger(),
                let (flags, stream) = buffer.readMultipleIntegers(as: (UInt8, UInt32).self),
                let payload = buffer.readBytes(length: Int(word >> 8))
            else { return nil }
            self.init(type: UInt8(word & 255), flags: flags, stream: stream, payload: payload)
        }
    }

    /// `GET http://a/`: three fields of HPACK's static table and one literal.
    private static let head: [UInt8] = [0x82, 0x86, 0x84, 0x41, 1, UInt8(ascii: "a")]

    /// What a server with a limit writes to a client that sends at once: its preface, its settings and many requests.
    ///
    /// - Parameter pieces: bytes that arrive at a time.
    private func answers(to streams: Int, limit: Int, pieces: Int) throws -> [Frame] {
        let channel = EmbeddedChannel()
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        var limits = HTTP2Limits()
        limits.concurrentStreams = limit
        try HTTP2ServerConnection.install(
            on: channel, limits: limits, headBytes: 32_768, timeouts: ServerTimeouts(), serve: { _ in },
            closed: { _ in })
        var bytes = ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        // INITIAL_WINDOW_SIZE is 65535.
        Frame(type: Frame.settings, payload: [0, 4, 0, 0, 255, 255]).write(into: &bytes)
        for number in 0..<streams {
            let stream = UInt32(2 * number + 1)
            Frame(type: Frame.headers, flags: 5, stream: stream, payload: Self.head).write(into: &bytes)
        }
        while let piece = bytes.readSlice(length: min(pieces, bytes.readableBytes)), piece.readableBytes > 0 {
            try channel.writeInbound(piece)
        }
        var (sent, frames) = (ByteBuffer(), [Frame]())
        while let part = try channel.readOutbound(as: ByteBuffer.self) { sent.writeImmutableBuffer(part) }
        while let frame = Frame(from: &sent) { frames.append(frame) }
        _ = try channel.finish(acceptAlreadyClosed: true)
        return frames
    }

    @Test(arguments: [
        // the limit, the bytes that arrive at a time: one, up to the frame's head, the frame, all
        (limit: 128, pieces: 1), (limit: 128, pieces: 24), (limit: 128, pieces: 33), (limit: 128, pieces: 39),
        (limit: 128, pieces: 40), (limit: 128, pieces: 100_000), (limit: 7, pieces: 100_000),
    ])
    func `streams beyond the limit are refused before the client knows it`(limit: Int, pieces: Int) throws {
        let frames = try answers(to: 140, limit: limit, pieces: pieces)
        #expect(frames.first?.type == Frame.settings && frames.first?.flags == 0)
        #expect(frames.first?.payload.prefix(6) == [0, 3, 0, 0, 0, UInt8(limit)])
        #expect(frames.filter { $0.type == Frame.settings }.map(\.flags) == [0, 1])
        let refused = frames.filter { $0.type == Frame.reset }
        #expect(refused.map(\.stream) == (limit..<140).map { UInt32(2 * $0 + 1) })
        #expect(refused.allSatisfy { $0.payload == [0, 0, 0, 7] })
        #expect(!frames.contains { $0.type == Frame.goAway })
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import NIOHTTP1
import Wire

/// Compares our reading of chunked bodies with llhttp's: a body that we take whole, it takes whole, with the same bytes
/// and trailers and the same end; one that we wait for more of, it does not take for whole; and how the bytes are cut
/// into reads changes nothing.
package enum ChunkChecker {
    /// What became of a body.
    private struct Reading: Equatable {
        enum End: Equatable {
            case whole, unfinished, refused
        }

        var end = End.unfinished
        var body: [UInt8] = []
        /// `name: value`, without white space around the value.
        var trailers: [String] = []
        /// Bytes up to the end of a whole body.
        var count = 0
    }

    private static let head = "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    /// - Parameter input: one byte, of which bits 0-1 say how the second reading is cut, and a chunked body with
    ///   whatever stands behind it.
    /// - Returns: what is wrong, or nil.
    package static func problem(with input: [UInt8]) -> String? {
        guard let first = input.first else { return nil }
        let bytes = Array(input.dropFirst())
        let whole = ours(bytes, piece: .max)
        let piece = [1, 2, 3, 7][Int(first & 3)]
        let cut = ours(bytes, piece: piece)
        // How much of a bad body is told before it is found to be bad depends on what has come.
        if whole.end == .refused ? cut.end != .refused : cut != whole {
            return "in pieces of \(piece) it is \(cut), whole \(whole)"
        }
        switch whole.end {
        case .refused: return nil
        case .whole:
            var theirs = stock(bytes.prefix(whole.count))
            if theirs.end == .refused {
                theirs = stock(withoutExtensions(bytes.prefix(whole.count))[...])
                theirs.count = whole.count
            }
            return theirs == whole ? nil : "llhttp reads \(theirs), we \(whole)"
        case .unfinished:
            // It may refuse at once what we see only when the line has ended.
            let theirs = stock(bytes[...])
            guard theirs.end != .refused else { return nil }
            return theirs.end == .unfinished && theirs.body == whole.body
                ? nil : "llhttp reads \(theirs), we wait for more after \(whole)"
        }
    }

    private static func ours(_ bytes: [UInt8], piece: Int) -> Reading {
        var decoder = BodyDecoder(.chunked, limits: WireLimits())
        var reading = Reading()
        var rest = bytes[...]
        var buffer = ByteBuffer()
        while true {
            switch decoder.next(from: &buffer) {
            case .data(let part): reading.body += part.readableBytesView
            case .failed:
                reading.end = .refused
                return reading
            case .end(let trailers):
                reading.end = .whole
                reading.trailers = trailers?.list.map { "\($0.name): \($0.value)" } ?? []
                reading.count = bytes.count - rest.count - buffer.readableBytes
                return reading
            case .needsMore:
                guard !rest.isEmpty else { return reading }
                buffer.writeBytes(rest.prefix(piece))
                rest = rest.dropFirst(piece)
            }
        }
    }

    /// A whole body without chunk extensions. We ignore them, as a recipient must that knows none (RFC 9112 section
    /// 7.1.1), and send none on; llhttp is particular about what stands in them.
    private static func withoutExtensions(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var (rest, out) = (bytes, [UInt8]())
        while let lineFeed = rest.firstIndex(of: 0x0a) {
            let digits = rest[..<lineFeed].prefix { $0 != UInt8(ascii: ";") && $0 != 0x0d }
            out += digits + [0x0d, 0x0a]
            rest = rest[(lineFeed + 1)...]
            guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), size > 0 else { break }
            out += rest.prefix(size + 2)
            rest = rest.dropFirst(size + 2)
        }
        return out + rest
    }

    private static func stock(_ bytes: ArraySlice<UInt8>) -> Reading {
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        var reading = Reading()
        do {
            let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
            try channel.pipeline.syncOperations.addHandler(decoder)
            try channel.writeInbound(ByteBuffer(string: head))
            if !bytes.isEmpty { try channel.writeInbound(ByteBuffer(bytes: bytes)) }
            try channel.throwIfErrorCaught()
        } catch {
            reading.end = .refused
        }
        while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head: continue
            case .body(let part): reading.body += part.readableBytesView
            case .end(let trailers):
                if reading.end == .unfinished { reading.end = .whole }
                reading.trailers = (trailers ?? [:]).map { "\($0.name): \($0.value.trimmingTail())" }
                reading.count = bytes.count
                return reading
            }
        }
        return reading
    }
}

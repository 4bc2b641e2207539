// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// How the end of a body is found (RFC 9112 section 6.3).
package enum BodyFraming: Sendable, Hashable {
    case none
    /// More than 0 bytes.
    case length(Int64)
    case chunked
    /// Responses only: the body ends with the connection.
    case untilClose
}

/// The fields after a chunked body, in their order (RFC 9112 section 7.1.2).
package struct Trailers: Sendable {
    package var list: [(name: String, value: String)]

    package init(_ list: [(name: String, value: String)]) { self.list = list }
}

/// What the next bytes of a body are.
package enum BodyPart {
    case needsMore
    case data(ByteBuffer)
    case end(Trailers?)
    case failed(WireError)
}

/// Takes a body out of a stream of bytes, by slices that share the bytes' memory.
///
///     length(5)    h e l l o                                        -> data, end
///     chunked      5 CR LF h e l l o CR LF  0 CR LF  CR LF          -> data, end
package struct BodyDecoder {
    private enum State {
        case length(Int64)
        case untilClose
        case chunkSize
        case chunkData(Int64)
        case chunkEnd
        case trailers
        case ended
    }

    private var state: State
    private let limits: WireLimits
    private var searched = 0
    /// Made only when there are trailers.
    private var trailerScan: TrailerScan?

    package init(_ framing: BodyFraming, limits: WireLimits) {
        self.limits = limits
        state =
            switch framing {
            case .none: .ended
            case .length(let count): .length(count)
            case .chunked: .chunkSize
            case .untilClose: .untilClose
            }
    }

    /// Bytes that are still to come as far as is known; nil when the end is not in sight.
    var remaining: Int64? {
        switch state {
        case .length(let count): count
        case .ended: 0
        default: nil
        }
    }

    package mutating func next(from buffer: inout ByteBuffer) -> BodyPart {
        while true {
            switch state {
            case .ended: return .end(nil)
            case .untilClose:
                guard buffer.readableBytes > 0 else { return .needsMore }
                return take(Int64(buffer.readableBytes), from: &buffer)
            case .length(let count):
                guard buffer.readableBytes > 0 else { return .needsMore }
                let taken = min(count, Int64(buffer.readableBytes))
                state = count == taken ? .ended : .length(count - taken)
                return take(taken, from: &buffer)
            case .chunkSize:
                switch chunkSize(&buffer) {
                case .success(nil): return .needsMore
                case .success(let size?): state = size == 0 ? .trailers : .chunkData(size)
                case .failure(let error): return .failed(error)
                }
            case .chunkData(let count):
                guard buffer.readableBytes > 0 else { return .needsMore }
                let taken = min(count, Int64(buffer.readableBytes))
                state = count == taken ? .chunkEnd : .chunkData(count - taken)
                return take(taken, from: &buffer)
            case .chunkEnd:
                guard let byte = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else { return .needsMore }
                guard byte == 0x0d else { return .failed(.badChunkEnd) }
                guard let next = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt8.self) else {
                    return .needsMore
                }
                guard next == 0x0a else { return .failed(.badChunkEnd) }
                buffer.moveReaderIndex(forwardBy: 2)
                state = .chunkSize
            case .trailers: return trailers(&buffer)
            }
        }
    }

    private func take(_ count: Int64, from buffer: inout ByteBuffer) -> BodyPart {
        .data(buffer.readSlice(length: Int(count)) ?? ByteBuffer())
    }

    /// `chunk-size [ chunk-ext ] CRLF`: hexadecimal digits, then nothing or `;` and an extension, which is ignored. No
    /// white space around the size: readers disagree about it, and that is what smuggling lives on.
    private mutating func chunkSize(_ buffer: inout ByteBuffer) -> Result<Int64?, WireError> {
        let limit = limits.lineBytes
        let found = searched
        let result: Result<(size: Int64, length: Int)?, WireError> = buffer.withUnsafeReadableBytes { bytes in
            guard let lineFeed = bytes[found...].firstIndex(of: 0x0a) else {
                return bytes.count > limit + 1 ? .failure(.chunkLineTooLong) : .success(nil)
            }
            guard lineFeed <= limit + 1 else { return .failure(.chunkLineTooLong) }
            guard lineFeed > 0, bytes[lineFeed - 1] == 0x0d else { return .failure(.bareLineFeed) }
            return Self.size(UnsafeRawBufferPointer(rebasing: bytes[..<(lineFeed - 1)])).map { ($0, lineFeed + 1) }
        }
        switch result {
        case .success(nil):
            searched = buffer.readableBytes
            return .success(nil)
        case .success(let line?):
            searched = 0
            buffer.moveReaderIndex(forwardBy: line.length)
            return .success(line.size)
        case .failure(let error): return .failure(error)
        }
    }

    private static func size(_ line: UnsafeRawBufferPointer) -> Result<Int64, WireError> {
        var size: Int64 = 0
        var i = 0
        while i < line.count, let digit = hexadecimalDigit(line[i]) {
            // 15 digits fit an Int64; nobody sends a chunk of 2^60 bytes.
            guard i < 15 else { return .failure(.badChunkSize) }
            size = size << 4 | Int64(digit)
            i += 1
        }
        guard i > 0 else { return .failure(.badChunkSize) }
        guard i < line.count else { return .success(size) }
        let named = trimmed(UnsafeRawBufferPointer(rebasing: line[(i + 1)...]))
        guard line[i] == UInt8(ascii: ";"), let name = named.first, name != UInt8(ascii: ";") else {
            return .failure(.badChunkSize)
        }
        for byte in line[i...] where !ByteClass.isMember(byte, of: ByteClass.value) {
            return .failure(byte == 0x0d ? .bareCarriageReturn : .controlByte)
        }
        return .success(size)
    }

    private mutating func trailers(_ buffer: inout ByteBuffer) -> BodyPart {
        // As a rule there are none, and nothing needs to be scanned.
        if buffer.getInteger(at: buffer.readerIndex, as: UInt16.self) == 0x0d0a {
            buffer.moveReaderIndex(forwardBy: 2)
            state = .ended
            return .end(nil)
        }
        let scan = trailerScan ?? TrailerScan()
        trailerScan = scan
        switch scan.read(&buffer, limits: limits) {
        case .success(nil): return .needsMore
        case .failure(let error): return .failed(error)
        case .success(let trailers?):
            state = .ended
            return .end(trailers)
        }
    }
}

/// Reads the fields after the last chunk, as strictly as those of a head.
private final class TrailerScan {
    private var fields = HeadFields()
    private var scanner = HeadScanner.forTrailers

    /// Takes the trailers off the front of `buffer`; nil when they have not come whole.
    func read(_ buffer: inout ByteBuffer, limits: WireLimits) -> Result<Trailers?, WireError> {
        let scan = buffer.withUnsafeReadableBytes { bytes in
            scanner.scan(bytes, limits: limits, fields: &fields) { _, _ in nil }
        }
        switch scan {
        case .needsMore: return .success(nil)
        case .failed(let error): return .failure(error)
        case .complete(let length):
            // RFC 9110 section 6.5.1: a trailer must not frame or route the message that it ends.
            let isMisplaced = fields.contentLengthCount + fields.transferEncodingCount + fields.hostCount > 0
            if isMisplaced { return .failure(.framingInTrailers) }
            defer { buffer.moveReaderIndex(forwardBy: length) }
            return .success(buffer.withUnsafeReadableBytes { trailers(in: $0) })
        }
    }

    private func trailers(in bytes: UnsafeRawBufferPointer) -> Trailers {
        Trailers(
            fields.list.map {
                (String(decoding: bytes[$0.name], as: UTF8.self), String(decoding: bytes[$0.value], as: UTF8.self))
            })
    }
}

@inline(__always)
func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
}

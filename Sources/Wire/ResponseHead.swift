// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The head of a response, as ranges into the bytes it came in. Owned by its connection and used for every response of
/// it: valid until the exchange has ended.
package final class ResponseHead {
    package private(set) var bytes = ByteBuffer()
    package private(set) var status = 0
    /// The reason phrase, possibly empty.
    package private(set) var reason = ByteRange.empty
    package private(set) var version = HTTPVersion.http11
    package private(set) var fields = HeadFields()
    package private(set) var framing = BodyFraming.none
    private var scanner = HeadScanner(leadingEmptyLines: 0)

    package init() {}

    /// The server would answer another request on this connection; only when the body ends by itself.
    package var keepsAlive: Bool {
        guard framing != .untilClose, !fields.connectionCloses else { return false }
        return version == .http11 || fields.connectionKeepsAlive
    }

    package var isInterim: Bool { (100..<200).contains(status) }

    package func reset() {
        bytes = ByteBuffer()
        fields.reset()
        scanner = HeadScanner(leadingEmptyLines: 0)
        (status, reason, framing) = (0, .empty, .none)
    }

    /// Reads a head at the front of `buffer` and takes it off.
    ///
    /// - Parameter method: of the request it answers; HEAD and CONNECT decide about the body.
    package func read(from buffer: inout ByteBuffer, answering method: HTTPMethod, limits: WireLimits) -> HeadScan {
        let result = buffer.withUnsafeReadableBytes { bytes in
            let scan = scanner.scan(bytes, limits: limits, fields: &fields) { readStatusLine($0, $1) }
            switch scan {
            case .complete: return conclude(method).map { .failed($0) } ?? scan
            case .needsMore: return scanner.beginsWithGarbage(bytes) ? .failed(.badStatusLine) : scan
            case .failed: return scan
            }
        }
        if case .complete(let length) = result {
            bytes = buffer.readSlice(length: length) ?? ByteBuffer()
        }
        return result
    }

    /// `HTTP-version SP status-code SP [reason]` (RFC 9112 section 4). The second space may be missing with the reason,
    /// as several servers have it.
    private func readStatusLine(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) -> WireError? {
        let text = UnsafeRawBufferPointer(rebasing: bytes[line])
        guard text.count >= 12, text[..<7].elementsEqual("HTTP/1.".utf8), text[8] == 0x20 else { return .badStatusLine }
        switch text[7] {
        case UInt8(ascii: "1"): version = .http11
        case UInt8(ascii: "0"): version = .http10
        default: return .badStatusLine
        }
        guard let code = decimal(UnsafeRawBufferPointer(rebasing: text[9..<12])), code >= 100 else {
            return .badStatusLine
        }
        status = Int(code)
        guard text.count > 12 else { return nil }
        guard text[12] == 0x20 else { return .badStatusLine }
        for byte in text[13...] where !ByteClass.isMember(byte, of: ByteClass.value) {
            return byte == 0x0d ? .bareCarriageReturn : .controlByte
        }
        reason = ByteRange(start: line.lowerBound + 13, end: line.upperBound)
        return nil
    }

    /// RFC 9112 section 6.3. A response with both Content-Length and Transfer-Encoding is refused: it is either an
    /// attack or a bug, and passing it on passes on the doubt.
    private func conclude(_ method: HTTPMethod) -> WireError? {
        if fields.contentLengthCount > 0, fields.contentLength == nil { return .badContentLength }
        if fields.contentLengthCount > 1 { return .repeatedContentLength }
        if fields.transferEncodingCount > 0 {
            if fields.contentLengthCount > 0 { return .lengthWithTransferEncoding }
            if version == .http10 { return .transferEncodingInOldVersion }
            if fields.transferCoding == .unknown { return .unknownTransferCoding }
            if fields.transferCoding != .chunked { return .badTransferEncoding }
        }
        let hasNoBody = method == .head || isInterim || status == 204 || status == 304
        if hasNoBody {
            framing = .none
        } else if method == .connect, (200..<300).contains(status) {
            // A tunnel: all that follows is no HTTP, whatever the fields say (RFC 9110 section 9.3.6).
            framing = .untilClose
        } else if fields.transferEncodingCount > 0 {
            framing = .chunked
        } else if let length = fields.contentLength {
            framing = length > 0 ? .length(length) : .none
        } else {
            framing = .untilClose
        }
        return nil
    }
}

// MARK: As text, for those who are in no hurry

extension ResponseHead {
    package func text(_ range: ByteRange) -> String {
        bytes.withUnsafeReadableBytes { String(decoding: $0[range], as: UTF8.self) }
    }

    /// The value of the first field of this name (in any case), or nil.
    package func value(of name: String) -> String? {
        fields.list.first { text($0.name).lowercased() == name.lowercased() }.map { text($0.value) }
    }

    /// All fields in their order.
    package var allFields: [(name: String, value: String)] {
        fields.list.map { (text($0.name), text($0.value)) }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHPACK

/// HTTP/2 header blocks written as HTTP/1.1 heads: streams are served by the very code that serves connections, and
/// everything that reads heads stays as strict as it is. A byte that could not stand in its place is written as NUL,
/// which no reader of heads accepts, so that no field can grow into another one.
enum HeaderBlock {
    /// A request's head.
    ///
    /// - Parameter hasBody: false when the header block ends the stream.
    /// - Returns: the bytes, and whether the body has to follow in chunks.
    static func request(_ block: HPACKHeaders, hasBody: Bool) -> (bytes: ByteBuffer, isChunked: Bool) {
        let pseudo = PseudoFields(block)
        var out = ByteBuffer()
        out.reserveCapacity(1024)
        out.writeToken(pseudo.method)
        out.writeStaticString(" ")
        out.writeTarget(pseudo.method == "CONNECT" ? pseudo.authority ?? "" : pseudo.path)
        out.writeStaticString(" HTTP/1.1\r\n")
        if let authority = pseudo.authority { out.writeField("host", guarding: authority) }
        var hasLength = false
        var cookies: [String] = []
        for (name, value, _) in block where !name.utf8.starts(with: CollectionOfOne(UInt8(ascii: ":"))) {
            switch name {
            // The authority is the host; a second name for it is refused where heads are read (RFC 9113 section 8.3.1).
            case "host" where value == pseudo.authority: continue
            // RFC 9113 section 8.2.3: crumbs of one field.
            case "cookie": cookies.append(value)
            case "content-length":
                hasLength = true
                out.writeField(name, guarding: value)
            default: out.writeField(name, guarding: value)
            }
        }
        if !cookies.isEmpty { out.writeField("cookie", guarding: cookies.joined(separator: "; ")) }
        let isChunked = hasBody && !hasLength
        if isChunked { out.writeStaticString("transfer-encoding: chunked\r\n") }
        out.writeStaticString("connection: close\r\n\r\n")
        return (out, isChunked)
    }

    /// A response's head, interim ones too.
    ///
    /// - Parameter hasBody: false when the header block ends the stream.
    static func response(_ block: HPACKHeaders, hasBody: Bool) -> (bytes: ByteBuffer, isChunked: Bool) {
        let status = block.first(name: ":status") ?? ""
        var out = ByteBuffer()
        out.reserveCapacity(1024)
        out.writeStaticString("HTTP/1.1 ")
        out.writeToken(status)
        out.writeStaticString(" \r\n")
        let isInterim = status.hasPrefix("1")
        var hasLength = false
        for (name, value, _) in block where !name.utf8.starts(with: CollectionOfOne(UInt8(ascii: ":"))) {
            // A length would leave no place for trailers, which a stream may always have.
            if name == "content-length", hasBody { continue }
            hasLength = hasLength || name == "content-length"
            out.writeField(name, guarding: value)
        }
        let isChunked = hasBody && !isInterim
        if isChunked {
            out.writeStaticString("transfer-encoding: chunked\r\n")
        } else if !hasLength, !isInterim, status != "204", status != "304" {
            out.writeStaticString("content-length: 0\r\n")
        }
        if !isInterim { out.writeStaticString("connection: close\r\n") }
        out.writeStaticString("\r\n")
        return (out, isChunked)
    }

    /// The end of a chunked body with its trailers.
    static func trailers(_ block: HPACKHeaders?) -> ByteBuffer {
        var out = ByteBuffer()
        out.writeStaticString("0\r\n")
        for (name, value, _) in block ?? [:] { out.writeField(name, guarding: value) }
        out.writeStaticString("\r\n")
        return out
    }

    private struct PseudoFields {
        var method = ""
        var path = ""
        var authority: String?

        init(_ block: HPACKHeaders) {
            for (name, value, _) in block {
                switch name {
                case ":method": method = value
                case ":path": path = value
                case ":authority": authority = value
                default: continue
                }
            }
        }
    }
}

/// A body that arrives in DATA frames, as HTTP/1.1 bytes: as it is when its length was given, else in chunks.
struct HTTP1BodyBytes {
    private let isChunked: Bool
    private var hasChunk = false

    init(isChunked: Bool) { self.isChunked = isChunked }

    /// What stands before the next bytes of the body; nil for nothing.
    mutating func prefix(of count: Int) -> ByteBuffer? {
        guard isChunked, count > 0 else { return nil }
        var out = ByteBuffer()
        out.reserveCapacity(20)
        if hasChunk { out.writeStaticString("\r\n") }
        hasChunk = true
        out.writeHexadecimal(count)
        out.writeStaticString("\r\n")
        return out
    }

    /// What stands behind the last bytes; trailers of a body with a length have no place and are dropped.
    mutating func end(_ trailers: HPACKHeaders?) -> ByteBuffer? {
        guard isChunked else { return nil }
        var out = ByteBuffer()
        if hasChunk { out.writeStaticString("\r\n") }
        out.writeImmutableBuffer(HeaderBlock.trailers(trailers))
        return out
    }
}

extension ByteBuffer {
    fileprivate mutating func writeField(_ name: String, guarding value: String) {
        writeToken(name)
        writeStaticString(": ")
        writeGuarded(value, ByteClass.value)
        writeStaticString("\r\n")
    }

    fileprivate mutating func writeToken(_ text: String) { writeGuarded(text, ByteClass.token) }
    fileprivate mutating func writeTarget(_ text: String) { writeGuarded(text, ByteClass.target) }

    private mutating func writeGuarded(_ text: String, _ allowed: ByteClass.Members) {
        if text.utf8.allSatisfy({ ByteClass.isMember($0, of: allowed) }) {
            writeString(text)
        } else {
            writeBytes(text.utf8.map { ByteClass.isMember($0, of: allowed) ? $0 : 0 })
        }
    }
}

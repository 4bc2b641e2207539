// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import Wire

/// What the upstream is told about the client's connection.
package struct ClientFacts: Sendable {
    /// The client's address without port.
    package var address: String
    /// "http" or "https".
    package var scheme: StaticString
    /// The port that the client connected to.
    package var port: Int
    var isEncrypted = false
    /// The name asked for in the TLS handshake.
    var serverName: String?
    /// The request came as a stream; its head is written as that of HTTP/1.1 all the same.
    var isHTTP2 = false

    package init(address: String, scheme: StaticString, port: Int) {
        self.address = address
        self.scheme = scheme
        self.port = port
    }
}

/// Writes the request that goes to the upstream: the client's fields in their order and own spelling, less those that
/// belong to its connection, and Kong's own (kong/runloop/handler.lua, kong/templates/nginx_kong.lua).
package enum ForwardedRequest {
    /// The value of `Via` that this gateway adds.
    static let viaHTTP2: StaticString = "2 kong/3.10.0"
    static let viaHTTP11: StaticString = "1.1 kong/3.10.0"
    static let viaHTTP10: StaticString = "1.0 kong/3.10.0"

    /// - Parameters:
    ///   - head: the client's request.
    ///   - uri: path and query for the upstream.
    ///   - host: for the Host field; nil passes the client's on.
    ///   - strippedPrefix: what was taken off the path, or nil.
    ///   - buffer: is cleared and written into.
    package static func write(
        _ head: RequestHead, uri: ByteBuffer, host: (name: String, port: Int?)?, client: ClientFacts,
        strippedPrefix: ByteBuffer?, requestID: String, into buffer: ByteBuffer
    ) -> HeadWriter {
        var out = buffer
        out.clear(minimumCapacity: head.bytes.readableBytes + 512)
        head.bytes.withUnsafeReadableBytes { bytes in
            out.writeBytes(bytes[head.methodRange])
            out.writeInteger(UInt8(ascii: " "))
            out.writeImmutableBuffer(uri)
            out.writeStaticString(" HTTP/1.1\r\nHost: ")
            if let host {
                out.writeString(host.name)
                if let port = host.port {
                    out.writeInteger(UInt8(ascii: ":"))
                    out.writeDecimal(port)
                }
            } else {
                out.writeBytes(bytes[head.authority])
            }
            out.writeStaticString("\r\nConnection: keep-alive\r\n")
            let seen = copyFields(head, bytes, to: &out)
            writeForwarding(head, bytes, client, strippedPrefix, seen, to: &out)
        }
        out.writeStaticString("X-Kong-Request-Id: ")
        out.writeString(requestID)
        out.writeStaticString("\r\n")
        return HeadWriter(startedIn: out, status: 0)
    }

    /// Which of the fields that are extended rather than replaced the client sent.
    private struct Seen {
        var forwardedFor = false
        var via = false
        /// The client understands trailers; of TE nothing else survives.
        var trailers = false
    }

    /// Copies what passes. Lines that stand side by side are copied as one run of bytes.
    private static func copyFields(
        _ head: RequestHead, _ bytes: UnsafeRawBufferPointer, to out: inout ByteBuffer
    ) -> Seen {
        var seen = Seen()
        let fields = head.fields.list
        var runStart = -1
        for (index, field) in fields.enumerated() {
            let passes = passes(field, head, bytes, &seen)
            if passes, runStart < 0 { runStart = field.name.lowerBound }
            if !passes, runStart >= 0 {
                out.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[runStart..<field.name.lowerBound]))
                runStart = -1
            }
            if passes, index == fields.count - 1 {
                // The last line ends before the empty line that ends the head.
                out.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[runStart..<bytes.count - 2]))
            }
        }
        return seen
    }

    @inline(__always)
    private static func passes(
        _ field: Field, _ head: RequestHead, _ bytes: UnsafeRawBufferPointer, _ seen: inout Seen
    ) -> Bool {
        switch field.known {
        case .other, .accept, .contentType, .date, .server, .location, .trailer, .xChaosID, .xKongUpstreamLatency,
            .xKongProxyLatency, .xKongResponseLatency, .xKongUpstreamStatus:
            return !head.fields.connectionNamesFields || !isNamedByConnection(field, head.fields, bytes)
        case .te:
            seen.trailers = seen.trailers || namesTrailers(bytes[field.value])
            return false
        case .xForwardedFor:
            seen.forwardedFor = true
            return false
        case .via:
            seen.via = true
            return false
        case .host, .connection, .contentLength, .transferEncoding, .expect, .upgrade, .keepAlive, .proxyConnection,
            .proxy, .xForwardedProto, .xForwardedHost, .xForwardedPort, .xForwardedPath, .xForwardedPrefix, .xRealIP,
            .xKongRequestID:
            return false
        }
    }

    private static func namesTrailers(_ value: UnsafeRawBufferPointer) -> Bool {
        var names = false
        forEachListItem(of: value) { names = names || $0.equalsIgnoringCase("trailers") }
        return names
    }

    private static func writeForwarding(
        _ head: RequestHead, _ bytes: UnsafeRawBufferPointer, _ client: ClientFacts, _ strippedPrefix: ByteBuffer?,
        _ seen: Seen, to out: inout ByteBuffer
    ) {
        if seen.trailers { out.writeStaticString("TE: trailers\r\n") }
        out.writeStaticString("X-Forwarded-For: ")
        if seen.forwardedFor { writeValues(of: .xForwardedFor, head, bytes, to: &out) }
        out.writeString(client.address)
        out.writeStaticString("\r\nX-Forwarded-Proto: ")
        out.writeStaticString(client.scheme)
        out.writeStaticString("\r\nX-Forwarded-Host: ")
        out.writeBytes(hostName(bytes[head.authority]))
        out.writeStaticString("\r\nX-Forwarded-Port: ")
        out.writeDecimal(client.port)
        out.writeStaticString("\r\nX-Forwarded-Path: ")
        out.writeBytes(bytes[head.path])
        if let strippedPrefix {
            out.writeStaticString("\r\nX-Forwarded-Prefix: ")
            out.writeImmutableBuffer(strippedPrefix)
        }
        out.writeStaticString("\r\nX-Real-IP: ")
        out.writeString(client.address)
        out.writeStaticString("\r\nVia: ")
        if seen.via { writeValues(of: .via, head, bytes, to: &out) }
        out.writeStaticString(client.isHTTP2 ? viaHTTP2 : head.version == .http11 ? viaHTTP11 : viaHTTP10)
        out.writeStaticString("\r\n")
    }

    /// All values of a field, each followed by a comma, so that one more can be appended.
    private static func writeValues(
        of known: KnownField, _ head: RequestHead, _ bytes: UnsafeRawBufferPointer, to out: inout ByteBuffer
    ) {
        for field in head.fields.list where field.known == known && !field.value.isEmpty {
            out.writeBytes(bytes[field.value])
            out.writeStaticString(", ")
        }
    }

    /// The host of an authority without its port; an IPv6 address keeps its brackets.
    static func hostName(_ authority: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard let colon = authority.lastIndex(of: UInt8(ascii: ":")),
            authority[colon...].dropFirst().allSatisfy({ (0x30...0x39).contains($0) })
        else { return authority }
        return UnsafeRawBufferPointer(rebasing: authority[..<colon])
    }
}

/// RFC 9110 section 7.6.1: a field that Connection names ends at this hop.
func isNamedByConnection(_ field: Field, _ fields: HeadFields, _ bytes: UnsafeRawBufferPointer) -> Bool {
    var isNamed = false
    for connection in fields.list where connection.known == .connection {
        forEachListItem(of: bytes[connection.value]) { option in
            isNamed = isNamed || equalIgnoringCase(option, bytes[field.name])
        }
    }
    return isNamed
}

private func equalIgnoringCase(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard a.count == b.count else { return false }
    return zip(a, b).allSatisfy { asciiLowercased($0) == asciiLowercased($1) }
}

private func asciiLowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte | 0x20 : byte }

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import Wire

/// What the upstream is told about the client's connection. One object a connection (or stream), which its requests
/// refer to.
// Proof: made and changed on the loop of its connection alone, before and while that serves requests.
package final class ClientFacts: @unchecked Sendable {
    /// The client's address without port: of its connection, or what a trusted peer said.
    package var address: String
    /// The address of the other end of the connection, without port.
    package var peerAddress: String
    /// The peer is one of `trusted_ips`: what it says of its own client passes.
    package var isTrusted = false
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
        (self.address, peerAddress, self.scheme, self.port) = (address, address, scheme, port)
    }

    func copy() -> ClientFacts {
        let copy = ClientFacts(address: address, scheme: scheme, port: port)
        (copy.peerAddress, copy.isTrusted, copy.isEncrypted) = (peerAddress, isTrusted, isEncrypted)
        (copy.serverName, copy.isHTTP2) = (serverName, isHTTP2)
        return copy
    }
}

/// Writes the request that goes to the upstream: the client's fields in their order and own spelling, less those that
/// belong to its connection, and Kong's own (kong/runloop/handler.lua, kong/templates/nginx_kong.lua).
package struct ForwardedRequest {
    /// The value of `Via` that this gateway adds.
    static let viaHTTP2: StaticString = "2 kong/3.10.0"
    static let viaHTTP11: StaticString = "1.1 kong/3.10.0"
    static let viaHTTP10: StaticString = "1.0 kong/3.10.0"

    /// The client's request.
    private let head: RequestHead
    /// Path and query for the upstream.
    private let uri: ByteBuffer
    /// For the Host field; nil passes the client's on.
    private let host: (name: String, port: Int?)?
    private let client: ClientFacts
    /// What was taken off the path, or nil.
    private let strippedPrefix: ByteBuffer?
    private let requestID: RequestID

    package init(
        _ head: RequestHead, uri: ByteBuffer, host: (name: String, port: Int?)?, client: ClientFacts,
        strippedPrefix: ByteBuffer?, requestID: RequestID
    ) {
        self.head = head
        self.uri = uri
        self.host = host
        self.client = client
        self.strippedPrefix = strippedPrefix
        self.requestID = requestID
    }

    /// An upper bound of what `write` writes: every field of the client goes out once at most, the authority up to
    /// three times and the path once more; the names of Kong's fields and the numbers take 440 bytes.
    package var longest: Int {
        2 * head.bytes.readableBytes + 3 * Int(head.authority.count) + uri.readableBytes
            + (strippedPrefix?.readableBytes ?? 0) + (host?.name.utf8.count ?? 0) + 2 * client.address.utf8.count
            + client.peerAddress.utf8.count + 512
    }

    package func write(to out: inout ByteCursor) {
        head.bytes.withUnsafeReadableBytes { bytes in
            out.write(bytes[head.methodRange])
            out.write(UInt8(ascii: " "))
            out.write(uri)
            out.write(" HTTP/1.1\r\nHost: ")
            if let host {
                out.write(host.name)
                if let port = host.port {
                    out.write(UInt8(ascii: ":"))
                    out.writeDecimal(port)
                }
            } else {
                out.write(bytes[head.authority])
            }
            if head.asksForWebSocket {
                out.write("\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n")
            } else {
                out.write("\r\nConnection: keep-alive\r\n")
            }
            let seen = copyFields(bytes, to: &out)
            writeForwarding(bytes, seen, to: &out)
        }
        out.write("X-Kong-Request-Id: ")
        out.write(requestID)
        out.write("\r\n")
    }

    /// Which of the fields that are extended rather than replaced the client sent.
    private struct Seen {
        var forwardedFor = false
        var via = false
        /// The client understands trailers; of TE nothing else survives.
        var trailers = false
    }

    /// Copies what passes. Lines that stand side by side are copied as one run of bytes.
    private func copyFields(_ bytes: UnsafeRawBufferPointer, to out: inout ByteCursor) -> Seen {
        var seen = Seen()
        var runStart = -1
        head.fields.list.withUnsafeBufferPointer { fields in
            for place in 0..<fields.count {
                let start = fields[place].name.lowerBound
                if passes(fields[place], bytes, &seen) {
                    if runStart < 0 { runStart = start }
                } else if runStart >= 0 {
                    out.write(UnsafeRawBufferPointer(rebasing: bytes[runStart..<start]))
                    runStart = -1
                }
            }
        }
        // The last line ends before the empty line that ends the head.
        if runStart >= 0 { out.write(UnsafeRawBufferPointer(rebasing: bytes[runStart..<bytes.count - 2])) }
        return seen
    }

    @inline(__always)
    private func passes(_ field: Field, _ bytes: UnsafeRawBufferPointer, _ seen: inout Seen) -> Bool {
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
            .xKongRequestID, .disguisedFraming:
            return false
        }
    }

    private func namesTrailers(_ value: UnsafeRawBufferPointer) -> Bool {
        var names = false
        forEachListItem(of: value) { names = names || $0.equalsIgnoringCase("trailers") }
        return names
    }

    private func writeForwarding(_ bytes: UnsafeRawBufferPointer, _ seen: Seen, to out: inout ByteCursor) {
        if seen.trailers { out.write("TE: trailers\r\n") }
        out.write("X-Forwarded-For: ")
        if seen.forwardedFor {
            writeValues(of: .xForwardedFor, bytes, to: &out)
            out.write(client.peerAddress)
        } else {
            out.write(client.address)
        }
        out.write("\r\nX-Forwarded-Proto: ")
        if let proto = told(.xForwardedProto) { out.write(bytes[proto]) } else { out.write(client.scheme) }
        out.write("\r\nX-Forwarded-Host: ")
        out.write(told(.xForwardedHost).map { bytes[$0] } ?? Self.hostName(bytes[head.authority]))
        out.write("\r\nX-Forwarded-Port: ")
        if let port = told(.xForwardedPort) { out.write(bytes[port]) } else { out.writeDecimal(client.port) }
        out.write("\r\nX-Forwarded-Path: ")
        out.write(bytes[told(.xForwardedPath) ?? head.path])
        if let prefix = told(.xForwardedPrefix) {
            out.write("\r\nX-Forwarded-Prefix: ")
            out.write(bytes[prefix])
        } else if let strippedPrefix {
            out.write("\r\nX-Forwarded-Prefix: ")
            out.write(strippedPrefix)
        }
        out.write("\r\nX-Real-IP: ")
        out.write(client.address)
        out.write("\r\nVia: ")
        if seen.via { writeValues(of: .via, bytes, to: &out) }
        out.write(client.isHTTP2 ? Self.viaHTTP2 : head.version == .http11 ? Self.viaHTTP11 : Self.viaHTTP10)
        out.write("\r\n")
    }

    /// What a trusted peer says of its own client's request stays (kong-facts 4.1).
    private func told(_ known: KnownField) -> ByteRange? { client.isTrusted ? head.range(of: known) : nil }

    /// All values of a field, each followed by a comma, so that one more can be appended.
    private func writeValues(of known: KnownField, _ bytes: UnsafeRawBufferPointer, to out: inout ByteCursor) {
        for field in head.fields.list where field.known == known && !field.value.isEmpty {
            out.write(bytes[field.value])
            out.write(", ")
        }
    }

    /// The host of an authority without its port; an IPv6 address keeps its brackets.
    static func hostName(_ authority: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var colon = authority.count - 1
        while colon >= 0, (0x30...0x39).contains(authority[colon]) { colon -= 1 }
        guard colon >= 0, authority[colon] == UInt8(ascii: ":") else { return authority }
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

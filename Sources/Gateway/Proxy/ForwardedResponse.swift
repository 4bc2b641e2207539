// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import Wire

/// The two latencies that Kong measures of a proxied request, in whole milliseconds.
package struct ProxyLatency: Sendable {
    /// From the head of the request to its sending.
    package var proxy: Int
    /// From the sending to the head of the response.
    package var upstream: Int

    package init(proxy: Int, upstream: Int) {
        self.proxy = proxy
        self.upstream = upstream
    }
}

/// Writes the response that goes to the client: the upstream's fields in their order and own spelling, less those that
/// belong to its connection, and Kong's own (kong-facts 4.3).
package enum ForwardedResponse {
    /// - Parameters:
    ///   - keepsTrailer: the client understands trailers, so the Trailer field is of use to it.
    ///   - date: of the moment, for an upstream that sent none.
    ///   - buffer: is cleared and written into.
    package static func write(
        _ head: ResponseHead, requestVersion: HTTPVersion, keepsTrailer: Bool, latency: ProxyLatency, requestID: String,
        date: String, into buffer: ByteBuffer
    ) -> HeadWriter {
        var out = buffer
        out.clear(minimumCapacity: head.bytes.readableBytes + 256)
        out.writeStaticString("HTTP/1.1 ")
        out.writeDecimal(head.status)
        out.writeInteger(UInt8(ascii: " "))
        head.bytes.withUnsafeReadableBytes { bytes in
            out.writeBytes(bytes[head.reason])
            out.writeStaticString("\r\n")
            let seen = copyFields(head, bytes, keepsTrailer, to: &out)
            if !seen.date {
                out.writeStaticString("Date: ")
                out.writeString(date)
                out.writeStaticString("\r\n")
            }
            if !seen.server { out.writeStaticString("Server: kong/3.10.0\r\n") }
            out.writeStaticString("Via: ")
            if seen.via {
                for field in head.fields.list where field.known == .via && !field.value.isEmpty {
                    out.writeBytes(bytes[field.value])
                    out.writeStaticString(", ")
                }
            }
        }
        out.writeStaticString("1.1 kong/3.10.0\r\nX-Kong-Upstream-Latency: ")
        out.writeDecimal(latency.upstream)
        out.writeStaticString("\r\nX-Kong-Proxy-Latency: ")
        out.writeDecimal(latency.proxy)
        out.writeStaticString("\r\nX-Kong-Request-Id: ")
        out.writeString(requestID)
        out.writeStaticString("\r\n")
        return HeadWriter(startedIn: out, status: head.status)
    }

    private struct Seen {
        var date = false
        var server = false
        var via = false
    }

    /// Copies what passes. Lines that stand side by side are copied as one run of bytes.
    private static func copyFields(
        _ head: ResponseHead, _ bytes: UnsafeRawBufferPointer, _ keepsTrailer: Bool, to out: inout ByteBuffer
    ) -> Seen {
        var seen = Seen()
        let fields = head.fields.list
        var runStart = -1
        for (index, field) in fields.enumerated() {
            let isHopByHop = head.fields.connectionNamesFields && isNamedByConnection(field, head.fields, bytes)
            let passes = passes(field, keepsTrailer, &seen) && !isHopByHop
            if passes, runStart < 0 { runStart = field.name.lowerBound }
            if !passes, runStart >= 0 {
                out.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[runStart..<field.name.lowerBound]))
                runStart = -1
            }
            if passes, index == fields.count - 1 {
                out.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[runStart..<bytes.count - 2]))
            }
        }
        return seen
    }

    @inline(__always)
    private static func passes(_ field: Field, _ keepsTrailer: Bool, _ seen: inout Seen) -> Bool {
        switch field.known {
        case .other: return true
        case .date:
            seen.date = true
            return true
        case .server:
            seen.server = true
            return true
        case .via:
            seen.via = true
            return false
        case .trailer: return keepsTrailer
        case .connection, .keepAlive, .proxyConnection, .transferEncoding, .contentLength, .upgrade, .xKongRequestID,
            .xKongUpstreamLatency, .xKongProxyLatency, .xKongResponseLatency:
            return false
        default: return true
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
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
package struct ForwardedResponse {
    private let head: ResponseHead
    /// The client understands trailers, so the Trailer field is of use to it.
    private let keepsTrailer: Bool
    private let latency: ProxyLatency
    private let requestID: RequestID
    private let setCookie: String?

    /// - Parameter setCookie: the value of a Set-Cookie field of the gateway's own.
    package init(
        _ head: ResponseHead, keepsTrailer: Bool, latency: ProxyLatency, requestID: RequestID, setCookie: String? = nil
    ) {
        self.head = head
        self.keepsTrailer = keepsTrailer
        self.latency = latency
        self.requestID = requestID
        self.setCookie = setCookie
    }

    /// An upper bound of what `write` writes: every field of the upstream goes out once at most, the names of Kong's
    /// fields, the date and the numbers take 314 bytes.
    package var longest: Int { 2 * head.bytes.readableBytes + (setCookie?.utf8.count ?? 0) + 512 }

    /// - Parameter date: of the moment; asked for when the upstream sent none.
    package func write(to out: inout ByteCursor, date: () -> String) {
        out.write("HTTP/1.1 ")
        out.writeDecimal(head.status)
        out.write(UInt8(ascii: " "))
        head.bytes.withUnsafeReadableBytes { bytes in
            out.write(bytes[head.reason])
            out.write("\r\n")
            let seen = Self.copyFields(head, bytes, keepsTrailer: keepsTrailer, to: &out)
            if !seen.date {
                out.write("Date: ")
                out.write(date())
                out.write("\r\n")
            }
            if !seen.server { out.write("Server: kong/3.10.0\r\n") }
            out.write("Via: ")
            if seen.via {
                for field in head.fields.list where field.known == .via && !field.value.isEmpty {
                    out.write(bytes[field.value])
                    out.write(", ")
                }
            }
        }
        out.write("1.1 kong/3.10.0\r\nX-Kong-Upstream-Latency: ")
        out.writeDecimal(latency.upstream)
        out.write("\r\nX-Kong-Proxy-Latency: ")
        out.writeDecimal(latency.proxy)
        out.write("\r\nX-Kong-Request-Id: ")
        out.write(requestID)
        out.write("\r\n")
        if let setCookie {
            out.write("Set-Cookie: ")
            out.write(setCookie)
            out.write("\r\n")
        }
    }

    /// An interim response as it passes on: the upstream's fields, less those of its connection, and nothing of ours.
    static func interim(_ head: ResponseHead) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.append(atMost: head.bytes.readableBytes + 64) { out in
            head.bytes.withUnsafeReadableBytes { bytes in
                out.write("HTTP/1.1 ")
                out.writeDecimal(head.status)
                out.write(UInt8(ascii: " "))
                out.write(bytes[head.reason])
                out.write("\r\n")
                _ = copyFields(head, bytes, keepsTrailer: false, to: &out)
                out.write("\r\n")
            }
        }
        return buffer
    }

    private struct Seen {
        var date = false
        var server = false
        var via = false
    }

    /// Copies what passes. Lines that stand side by side are copied as one run of bytes.
    private static func copyFields(
        _ head: ResponseHead, _ bytes: UnsafeRawBufferPointer, keepsTrailer: Bool, to out: inout ByteCursor
    ) -> Seen {
        var seen = Seen()
        var runStart = -1
        head.fields.list.withUnsafeBufferPointer { fields in
            for place in 0..<fields.count {
                let field = fields[place]
                let isHopByHop = head.fields.connectionNamesFields && isNamedByConnection(field, head.fields, bytes)
                if passes(field, keepsTrailer, &seen), !isHopByHop {
                    if runStart < 0 { runStart = field.name.lowerBound }
                } else if runStart >= 0 {
                    out.write(UnsafeRawBufferPointer(rebasing: bytes[runStart..<field.name.lowerBound]))
                    runStart = -1
                }
            }
        }
        if runStart >= 0 { out.write(UnsafeRawBufferPointer(rebasing: bytes[runStart..<bytes.count - 2])) }
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

/// Whole milliseconds, as Kong's latency fields have them.
func milliseconds(_ interval: TimeAmount) -> Int { Int(interval.nanoseconds / 1_000_000) }

extension RequestHead {
    /// The client said `TE: trailers`.
    var acceptsTrailers: Bool {
        guard fields.list.contains(where: { $0.known == .te }) else { return false }
        return value(of: "te")?.lowercased().contains("trailers") ?? false
    }
}

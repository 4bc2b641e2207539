// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The fields that a proxy treats in a way of their own; all others pass as they are.
package enum KnownField: UInt8, Sendable {
    case other
    // Framing and connection
    case host, connection, contentLength, transferEncoding, expect, upgrade, te, trailer, keepAlive, proxyConnection,
        proxy
    /// `Content_Length` or `Transfer_Encoding`: who makes variables of fields (CGI, WSGI) takes it for the real one.
    case disguisedFraming
    // Forwarding
    case via, xForwardedFor, xForwardedProto, xForwardedHost, xForwardedPort, xForwardedPath, xForwardedPrefix, xRealIP
    // Content and identity
    case accept, contentType, date, server, location
    // Kong's
    case xKongRequestID, xKongUpstreamLatency, xKongProxyLatency, xKongResponseLatency, xKongUpstreamStatus
    // The harness's
    case xChaosID

    /// Recognises a field by its name in any case.
    @inline(__always)
    static func recognise(_ name: UnsafeRawBufferPointer) -> KnownField {
        switch name.count {
        case 2: name.equalsIgnoringCase("te") ? .te : .other
        case 3: name.equalsIgnoringCase("via") ? .via : .other
        case 4:
            if name.equalsIgnoringCase("host") {
                .host
            } else if name.equalsIgnoringCase("date") {
                .date
            } else {
                .other
            }
        case 5: name.equalsIgnoringCase("proxy") ? .proxy : .other
        case 6:
            if name.equalsIgnoringCase("accept") {
                .accept
            } else if name.equalsIgnoringCase("server") {
                .server
            } else if name.equalsIgnoringCase("expect") {
                .expect
            } else {
                .other
            }
        case 7:
            if name.equalsIgnoringCase("upgrade") {
                .upgrade
            } else if name.equalsIgnoringCase("trailer") {
                .trailer
            } else {
                .other
            }
        case 8: name.equalsIgnoringCase("location") ? .location : .other
        case 9: name.equalsIgnoringCase("x-real-ip") ? .xRealIP : .other
        case 10:
            if name.equalsIgnoringCase("connection") {
                .connection
            } else if name.equalsIgnoringCase("keep-alive") {
                .keepAlive
            } else if name.equalsIgnoringCase("x-chaos-id") {
                .xChaosID
            } else {
                .other
            }
        default: recogniseLong(name)
        }
    }

    private static func recogniseLong(_ name: UnsafeRawBufferPointer) -> KnownField {
        switch name.count {
        case 12: name.equalsIgnoringCase("content-type") ? .contentType : .other
        case 14:
            if name.equalsIgnoringCase("content-length") {
                .contentLength
            } else {
                name[7] == UInt8(ascii: "_") && isDisguise(name, of: "content-length") ? .disguisedFraming : .other
            }
        case 15: name.equalsIgnoringCase("x-forwarded-for") ? .xForwardedFor : .other
        case 16:
            if name.equalsIgnoringCase("proxy-connection") {
                .proxyConnection
            } else if name.equalsIgnoringCase("x-forwarded-host") {
                .xForwardedHost
            } else if name.equalsIgnoringCase("x-forwarded-port") {
                .xForwardedPort
            } else if name.equalsIgnoringCase("x-forwarded-path") {
                .xForwardedPath
            } else {
                .other
            }
        case 17:
            if name.equalsIgnoringCase("transfer-encoding") {
                .transferEncoding
            } else if name.equalsIgnoringCase("x-forwarded-proto") {
                .xForwardedProto
            } else if name.equalsIgnoringCase("x-kong-request-id") {
                .xKongRequestID
            } else {
                name[8] == UInt8(ascii: "_") && isDisguise(name, of: "transfer-encoding") ? .disguisedFraming : .other
            }
        case 18: name.equalsIgnoringCase("x-forwarded-prefix") ? .xForwardedPrefix : .other
        case 20: name.equalsIgnoringCase("x-kong-proxy-latency") ? .xKongProxyLatency : .other
        case 22: name.equalsIgnoringCase("x-kong-upstream-status") ? .xKongUpstreamStatus : .other
        case 23:
            if name.equalsIgnoringCase("x-kong-upstream-latency") {
                .xKongUpstreamLatency
            } else if name.equalsIgnoringCase("x-kong-response-latency") {
                .xKongResponseLatency
            } else {
                .other
            }
        default: .other
        }
    }

    private static func isDisguise(_ name: UnsafeRawBufferPointer, of word: StaticString) -> Bool {
        guard name.count == word.utf8CodeUnitCount else { return false }
        for i in 0..<name.count where name[i] != UInt8(ascii: "_") && (name[i] | 0x20) != word.utf8Start[i] {
            return false
        }
        return true
    }
}

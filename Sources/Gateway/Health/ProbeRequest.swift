// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// One probe to be sent: everything a prober needs, and nothing it would have to decide (kong-facts 6.5).
package struct ProbeRequest: Hashable, Sendable {
    package enum Transport: Hashable, Sendable {
        /// Connecting is all.
        case tcp
        case http
        /// - serverName: for SNI and the certificate check; nil when only an IP address is known.
        case https(serverName: String?, verifiesCertificate: Bool)
    }

    package var transport: Transport
    package var address: SocketAddress
    /// The `Host` header.
    package var host: String
    package var path: String
    package var headers: [HealthChecks.Header]
    /// For connecting, for sending and for receiving, each by itself.
    package var timeout: TimeAmount
    /// Presented to an https target that asks for one: an id of the configuration's `TLSMaterial`.
    package var clientCertificateID: String?

    package init(
        transport: Transport, address: SocketAddress, host: String, path: String, headers: [HealthChecks.Header],
        timeout: TimeAmount
    ) {
        self.transport = transport
        self.address = address
        self.host = host
        self.path = path
        self.headers = headers
        self.timeout = timeout
    }

    /// The probe that the checks of an upstream want for one of its addresses.
    package init(upstream: Upstream, address: TargetAddress) {
        let active = upstream.healthchecks.active
        // An IPv6 target has no name but its address, which a Host header carries in brackets (RFC 3986 section 3.2.2).
        let isVersion6 = address.host.utf8.contains(UInt8(ascii: ":"))
        let host = upstream.hostHeader ?? (isVersion6 ? "[\(address.host)]" : address.host)
        let name = active.httpsSNI ?? Self.withoutPort(upstream.hostHeader ?? address.host)
        let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
        let transport: Transport =
            switch active.type {
            case .https:
                .https(serverName: isAddress ? nil : name, verifiesCertificate: active.httpsVerifyCertificate)
            case .tcp: .tcp
            case .http, .grpc, .grpcs: .http
            }
        self.init(
            transport: transport, address: address.socketAddress, host: host, path: active.httpPath,
            headers: active.headers, timeout: active.timeout)
        clientCertificateID = upstream.clientCertificateID
    }

    /// The request as library 3.1.0 writes it: HTTP/1.0, custom headers before `Host`, nothing else.
    package var head: String {
        let lines = headers.flatMap { header in header.values.map { "\(header.name): \($0)\r\n" } }
        return "GET \(path) HTTP/1.0\r\n\(lines.joined())Host: \(host)\r\n\r\n"
    }

    private static func withoutPort(_ host: String) -> String {
        guard let colon = host.lastIndex(of: ":"), host.firstIndex(of: ":") == colon else { return host }
        return String(host[..<colon])
    }
}

/// What came of a probe, before it is compared with any list.
package enum ProbeAnswer: Hashable, Sendable {
    /// The status of the answer, 0 when its status line could not be read.
    case status(Int)
    /// A probe that only connects did.
    case connected
    /// Refused, reset, closed too early, no TLS; in words.
    case tcpFailure(String)
    /// Nothing happened in time while connecting, sending or receiving; in words.
    case timeout(String)
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import DNS
package import NIOCore
package import Wire
import World

/// What a gateway process is told at its start. The command line fills it from flags, then `KONG_*` variables, then
/// these defaults.
package struct GatewaySettings: Sendable {
    /// Where clients connect; not empty.
    package var proxyListeners: [ListenerSettings]
    package var adminListen: SocketAddress
    /// Metrics and status without the rest of the Admin API; nil opens no such listener.
    package var statusListen: SocketAddress?
    /// Nobody asked for `statusListen`: where it is taken the gateway does without.
    package var statusMayBeMissing = false
    /// Names that are not looked up: `host:port` (lower case) to an address, as curl's `--resolve`.
    package var resolve: [String: SocketAddress] = [:]
    /// Answers exactly as Kong where the article asks for more.
    package var strict = false
    /// A declarative file was given: the Admin API writes no entities.
    package var isDeclarative = false
    /// Of what clients send.
    package var limits = WireLimits()
    /// Of what upstreams send.
    package var responseLimits = WireLimits()
    package var timeouts = ServerTimeouts()
    package var http2 = HTTP2Limits()
    /// PEM of what clients are shown that ask for no known server name (kong.conf `ssl_cert`, `ssl_cert_key`); nil for
    /// a self-signed certificate.
    package var certificate: (chain: String, key: String)?
    /// Who may sign for upstreams and targets of active checks (kong.conf `lua_ssl_trusted_certificate`).
    package var trusted = TrustedAuthorities()
    package var tls = TLSSettings()
    package var pool = UpstreamPoolSettings()
    /// Longest request body, bytes; 0 for any (nginx `client_max_body_size`).
    package var bodyBytes: Int64 = 0
    /// Bytes of a buffered request body that stay in memory; a longer one goes to a file (nginx
    /// `client_body_buffer_size`, in Kong 8 KiB).
    package var bufferedBodyBytes = 64 * 1024
    /// Bytes of a response that are read ahead of a slow client where the route has `response_buffering` (nginx
    /// `proxy_buffers`); what the client's connection holds comes to it.
    package var responseBufferBytes = 64 * 1024
    /// Where such files are made (nginx `client_body_temp_path`).
    package var spoolDirectory = SpoolFile.defaultDirectory
    /// Client connections a worker; 0 for as many as the system allows (nginx `worker_connections`).
    package var connectionLimit = 0
    package var trust = TrustedProxies()
    /// Longest body the Admin API takes (kong.conf `nginx_admin_client_max_body_size`), bytes.
    package var adminBodyBytes = 10 * 1024 * 1024
    /// A reader of `/events` that leaves this many bytes unread is cut off.
    package var unreadEventBytes = 8 * 1024 * 1024
    /// How long a stop waits for requests under way.
    package var drain = TimeAmount.seconds(10)
    /// Name servers of the gateway's own; none leaves names to the system's resolver.
    package var dns = DNSSettings()
    /// How often a name is looked up again at the system's resolver, which tells no TTL; 30 s is when Kong tries a name
    /// again that failed.
    package var lookupInterval = TimeAmount.seconds(30)

    var lookupTimes: NameTable.Times {
        dns.servers.isEmpty
            ? .init(unknown: lookupInterval, notFound: lookupInterval, error: lookupInterval, stale: dns.staleTime)
            : .init(unknown: lookupInterval, notFound: dns.notFoundTime, error: dns.errorTime, stale: dns.staleTime)
    }

    /// - Precondition: there is a listener.
    package init(proxyListeners: [ListenerSettings], adminListen: SocketAddress) {
        precondition(!proxyListeners.isEmpty, "a gateway without a listener")
        self.proxyListeners = proxyListeners
        self.adminListen = adminListen
        limits.requestsPerConnection = Self.defaultRequestsPerConnection
    }

    /// One listener for plain HTTP/1.1.
    package init(proxyListen: SocketAddress, adminListen: SocketAddress) {
        self.init(proxyListeners: [ListenerSettings(proxyListen)], adminListen: adminListen)
    }

    /// Kong's `nginx_http_keepalive_requests`.
    package static let defaultRequestsPerConnection = 10_000
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DNS
import NIOCore
import Wire

/// A configuration as the data plane reads it: compiled once, never changed, shared by all loops.
final class Snapshot: Sendable {
    let routes: RouteTable
    /// The service of each route, in the order of the configuration's routes.
    let services: [CompiledService?]
    /// The balanced upstreams; `CompiledService.Peers.balanced` counts in this order.
    let targetSets: [TargetSet]
    /// What clients are shown; nil before there is a configuration.
    let certificates: ServerCertificates?

    init(
        routes: RouteTable, services: [CompiledService?], targetSets: [TargetSet],
        certificates: ServerCertificates? = nil
    ) {
        self.routes = routes
        self.services = services
        self.targetSets = targetSets
        self.certificates = certificates
    }
}

/// A service with everything that proxying a request to it needs.
final class CompiledService: Sendable {
    enum Peers: Sendable {
        /// By the upstream of this place in the snapshot the service belongs to, and only in that one.
        case balanced(Int)
        /// Turn by turn over the addresses of the service's own host; not empty.
        case direct([Peer.Direct])
        /// The host is being looked up for the first time; a snapshot with the answer will follow.
        case pending
        /// The host has no address.
        case unresolved(NameFailure)
    }

    let service: Service
    let peers: Peers
    let upstream: Upstream?
    /// Nil for plain text, or when TLS could not be set up.
    let tls: UpstreamTLS?

    // What every request asks, taken out of the entities: to look into them would copy them, string by string.
    let isEncrypted: Bool
    let speaksHTTP2: Bool
    let retries: Int
    let writeTimeout: TimeAmount
    let readTimeout: TimeAmount
    /// The upstream wants a value to choose targets by.
    let hashesRequests: Bool
    private let hostHeader: String?

    init(_ service: Service, peers: Peers, upstream: Upstream?, tls: UpstreamTLS?) {
        self.service = service
        self.peers = peers
        self.upstream = upstream
        self.tls = tls
        isEncrypted = service.proto.isEncrypted
        speaksHTTP2 = service.proto.speaksHTTP2
        retries = service.retries
        writeTimeout = service.writeTimeout
        readTimeout = service.readTimeout
        hashesRequests = upstream?.algorithm == .consistentHashing
        hostHeader = upstream?.hostHeader
    }

    /// What connections to one peer must have in common to serve the same requests.
    func transport(to peer: Peer) -> UpstreamPool.Transport {
        guard let tls else { return speaksHTTP2 ? .plainHTTP2 : .plain }
        return .tls(serverName: serverName(for: peer), terms: tls.number)
    }

    /// The host that the upstream is called by, before a port is added (kong/runloop/balancer/init.lua
    /// set_host_header).
    private func hostName(for peer: Peer) -> String { hostHeader ?? peer.host }

    /// The Host field for a try.
    func hostField(for peer: Peer) -> (name: String, port: Int?) {
        let isDefaultPort = peer.port == (isEncrypted ? 443 : 80)
        return (hostHeader ?? peer.authority, isDefaultPort ? nil : peer.port)
    }

    /// The name for SNI; nil for a literal address, which SNI does not carry.
    func serverName(for peer: Peer) -> String? {
        guard isEncrypted else { return nil }
        let name = hostName(for: peer)
        return (try? SocketAddress(ipAddress: name, port: 0)) == nil ? name : nil
    }
}

/// A request that has found its route.
final class RoutedRequest {
    let service: CompiledService
    /// Where the request is to be counted when it is over.
    let counters: RouteCounters
    /// Of the service's upstream; stays the one that the request began with when another configuration comes.
    let balancer: Balancer?
    /// Path and query for the upstream.
    let uri: ByteBuffer
    /// What was taken off the path, or nil.
    let strippedPrefix: ByteBuffer?
    let preservesHost: Bool
    /// The body is read whole before an upstream hears of it.
    let buffersRequest: Bool
    /// The response is read on while its client is slow (`response_buffering`).
    let readsAhead: Bool
    /// For consistent hashing.
    let hash: UInt32
    /// A cookie that binds the client to its target, as the value of Set-Cookie.
    let setCookie: String?
    /// WebDAV's LOCK is as little repeatable as POST.
    let isLock: Bool

    init(
        _ match: RouteMatch, service: CompiledService, counters: RouteCounters, balancer: Balancer?,
        hashed: HashValue?, isLock: Bool
    ) {
        self.service = service
        self.counters = counters
        self.balancer = balancer
        uri = match.uri
        strippedPrefix = match.strippedPrefix
        preservesHost = match.route.route.preserveHost
        // A call of gRPC may go on both ways for ever: it has no whole body to wait for (kong-facts 4.6).
        buffersRequest = match.route.route.requestBuffering && !service.speaksHTTP2
        // Nor does nginx buffer what comes from a gRPC server.
        readsAhead = match.route.route.responseBuffering && !service.speaksHTTP2
        hash = hashed?.text.map { XXHash32.hash($0) } ?? Self.hashOfNothing
        setCookie = hashed?.setCookie
        self.isLock = isLock
    }

    private static let hashOfNothing = XXHash32.hash("")

    func hostField(for peer: Peer) -> (name: String, port: Int?)? { preservesHost ? nil : service.hostField(for: peer) }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import Wire

/// Limits of the kept-alive connections to upstreams (kong.conf `upstream_keepalive_*`).
package struct UpstreamPoolSettings: Sendable, Hashable {
    /// Idle connections a peer.
    package var size = 512
    package var idleTimeout = TimeAmount.seconds(60)
    package var maximumRequests = 10_000

    package init() {}
}

/// The idle connections of one event loop to all peers. The one used last is used first, so that what is not needed
/// grows old and closes. Peers are told apart by identity and by what was agreed with them on TLS.
final class UpstreamPool {
    enum Transport: Hashable {
        case plain
        case plainHTTP2
        /// - terms: the number of an `UpstreamTLS`, which also says which HTTP is spoken.
        case tls(serverName: String?, terms: Int)
    }

    private struct Key: Hashable {
        let peer: ObjectIdentifier
        let transport: Transport
    }

    private let settings: UpstreamPoolSettings
    private var idle: [Key: [ClientConnection]] = [:]
    private var isClosed = false

    init(_ settings: UpstreamPoolSettings) { self.settings = settings }

    /// An idle connection to the peer, or nil.
    func take(_ peer: Peer, _ transport: Transport) -> ClientConnection? {
        let key = Key(peer: ObjectIdentifier(peer.identity), transport: transport)
        while let connection = idle[key]?.popLast() {
            connection.onClose = nil
            if connection.isOpen { return connection }
        }
        return nil
    }

    /// Keeps a connection for the next request, or closes it when it is used up or the pool is full.
    func put(_ connection: ClientConnection, _ peer: Peer, _ transport: Transport) {
        let key = Key(peer: ObjectIdentifier(peer.identity), transport: transport)
        guard !isClosed, connection.isOpen, connection.isReusable, connection.requestCount < settings.maximumRequests,
            idle[key]?.count ?? 0 < settings.size
        else { return connection.close() }
        // The closure keeps the peer alive, so that no other object takes its identity meanwhile.
        connection.onClose = { [weak self, identity = peer.identity] connection in
            withExtendedLifetime(identity) { self?.forget(connection, key) }
        }
        connection.expire(after: settings.idleTimeout)
        idle[key, default: []].append(connection)
    }

    private func forget(_ connection: ClientConnection, _ key: Key) {
        idle[key]?.removeAll { $0 === connection }
        if idle[key]?.isEmpty == true { idle[key] = nil }
    }

    /// Closes every idle connection and keeps none from now on; for the end of the gateway.
    func closeAll() {
        isClosed = true
        let all = idle
        idle = [:]
        for connection in all.values.joined() {
            connection.onClose = nil
            connection.close()
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import Wire

/// Limits of the kept-alive connections to upstreams (kong.conf `upstream_keepalive_*`).
package struct UpstreamPoolSettings: Sendable, Hashable {
    /// Idle connections a peer; 0 keeps none.
    package var size = 512
    /// Nil for ever.
    package var idleTimeout: TimeAmount? = .seconds(60)
    /// Requests that one connection is good for.
    package var maximumRequests = 10_000

    package init() {}
}

/// The idle connections of one event loop to one peer, all of them fit for the same requests. The one used last is used
/// first, so that what is not needed grows old and closes.
final class IdleConnections: ConnectionKeeper {
    private let settings: UpstreamPoolSettings
    /// Kept, so that no other object takes its identity while connections wait under it.
    private let peer: AnyObject
    private var list: [ClientConnection] = []
    private var isClosed = false

    fileprivate init(_ peer: AnyObject, _ settings: UpstreamPoolSettings) {
        self.peer = peer
        self.settings = settings
    }

    var isEmpty: Bool { list.isEmpty }

    /// An idle connection, or nil.
    func take() -> ClientConnection? {
        while let connection = list.popLast() {
            if connection.isOpen { return connection }
        }
        return nil
    }

    /// Keeps a connection for the next request, or closes it when it is used up. When there is no room it takes the
    /// place of the one that has been idle longest, as in nginx.
    func put(_ connection: ClientConnection) {
        guard !isClosed, settings.size > 0, connection.isReusable, connection.isOpen,
            connection.requestCount < settings.maximumRequests
        else { return connection.close() }
        if list.count >= settings.size { list.removeFirst().close() }
        connection.keeper = self
        if let timeout = settings.idleTimeout { connection.expire(after: timeout) }
        list.append(connection)
    }

    func closed(_ connection: ClientConnection) { list.removeAll { $0 === connection } }

    fileprivate func close() {
        isClosed = true
        let all = list
        list = []
        for connection in all { connection.close() }
    }
}

/// The idle connections of one event loop to all peers. Peers are told apart by identity and by what was agreed with
/// them on TLS.
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
    private var peers: [Key: IdleConnections] = [:]
    private var isClosed = false

    init(_ settings: UpstreamPoolSettings) { self.settings = settings }

    /// Where connections to a peer wait. Valid until `forgetUnused`.
    func idle(_ peer: Peer, _ transport: Transport) -> IdleConnections {
        let key = Key(peer: ObjectIdentifier(peer.identity), transport: transport)
        if let known = peers[key] { return known }
        let new = IdleConnections(peer.identity, settings)
        if isClosed { new.close() }
        peers[key] = new
        return new
    }

    /// Lets go of peers to whom no connection waits: those that the configuration no longer has are among them.
    func forgetUnused() { peers = peers.filter { !$0.value.isEmpty } }

    /// Closes every idle connection and keeps none from now on; for the end of the gateway.
    func closeAll() {
        isClosed = true
        for idle in peers.values { idle.close() }
    }
}

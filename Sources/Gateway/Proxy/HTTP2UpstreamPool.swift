// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire

/// The HTTP/2 connections of one event loop to all peers. Requests share them as streams; another one is opened only
/// when those that are there have no room. Whoever asks while one is being opened waits for it.
final class HTTP2UpstreamPool {
    typealias Opened = EventLoopFuture<NIOLoopBound<HTTP2ClientConnection>>

    struct Key: Hashable {
        fileprivate let peer: ObjectIdentifier
        fileprivate let transport: UpstreamPool.Transport
        /// Keeps the peer alive, so that no other object takes its identity meanwhile.
        fileprivate let identity: AnyObject

        init(_ peer: Peer, _ transport: UpstreamPool.Transport) {
            identity = peer.identity
            self.peer = ObjectIdentifier(identity)
            self.transport = transport
        }

        static func == (one: Key, other: Key) -> Bool { one.peer == other.peer && one.transport == other.transport }

        func hash(into hasher: inout Hasher) {
            hasher.combine(peer)
            hasher.combine(transport)
        }
    }

    private let settings: UpstreamPoolSettings
    private var open: [Key: [HTTP2ClientConnection]] = [:]
    private var opening: [Key: Opened] = [:]
    private var isClosed = false

    init(_ settings: UpstreamPoolSettings) { self.settings = settings }

    /// A connection that has room for a stream, which has to be opened at once; fails as `connect` does.
    func connection(_ key: Key, on loop: any EventLoop, connect: @escaping () -> Opened) -> Opened {
        if let connection = open[key]?.first(where: \.hasRoom) {
            return loop.makeSucceededFuture(NIOLoopBound(connection, eventLoop: loop))
        }
        let bound = NIOLoopBound((pool: self, key: key, connect: connect), eventLoop: loop)
        if let opened = opening[key] {
            // Of many that have waited some may find it full.
            return opened.flatMap { _ in
                bound.value.pool.connection(bound.value.key, on: loop, connect: bound.value.connect)
            }
        }
        let opened = connect()
        opening[key] = opened
        return opened.always { result in
            let (pool, key, _) = bound.value
            pool.opening[key] = nil
            if case .success(let connection) = result { pool.add(connection.value, key) }
        }
    }

    private func add(_ connection: HTTP2ClientConnection, _ key: Key) {
        if isClosed { return connection.end() }
        open[key, default: []].append(connection)
        connection.onEnd = { [weak self] connection in self?.forget(connection, key) }
    }

    private func forget(_ connection: HTTP2ClientConnection, _ key: Key) {
        open[key]?.removeAll { $0 === connection }
        if open[key]?.isEmpty == true { open[key] = nil }
    }

    /// Ends every connection with its last stream; for the end of the gateway.
    func closeAll() {
        isClosed = true
        for connection in Array(open.values.joined()) { connection.end() }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire
import World

/// What opening a connection to a peer came to.
enum ConnectResult {
    case success(ClientConnection)
    case failure(AttemptFailure)
}

extension ProxyWorker {
    /// Opens a connection to a peer, or a stream on one that is open; `completion` is called on the loop, not before
    /// this returns.
    func connect(
        to peer: Peer, _ service: CompiledService,
        _ completion: @escaping (ConnectResult) -> Void
    ) {
        if service.speaksHTTP2 { return openStream(to: peer, service, completion) }
        let connection = NIOLoopBound(
            ClientConnection(limits: settings.responseLimits, memory: memory, isAlone: !service.isEncrypted),
            eventLoop: loop)
        let completion = NIOLoopBound(completion, eventLoop: loop)
        open(peer, service) { channel in
            try channel.pipeline.syncOperations.addHandler(connection.value)
        }.whenComplete { result in
            switch result {
            case .success: completion.value(.success(connection.value))
            case .failure(let error): completion.value(.failure(Self.failure(error)))
            }
        }
    }

    /// Opens a channel and, when the service wants it, TLS on it.
    ///
    /// - Parameter install: adds what speaks HTTP to the end of the pipeline.
    private func open(
        _ peer: Peer, _ service: CompiledService, install: @escaping (any Channel) throws -> Void
    ) -> EventLoopFuture<Void> {
        let handshake = loop.makePromise(of: Void.self)
        let isEncrypted = service.isEncrypted
        let tls = service.tls
        let serverName = service.serverName(for: peer)
        let timeout = service.service.connectTimeout
        let address = peer.socketAddress
        let install = NIOLoopBound(install, eventLoop: loop)
        let opened = world.network.connect(to: address, on: loop, timeout: timeout) { channel in
            do {
                if isEncrypted {
                    guard let tls else { throw NetworkError(.other, "TLS could not be set up") }
                    let handler = try tls.handler(serverName: serverName, address: address)
                    let waiter = HandshakeWaiter(handshake, timeout: timeout)
                    try channel.pipeline.syncOperations.addHandlers([handler, waiter])
                } else {
                    handshake.succeed()
                }
                try install.value(channel)
                return channel.eventLoop.makeSucceededVoidFuture()
            } catch {
                handshake.fail(error)
                return channel.eventLoop.makeFailedFuture(error)
            }
        }
        opened.whenFailure { handshake.fail($0) }
        return opened.and(handshake.futureResult).map { _ in }
    }

    private static func failure(_ error: any Error) -> AttemptFailure {
        guard let error = error as? NetworkError else { return .tlsFailed }
        return error.code == .timedOut ? .connectTimedOut : .connectRefused
    }

    // MARK: HTTP/2

    /// `upstream_keepalive_idle_timeout` 0.
    private static let never = TimeAmount.hours(24 * 365)

    private func openStream(
        to peer: Peer, _ service: CompiledService, _ completion: @escaping (ConnectResult) -> Void
    ) {
        let key = HTTP2UpstreamPool.Key(peer, service.transport(to: peer))
        let completion = NIOLoopBound(completion, eventLoop: loop)
        let bound = NIOLoopBound(self, eventLoop: loop)
        http2Pool.connection(key, on: loop) { bound.value.openHTTP2(peer, service) }.flatMap { connection in
            connection.value.openStream()
        }.whenComplete { result in
            switch result {
            case .success(let stream): completion.value(.success(stream.value))
            case .failure(let error as NetworkError): completion.value(.failure(Self.failure(error)))
            case .failure where service.isEncrypted: completion.value(.failure(.tlsFailed))
            case .failure: completion.value(.failure(.closedBeforeResponse))
            }
        }
    }

    private func openHTTP2(
        _ peer: Peer, _ service: CompiledService
    ) -> EventLoopFuture<NIOLoopBound<HTTP2ClientConnection>> {
        let made = NIOLoopBoundBox<HTTP2ClientConnection?>.makeEmptyBox(
            valueType: HTTP2ClientConnection.self, eventLoop: loop)
        let scheme = service.isEncrypted ? "https" : "http"
        return open(peer, service) { [settings] channel in
            made.value = try HTTP2ClientConnection.install(
                on: channel, scheme: scheme, limits: settings.http2, wireLimits: settings.responseLimits,
                idleTimeout: settings.pool.idleTimeout ?? Self.never)
        }.flatMapThrowing { [loop] in
            guard let connection = made.value else { throw NetworkError(.other, "no HTTP/2") }
            return NIOLoopBound(connection, eventLoop: loop)
        }
    }
}

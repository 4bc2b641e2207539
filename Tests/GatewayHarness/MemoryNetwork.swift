// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import World

/// A network without sockets for a gateway on one embedded loop. Confined to that loop's thread.
final class MemoryNetwork: Network {
    struct State {
        var listeners: [(address: SocketAddress, accept: @Sendable (any Channel) -> EventLoopFuture<Void>)] = []
        var clients: [MemoryPeer] = []
        var upstreams: [MemoryPeer] = []
        /// What becomes of a connection that the gateway opens.
        var onConnect: (Int) -> MemoryGateway.Connecting = { _ in .accepted({ _ in }) }
    }

    private let loop: EmbeddedEventLoop
    private let box: NIOLoopBoundBox<State>

    init(loop: EmbeddedEventLoop) {
        self.loop = loop
        box = NIOLoopBoundBox(State(), eventLoop: loop)
    }

    var state: State {
        get { box.value }
        set { box.value = newValue }
    }

    private func makeChannel(local: SocketAddress, remote: SocketAddress) throws -> (EmbeddedChannel, MemorySocket) {
        let channel = EmbeddedChannel(loop: loop)
        (channel.localAddress, channel.remoteAddress) = (local, remote)
        let socket = MemorySocket()
        try channel.pipeline.syncOperations.addHandler(socket)
        return (channel, socket)
    }

    /// A client connects to the listener of this place in the order of listening.
    func openClient(listener: Int, from remote: SocketAddress) throws -> MemoryPeer {
        let listener = state.listeners[listener]
        let (channel, socket) = try makeChannel(local: listener.address, remote: remote)
        let accepted = listener.accept(channel)
        let peer = MemoryPeer(number: state.clients.count + 1, port: nil, channel: channel, socket: socket)
        accepted.whenComplete { result in
            // A connection that is refused is closed before it was ever active.
            guard case .success = result else { return channel.close(promise: nil) }
            channel.connect(to: remote, promise: nil)
            channel.read()
        }
        state.clients.append(peer)
        return peer
    }

    func datagrams(
        on address: SocketAddress, loop: any EventLoop,
        prepare: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        loop.makeFailedFuture(NetworkError(.notPermitted, "\(address): no datagrams in memory"))
    }

    func listen(
        on address: SocketAddress, loops: any EventLoopGroup, options: ListenOptions,
        accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        let channel = EmbeddedChannel(loop: loop)
        channel.localAddress = address
        state.listeners.append((address, accept))
        return loop.makeSucceededFuture(channel)
    }

    func connect(
        to address: SocketAddress, on loop: any EventLoop, timeout: TimeAmount,
        prepare: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        let promise = loop.makePromise(of: (any Channel).self)
        let port = address.port ?? 0
        switch state.onConnect(port) {
        case .refused: loop.execute { promise.fail(NetworkError(.refused, "\(address)")) }
        case .silent:
            loop.scheduleTask(in: timeout) { promise.fail(NetworkError(.timedOut, "\(address)")) }
        case .accepted(let script):
            do {
                let (channel, socket) = try makeChannel(local: .loopback(port: 1), remote: address)
                let peer = MemoryPeer(number: state.upstreams.count + 1, port: port, channel: channel, socket: socket)
                state.upstreams.append(peer)
                script(peer)
                loop.execute {
                    prepare(channel).whenComplete { _ in
                        channel.connect(to: address, promise: nil)
                        channel.read()
                        promise.succeed(channel)
                    }
                }
            } catch {
                promise.fail(error)
            }
        }
        return promise.futureResult
    }

    func resolve(_ host: String, port: Int, on loop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
        guard let address = try? SocketAddress(ipAddress: host, port: port) else {
            return loop.makeFailedFuture(NetworkError(.nameNotFound, host))
        }
        return loop.makeSucceededFuture([address])
    }
}

/// A date that does not move.
struct StillClock: WallClock {
    let nanosecondsSinceEpoch: Int64 = 784_111_777_000_000_000
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import CPlatform
import NIOCore

/// Sockets on our own loops.
extension RealNetwork {
    func listen(
        on address: SocketAddress, loop: PollLoop, children: any EventLoopGroup, options: ListenOptions,
        accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        loop.submit { () throws -> any Channel in
            do {
                return try ListenerChannel.open(
                    on: address, loop: loop, children: children, options: options, accept: accept)
            } catch {
                throw Self.error(error, at: "\(address)")
            }
        }
    }

    /// The future is never complete before this has returned.
    func connect(
        to address: SocketAddress, loop: PollLoop, timeout: TimeAmount,
        prepare: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        let opened = loop.makePromise(of: (any Channel).self)
        loop.execute {
            let descriptor = gatecrash_socket(address.family)
            guard descriptor >= 0 else { return opened.fail(IOError(errnoCode: -descriptor, reason: "socket")) }
            let channel = StreamChannel(loop: loop, descriptor: descriptor)
            channel.prepareOutgoing(timeout: timeout)
            let connected = loop.makePromise(of: Void.self)
            prepare(channel).whenComplete { result in
                switch result {
                case .success:
                    channel.register0(promise: nil)
                    channel.connect0(to: address, promise: connected)
                case .failure(let error):
                    channel.close0(error: error, mode: .all, promise: nil)
                    connected.fail(error)
                }
            }
            connected.futureResult.map { channel as any Channel }.cascade(to: opened)
        }
        return opened.futureResult.flatMapErrorThrowing { throw Self.error($0, at: "\(address)") }
    }

    /// A UDP socket; `prepare` adds the handlers, of `AddressedEnvelope<ByteBuffer>`, before anything is read.
    func datagrams(
        on address: SocketAddress, poll loop: PollLoop,
        prepare: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        loop.flatSubmit {
            do {
                let channel = try DatagramChannel.open(on: address, loop: loop)
                let prepared = prepare(channel).map { () -> any Channel in
                    channel.activate()
                    return channel
                }
                prepared.whenFailure { channel.close0(error: $0, mode: .all, promise: nil) }
                return prepared
            } catch {
                return loop.makeFailedFuture(Self.error(error, at: "\(address)"))
            }
        }
    }
}
#endif

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DNS
import NIOCore
import World

/// The scenario's name server: UDP and TCP on one port of loopback. It says what its zone says, and tells of every
/// query. Lives on one loop.
final class NameServer {
    var zone = NameZone()
    let loop: any EventLoop
    private(set) var address: SocketAddress?
    private let world: World
    private let onQuery: (NameZone.Outcome, _ at: NIODeadline) -> Void
    private var channels: [any Channel] = []
    private var order = DatagramOrder<AddressedEnvelope<ByteBuffer>>()
    private var timer: Scheduled<Void>?
    private var isStopped = false

    /// Ports that are free for UDP and taken for TCP are rare.
    private static let tries = 20

    init(world: World, loop: any EventLoop, onQuery: @escaping (NameZone.Outcome, _ at: NIODeadline) -> Void) {
        self.world = world
        self.loop = loop
        self.onQuery = onQuery
    }

    /// - Returns: where it listens.
    func start() -> EventLoopFuture<SocketAddress> {
        loop.assertInEventLoop()
        let promise = loop.makePromise(of: SocketAddress.self)
        open(Self.tries, promise)
        return promise.futureResult
    }

    private func open(_ tries: Int, _ promise: EventLoopPromise<SocketAddress>) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        world.network.datagrams(on: .loopback(port: 0), loop: loop) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(NameDatagramHandler(bound.value))
            }
        }.assumeIsolated().whenComplete { result in
            switch result {
            case .failure(let error): promise.fail(TopologyError("the name server cannot listen: \(error)"))
            case .success(let channel): self.listen(beside: channel, tries, promise)
            }
        }
    }

    private func listen(beside datagrams: any Channel, _ tries: Int, _ promise: EventLoopPromise<SocketAddress>) {
        guard let address = datagrams.localAddress else {
            return promise.fail(TopologyError("the name server has no address"))
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        world.network.listen(on: address, loops: loop, options: ListenOptions()) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(NameStreamHandler(bound.value))
            }
        }.hop(to: loop).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let listener):
                self.channels = [datagrams, listener]
                self.address = address
                if self.isStopped { _ = self.stop() }
                promise.succeed(address)
            case .failure(let error):
                datagrams.close(promise: nil)
                guard tries > 1 else {
                    return promise.fail(TopologyError("the name server cannot listen: \(error)"))
                }
                self.open(tries - 1, promise)
            }
        }
    }

    func stop() -> EventLoopFuture<Void> {
        isStopped = true
        timer?.cancel()
        let closed = channels.map { $0.close().flatMapErrorThrowing { _ in } }
        channels = []
        return EventLoopFuture.andAllSucceed(closed, on: loop)
    }

    /// - Parameter reply: called once or never, now or after a delay, with the bytes of the answer.
    fileprivate func received(
        _ bytes: [UInt8], isStream: Bool, reply: @escaping ([UInt8], DatagramTreatment) -> Void
    ) {
        guard let query = try? DNSMessage(parsing: bytes) else { return }
        let outcome = zone.answer(query)
        if outcome.question != nil { onQuery(outcome, loop.now) }
        guard let message = outcome.reply else { return }
        let answer = message.encoded(limit: isStream ? 65_535 : query.datagramLimit)
        guard outcome.delay > .zero else { return reply(answer, outcome.treatment) }
        loop.assumeIsolated().scheduleTask(in: outcome.delay) { reply(answer, outcome.treatment) }
    }

    /// Lets an answer go in its turn.
    fileprivate func send(
        _ answer: AddressedEnvelope<ByteBuffer>, _ treatment: DatagramTreatment, on channel: any Channel
    ) {
        for datagram in order.push(answer, treatment, at: loop.now) { channel.writeAndFlush(datagram, promise: nil) }
        timer?.cancel()
        guard let deadline = order.nextDeadline, !isStopped else { return }
        timer = loop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in
            for datagram in order.advance(to: loop.now) { channel.writeAndFlush(datagram, promise: nil) }
        }
    }
}

private final class NameDatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let server: NameServer

    init(_ server: NameServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let query = unwrapInboundIn(data)
        let channel = context.channel
        server.received(Array(query.data.readableBytesView), isStream: false) { [server] bytes, treatment in
            let answer = AddressedEnvelope(remoteAddress: query.remoteAddress, data: ByteBuffer(bytes: bytes))
            server.send(answer, treatment, on: channel)
        }
    }

    /// A client whose socket has gone: the system tells by an error, and the server goes on.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

private final class NameStreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let server: NameServer
    private var received = ByteBuffer()

    init(_ server: NameServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.writeImmutableBuffer(unwrapInboundIn(data))
        let channel = context.channel
        while let query = DNSFrame.take(from: &received) {
            server.received(query, isStream: true) { bytes, _ in
                channel.writeAndFlush(DNSFrame.framed(bytes), promise: nil)
            }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

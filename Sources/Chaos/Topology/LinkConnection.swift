// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// One relayed connection: two channels and, for each direction, the toxics between them. Lives on its link's loop.
final class LinkConnection {
    enum Side {
        case client, server
        var other: Side { self == .client ? .server : .client }
    }

    /// What comes from one side.
    private struct Flow {
        var chain = ToxicChain()
        /// Delivered by the toxics, for a channel that is not connected yet.
        var early: [Delivery] = []
        /// How it ended, as seen and given to the chain.
        var end: StreamEnd?
        /// Its orderly end was passed on: the other channel's output is closed.
        var hasFinished = false
        /// A read was asked for and not answered yet.
        var isReading = false
    }

    /// What toxics may hold in one direction before no more is read. With the 64 KiB that NIO lets wait in the other
    /// channel (its default high water mark) a direction buffers at most 256 KiB, and one read more.
    static let heldBytesLimit = 192 * 1024

    let number: Int
    private let link: Link
    private var loop: any EventLoop { link.loop }
    private let client: any Channel
    private var server: (any Channel)?
    private var up = Flow()
    private var down = Flow()
    private var isReset = false
    private var closedSides: [Side] = []
    private var timer: (task: Scheduled<Void>, deadline: NIODeadline)?

    init(number: Int, client: any Channel, link: Link) {
        self.number = number
        self.client = client
        self.link = link
    }

    // MARK: Inputs from the link

    /// Adds the relay to a channel before it reads anything.
    func prepare(_ side: Side, _ channel: any Channel) -> EventLoopFuture<Void> {
        do {
            try channel.syncOptions?.setOption(.autoRead, value: false)
            try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
            try channel.pipeline.syncOperations.addHandler(RelayHandler(side: side, connection: self))
            return loop.makeSucceededVoidFuture()
        } catch {
            return loop.makeFailedFuture(error)
        }
    }

    func connected(_ channel: any Channel) {
        guard !isReset else { return Self.abort(channel) }
        server = channel
        let early = up.early
        up.early = []
        deliver(early, from: .client)
        pump(.client)
        pump(.server)
    }

    func install(_ decision: ToxicDecision) {
        if let machine = decision.up { up.chain.install(machine, name: decision.name) }
        if let machine = decision.down { down.chain.install(machine, name: decision.name) }
    }

    func remove(_ name: String) {
        for side in [Side.client, .server] {
            let released = withFlow(side) { $0.chain.remove(name, at: loop.now) }
            deliver(released, from: side)
            pump(side)
        }
    }

    /// Resets both sides at once; what toxics hold is lost.
    func reset() {
        guard !isReset else { return }
        isReset = true
        timer?.task.cancel()
        Self.abort(client)
        if let server { Self.abort(server) } else { link.closed(self) }
    }

    // MARK: Inputs from the channels

    fileprivate func received(_ chunk: ByteBuffer, from side: Side) {
        guard !isReset else { return }
        link.count(chunk.readableBytes, from: side)
        let passed = withFlow(side) { $0.chain.push(chunk, at: loop.now) }
        deliver(passed, from: side)
        arm()
    }

    fileprivate func readCompleted(_ side: Side) {
        withFlow(side) { $0.isReading = false }
        pump(side)
    }

    fileprivate func ended(_ side: Side, _ end: StreamEnd) {
        guard !isReset, withFlow(side, { $0.end }) == nil else { return }
        let passed = withFlow(side) { flow in
            flow.end = end
            return flow.chain.close(end, at: loop.now)
        }
        deliver(passed, from: side)
        arm()
    }

    fileprivate func closed(_ side: Side) {
        closedSides.append(side)
        switch withFlow(side, { $0.end }) {
        // NIO tells the end of the input of a channel whose output is closed already by closing it.
        case nil where withFlow(side.other, { $0.hasFinished }): ended(side, .finished)
        // Closed without having said so: killed.
        case nil: ended(side, .reset)
        // Closed after its end, while the other still has something to say: nobody listens to that one any more.
        case .finished? where withFlow(side.other, { $0.end }) == nil: abortSide(side.other)
        case .finished?, .reset?: break
        }
        if closedSides.count == 2 || server == nil && isReset {
            timer?.task.cancel()
            link.closed(self)
        }
    }

    /// Reads from one side when the other side takes more.
    fileprivate func pump(_ side: Side) {
        guard !isReset, let source = channel(side), let sink = channel(side.other), sink.isWritable else { return }
        let reads = withFlow(side) { flow in
            guard !flow.isReading, flow.end == nil, flow.chain.heldBytes < Self.heldBytesLimit else { return false }
            flow.isReading = true
            return true
        }
        if reads { source.read() }
    }

    // MARK: Passing on

    private func channel(_ side: Side) -> (any Channel)? { side == .client ? client : server }

    @discardableResult
    private func withFlow<T>(_ side: Side, _ body: (inout Flow) -> T) -> T {
        side == .client ? body(&up) : body(&down)
    }

    private func deliver(_ deliveries: [Delivery], from side: Side) {
        guard !deliveries.isEmpty, !isReset else { return }
        guard let sink = channel(side.other) else { return withFlow(side) { $0.early += deliveries } }
        for delivery in deliveries {
            switch delivery {
            case .bytes(let chunk): sink.write(chunk, promise: nil)
            case .end(.finished):
                sink.flush()
                withFlow(side) { $0.hasFinished = true }
                sink.close(mode: .output, promise: nil)
            case .end(.reset): Self.abort(sink)
            }
        }
        sink.flush()
    }

    private func abortSide(_ side: Side) {
        if let channel = channel(side) { Self.abort(channel) }
    }

    /// Closes with a reset: with SO_LINGER at zero close(2) sends RST and drops what is unsent.
    private static func abort(_ channel: any Channel) {
        _ = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        channel.close(promise: nil)
    }

    /// One timer for what falls due next in either direction.
    private func arm() {
        guard let next = [up.chain.nextDeadline, down.chain.nextDeadline].compactMap({ $0 }).min() else { return }
        if let timer, timer.deadline <= next { return }
        timer?.task.cancel()
        let connection = NIOLoopBound(self, eventLoop: loop)
        timer = (loop.scheduleTask(deadline: next) { connection.value.due() }, next)
    }

    private func due() {
        timer = nil
        guard !isReset else { return }
        for side in [Side.client, .server] {
            let passed = withFlow(side) { $0.chain.advance(to: loop.now) }
            deliver(passed, from: side)
            pump(side)
        }
        arm()
    }
}

/// The end of a relayed connection that faces one peer: tells the connection what happens, decides nothing.
private final class RelayHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let side: LinkConnection.Side
    private let connection: LinkConnection

    init(side: LinkConnection.Side, connection: LinkConnection) {
        self.side = side
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.received(unwrapInboundIn(data), from: side)
    }

    func channelReadComplete(context: ChannelHandlerContext) { connection.readCompleted(side) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { connection.pump(side.other) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { connection.ended(side, .finished) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        connection.ended(side, .reset)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { connection.closed(side) }
}

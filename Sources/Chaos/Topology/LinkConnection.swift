// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import OpenSSL

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
        /// The direction of what comes from it.
        var stream: ToxicStream { self == .client ? .up : .down }
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

    /// How long the ends of a severed connection may take to say their own end.
    static let severedTime = TimeAmount.seconds(1)

    let number: Int
    /// The faults of the link were put on it.
    var hasBegun = false
    /// The how manieth connection it is that a fault has looked at, by the fault's name.
    var places: [String: Int] = [:]
    /// The connection to the server is not opened until the fault that hinders it is taken off.
    var isHanging = false
    /// What the mock is spoken to with, when the link has decrypted what the gateway said.
    private var onward: OpenSSLContext?
    private let link: Link
    private var loop: any EventLoop { link.loop }
    private let client: any Channel
    private var server: (any Channel)?
    private var up = Flow()
    private var down = Flow()
    private var conversation: Conversation?
    private var isReset = false
    /// Both sides were told an orderly end by a fault; what they still say is lost.
    private var isSevered = false
    /// The client talks to nobody and is not told.
    private var hasLostServer = false
    private var closedSides: [Side] = []
    /// Who spoke last.
    private var lastSpeaker: Side?
    private var timer: (task: Scheduled<Void>, deadline: NIODeadline)?

    init(number: Int, client: any Channel, link: Link) {
        self.number = number
        self.client = client
        self.link = link
        if link.transport == .http { followMessages() }
    }

    /// It still has somewhere to go.
    var wantsServer: Bool { !isReset && !isSevered && !hasLostServer }

    // MARK: Inputs from the link

    /// Adds the relay to a channel before it reads anything.
    func prepare(_ side: Side, _ channel: any Channel) -> EventLoopFuture<Void> {
        do {
            try channel.syncOptions?.setOption(.autoRead, value: false)
            try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
            if side == .server, let onward { try channel.pipeline.syncOperations.addHandler(OpenSSLHandler(onward)) }
            try channel.pipeline.syncOperations.addHandler(RelayHandler(side: side, connection: self))
            return loop.makeSucceededVoidFuture()
        } catch {
            return loop.makeFailedFuture(error)
        }
    }

    /// Makes the link the gateway's TLS peer; before anything was read.
    func terminate(_ context: OpenSSLContext, onward: OpenSSLContext?) throws {
        try client.pipeline.syncOperations.addHandler(OpenSSLHandler(context), position: .first)
        self.onward = onward
    }

    /// Answers the client's hello with an alert, or with a reset.
    func breakOffHandshake(_ toxic: HandshakeToxic) {
        let breaker = HandshakeBreaker(toxic, self)
        do { try client.pipeline.syncOperations.addHandler(breaker, position: .first) } catch { reset() }
    }

    func connected(_ channel: any Channel) {
        guard wantsServer else { return Self.abort(channel) }
        server = channel
        let early = up.early
        up.early = []
        deliver(early, from: .client)
        pump(.client)
        pump(.server)
    }

    /// - Parameter replacing: a fault of this name is there and gets other settings.
    func install(_ decision: ToxicDecision, replacing: Bool = false) {
        for (side, machine) in [(Side.client, decision.up), (.server, decision.down)] {
            guard let machine, !isReset else { continue }
            let passed = withFlow(side) { flow in
                replacing
                    ? flow.chain.replace(machine, name: decision.name, at: loop.now)
                    : flow.chain.install(machine, name: decision.name, at: loop.now)
            }
            deliver(passed, from: side)
            pump(side)
        }
        arm()
    }

    private func followMessages() {
        let (number, name, random) = (number, link.name, link.world.random)
        conversation = Conversation { [weak link] in
            MessageStreams { link?.decide($0, connection: number) ?? [:] }
        } frames: { [weak self, weak link] in
            var stems = random.stream("link \(name) pings \(number)")
            return FrameStreams(
                pingStem: UInt32(truncatingIfNeeded: stems.next()),
                FrameStreams.Decisions {
                    link?.decide($0, connection: number) ?? []
                } connection: { toxic in
                    self.map { link?.decide(toxic, onFramesOf: $0) ?? false } ?? false
                })
        } stage: { toxic, stream in
            toxic.messageStage(stream, link: name, random: random)
        }
    }

    /// For faults that are decided about for each request, and those on HTTP/2; nothing on a link that knows no HTTP.
    func installOnMessages(_ toxic: InstalledToxic, replacing: Bool) {
        if replacing { remove(toxic.name) }
        pass(conversation?.install(toxic, at: loop.now))
        arm()
    }

    func remove(_ name: String) {
        for side in [Side.client, .server] {
            let released = conversation?.remove(name, from: side.stream, at: loop.now) ?? []
            let passed = withFlow(side) { flow in
                released.flatMap { flow.chain.take($0, at: loop.now) } + flow.chain.remove(name, at: loop.now)
            }
            deliver(passed, from: side)
            pump(side)
        }
        arm()
    }

    /// Resets both sides at once; what toxics hold is lost.
    func reset() {
        guard !isReset else { return }
        isReset = true
        timer?.task.cancel()
        Self.abort(client)
        if let server { Self.abort(server) } else { link.closed(self) }
    }

    /// Tells both sides an orderly end (FIN) behind what was written to them. What they still say is read and dropped,
    /// so that they see an end and not a reset; after a moment the connection closes whatever they do.
    func sever() {
        guard !isReset, !isSevered else { return }
        isSevered = true
        timer?.task.cancel()
        for side in [Side.client, .server] {
            guard let channel = channel(side) else { continue }
            // Closing the second side closes the channel at once, and what was not written is lost: so the writing is
            // awaited.
            let written = loop.makePromise(of: Void.self)
            channel.writeAndFlush(ByteBuffer(), promise: written)
            written.futureResult.whenComplete { _ in channel.close(mode: .output, promise: nil) }
            withFlow(side) { $0.isReading = true }
            channel.read()
        }
        let connection = NIOLoopBound(self, eventLoop: loop)
        let deadline = loop.now + Self.severedTime
        timer = (loop.scheduleTask(deadline: deadline) { connection.value.reset() }, deadline)
    }

    // MARK: Inputs from the channels

    fileprivate func received(_ chunk: ByteBuffer, from side: Side) {
        guard !isReset, !isSevered else { return }
        link.count(chunk.readableBytes, from: side)
        // The link learnt only now that this is HTTP: what a client says after the server has spoken is a request.
        if conversation == nil, link.transport == .http, side == .client, lastSpeaker != .client {
            followMessages()
            for toxic in link.toxics where toxic.scope == .request || toxic.toxic.isOnFrames {
                installOnMessages(toxic, replacing: false)
            }
        }
        lastSpeaker = side
        let now = loop.now
        if let conversation {
            pass(conversation.push(chunk, on: side.stream, at: now))
        } else {
            deliver(withFlow(side) { $0.chain.push(chunk, at: now) }, from: side)
        }
        arm()
    }

    fileprivate func readCompleted(_ side: Side) {
        withFlow(side) { $0.isReading = false }
        if isSevered { channel(side)?.read() } else { pump(side) }
    }

    fileprivate func ended(_ side: Side, _ end: StreamEnd) {
        guard !isReset, !isSevered, withFlow(side, { $0.end }) == nil else { return }
        if hasLostServer, side == .server { return }
        let now = loop.now
        withFlow(side) { $0.end = end }
        if let conversation {
            pass(conversation.close(end, on: side.stream, at: now))
        } else {
            deliver(withFlow(side) { $0.chain.close(end, at: now) }, from: side)
        }
        arm()
    }

    fileprivate func closed(_ side: Side) {
        closedSides.append(side)
        if hasLostServer { return closedWithoutServer(side) }
        if !isSevered { endMissed(side) }
        if closedSides.count == 2 || server == nil && (isReset || isSevered) { finish() }
    }

    /// A side has closed; what its end was is told to the other if it was not yet.
    private func endMissed(_ side: Side) {
        switch withFlow(side, { $0.end }) {
        // NIO tells the end of the input of a channel whose output is closed already by closing it.
        case nil where withFlow(side.other, { $0.hasFinished }): ended(side, .finished)
        // Closed without having said so: killed.
        case nil: ended(side, .reset)
        // Closed after its end, while the other still has something to say: nobody listens to that one any more.
        case .finished? where withFlow(side.other, { $0.end }) == nil: abortSide(side.other)
        case .finished?, .reset?, .severed?, .lost?: break
        }
    }

    private func closedWithoutServer(_ side: Side) {
        guard side == .client else { return }
        // Nobody is left who could be told anything.
        isReset = true
        finish()
    }

    private func finish() {
        timer?.task.cancel()
        link.closed(self)
    }

    /// Reads from one side when the other side takes more.
    fileprivate func pump(_ side: Side) {
        // A read that is asked for before the channel is active would never be answered.
        guard !isReset, !isSevered, let source = channel(side), source.isActive else { return }
        // Who talks to nobody is listened to, so that its end is noticed.
        guard hasLostServer || channel(side.other)?.isWritable == true else { return }
        let held = conversation?.heldBytes(side.stream) ?? 0
        let reads = withFlow(side) { flow in
            guard !flow.isReading, flow.end == nil, held + flow.chain.heldBytes < Self.heldBytesLimit else {
                return false
            }
            flow.isReading = true
            return true
        }
        if reads { source.read() }
    }

    // MARK: Passing on

    /// What the conversation lets pass goes through the faults on bytes.
    private func pass(_ output: Conversation.Output?) {
        guard let output else { return }
        for side in [Side.client, .server] where !output[side.stream].isEmpty {
            let passed = withFlow(side) { flow in
                output[side.stream].flatMap { flow.chain.take($0, at: loop.now) }
            }
            deliver(passed, from: side)
        }
    }

    private func channel(_ side: Side) -> (any Channel)? { side == .client ? client : server }

    @discardableResult
    private func withFlow<T>(_ side: Side, _ body: (inout Flow) -> T) -> T {
        side == .client ? body(&up) : body(&down)
    }

    private func deliver(_ deliveries: [Delivery], from side: Side) {
        guard !deliveries.isEmpty, !isReset, !isSevered else { return }
        guard let sink = channel(side.other) else { return keep(deliveries, from: side) }
        for delivery in deliveries {
            switch delivery {
            case .bytes(let chunk):
                if hasLostServer { continue }
                link.countSent(chunk.readableBytes, from: side)
                // Each leaves by itself: where a fault has cut the receiver shall see it.
                sink.writeAndFlush(chunk, promise: nil)
            case .end(.finished):
                withFlow(side) { $0.hasFinished = true }
                sink.close(mode: .output, promise: nil)
            case .end(.reset): return reset()
            case .end(.severed): return sever()
            case .end(.lost): loseServer()
            }
        }
    }

    /// There is no server yet. Bytes wait for it, but what ends the connection before a byte was said does so at once.
    private func keep(_ deliveries: [Delivery], from side: Side) {
        if hasLostServer {
            if deliveries.contains(.end(.reset)) { reset() }
            return
        }
        let waits = withFlow(side) { flow in
            flow.early += deliveries
            return flow.early.contains { if case .bytes = $0 { true } else { false } }
        }
        guard !waits else { return }
        switch deliveries.last {
        case .end(.reset): reset()
        case .end(.severed): sever()
        case .end(.lost): loseServer()
        default: break
        }
    }

    private func loseServer() {
        hasLostServer = true
        abortSide(.server)
        pump(.client)
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
        let deadlines = [up.chain.nextDeadline, down.chain.nextDeadline, conversation?.nextDeadline]
        guard !isReset, !isSevered, let next = deadlines.compactMap({ $0 }).min() else { return }
        if let timer, timer.deadline <= next { return }
        timer?.task.cancel()
        let connection = NIOLoopBound(self, eventLoop: loop)
        timer = (loop.scheduleTask(deadline: next) { connection.value.due() }, next)
    }

    private func due() {
        timer = nil
        guard !isReset else { return }
        for side in [Side.client, .server] {
            let now = loop.now
            // What the chain holds came before what the messages let go.
            deliver(withFlow(side) { $0.chain.advance(to: now) }, from: side)
            pass(conversation?.advance(side.stream, to: now))
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

    func channelActive(context: ChannelHandlerContext) { connection.pump(side) }

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

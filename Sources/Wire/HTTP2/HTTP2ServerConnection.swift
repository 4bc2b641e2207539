// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import NIOHTTP2

/// The server's side of one HTTP/2 connection: its streams, its idle time, its limits and its orderly end. What a
/// stream says is the business of whoever serves it.
package final class HTTP2ServerConnection: ChannelInboundHandler {
    package typealias InboundIn = HTTP2Frame

    private let limits: HTTP2Limits
    private let timeouts: ServerTimeouts
    private let streamsPerConnection: Int
    private let serve: (any Channel) throws -> Void
    private let closed: (HTTP2ServerConnection) -> Void
    private var context: ChannelHandlerContext?
    private var deadline: Deadline?
    private var openStreams = 0
    /// The streams that count for the limit, as the frames so far have left them: a stream that has ended makes room
    /// for one in the same read, before its channel has closed.
    private var activeStreams: Set<HTTP2StreamID> = []
    private var streamCount = 0
    private var lastStream = HTTP2StreamID.rootStream
    /// Streams refused since the beginning of the time that they are counted in.
    private var refusals = 0
    private var refusalsBegan = NIODeadline.uptimeNanoseconds(0)
    private var isDraining = false
    private var isLingering = false
    private var dropsInput = false

    private init(
        limits: HTTP2Limits, timeouts: ServerTimeouts, streamsPerConnection: Int,
        serve: @escaping (any Channel) throws -> Void, closed: @escaping (HTTP2ServerConnection) -> Void
    ) {
        self.limits = limits
        self.timeouts = timeouts
        self.streamsPerConnection = streamsPerConnection
        self.serve = serve
        self.closed = closed
    }

    /// Serves a connection from its first byte, which is that of the client's preface.
    ///
    /// - Parameters:
    ///   - channel: open; called on its loop. What speaks TLS stands in its pipeline already.
    ///   - headBytes: longest head that is decoded; see `HTTP2Limits`.
    ///   - streamsPerConnection: after as many the connection ends in an orderly way (nginx `keepalive_requests`).
    ///   - serve: adds a `ServerConnection` to a stream's pipeline, made for a stream.
    ///   - closed: the connection has gone; comes once.
    @discardableResult
    package static func install(
        on channel: any Channel, limits: HTTP2Limits, headBytes: Int, timeouts: ServerTimeouts,
        streamsPerConnection: Int = 10_000, serve: @escaping (any Channel) throws -> Void,
        closed: @escaping (HTTP2ServerConnection) -> Void
    ) throws -> HTTP2ServerConnection {
        let connection = HTTP2ServerConnection(
            limits: limits, timeouts: timeouts, streamsPerConnection: streamsPerConnection, serve: serve,
            closed: closed)
        let bound = NIOLoopBound(connection, eventLoop: channel.eventLoop)
        var configuration = limits.connectionConfiguration(headBytes: headBytes)
        let settings = configuration.initialSettings.filter { $0.parameter != .maxConcurrentStreams }
        configuration.initialSettings = [StreamLimit.none]
        let frames = NIOHTTP2Handler(
            mode: .server, eventLoop: channel.eventLoop, connectionConfiguration: configuration,
            streamConfiguration: limits.streamConfiguration, streamDelegate: StreamEnds(connection: bound)
        ) { stream in
            stream.eventLoop.makeCompletedFuture { try bound.value.accept(stream) }
        }
        try channel.pipeline.syncOperations.addHandlers([
            StreamLimit(limits.concurrentStreams), frames, connection,
        ])
        connection.send(.settings(.settings([StreamLimit.none] + settings)))
        return connection
    }

    // MARK: Streams

    private func accept(_ stream: any Channel) throws {
        openStreams += 1
        streamCount += 1
        let id = try stream.syncOptions?.getOption(HTTP2StreamChannelOptions.streamID) ?? lastStream
        lastStream = id
        activeStreams.insert(id)
        deadline?.clear()
        let bound = NIOLoopBound(self, eventLoop: stream.eventLoop)
        stream.closeFuture.whenComplete { _ in bound.value.streamClosed(id) }
        if activeStreams.count > limits.concurrentStreams { return try refuse(stream) }
        try stream.pipeline.syncOperations.addHandler(HTTP2ServerStream())
        try serve(stream)
        if streamCount >= streamsPerConnection { drain() }
    }

    /// RFC 9113 section 5.1.2: a stream too many is an error of that stream. Who goes on all the same is a flood.
    private func refuse(_ stream: any Channel) throws {
        try stream.pipeline.syncOperations.addHandler(StreamRefusal())
        let now = stream.eventLoop.now
        if refusals == 0 || now - refusalsBegan > limits.window { (refusals, refusalsBegan) = (0, now) }
        refusals += 1
        guard refusals > limits.resets, !isLingering else { return }
        goAway(.enhanceYourCalm)
        linger()
    }

    fileprivate func streamEnded(_ id: HTTP2StreamID) {
        activeStreams.remove(id)
        if isDraining, activeStreams.isEmpty { dropInput() }
    }

    private func streamClosed(_ id: HTTP2StreamID) {
        streamEnded(id)
        openStreams -= 1
        guard openStreams == 0 else { return }
        if isDraining { closeSoon() } else { deadline?.set(timeouts.idle) }
    }

    // MARK: The end

    /// Takes no more streams and closes with the last one that is open.
    package func drain() {
        guard !isDraining, !isLingering, context != nil else { return }
        isDraining = true
        goAway(.noError)
        if activeStreams.isEmpty { dropInput() }
        if openStreams == 0 { closeSoon() }
    }

    private func goAway(_ code: HTTP2ErrorCode) {
        send(.goAway(lastStreamID: lastStream, errorCode: code, opaqueData: nil))
    }

    /// A frame of the connection itself.
    private func send(_ payload: HTTP2Frame.FramePayload) {
        context?.writeAndFlush(NIOAny(HTTP2Frame(streamID: .rootStream, payload: payload)), promise: nil)
    }

    /// Closes at once, whatever is under way.
    package func close() { context?.close(promise: nil) }

    /// The frames that ended the last stream are written, but not flushed, in this very tick.
    private func closeSoon() {
        guard let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { if bound.value.openStreams == 0 { bound.value.linger() } }
    }

    /// Ends our side and drops what still comes for a moment, so that the client reads the last frames before it sees
    /// a reset. Not before the next tick: who is in the middle of writing flushes first.
    private func linger() {
        guard !isLingering, let context else { return }
        isLingering = true
        deadline?.set(timeouts.linger)
        dropInput()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { bound.value.context?.close(mode: .output, promise: nil) }
    }

    /// Nothing of the client matters any more; NIOHTTP2 would take its frames for mistakes once all streams have ended
    /// behind a GOAWAY.
    private func dropInput() {
        guard !dropsInput, let pipeline = context?.pipeline.syncOperations,
            let frames = try? pipeline.handler(type: NIOHTTP2Handler.self)
        else { return }
        dropsInput = (try? pipeline.addHandler(Dropping(), position: .before(frames))) != nil
    }

    private func overdue() {
        if isLingering {
            close()
        } else if openStreams == 0 {
            drain()
        }
    }

    // MARK: Channel events

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let deadline = Deadline(on: context.eventLoop) { [unowned self] in overdue() }
        self.deadline = deadline
        deadline.set(timeouts.idle)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        guard self.context != nil else { return }
        deadline?.cancel()
        deadline = nil
        self.context = nil
        closed(self)
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // HTTP/2 has no half-closed connections: a client that ends its side has gone.
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Behind our GOAWAY the end of the last stream makes NIOHTTP2 want to open the connection's window, which it
        // then takes for a mistake. The frames that end that stream are not flushed yet.
        if isDraining, error is NIOHTTP2Errors.IOOnClosedConnection { return }
        // NIOHTTP2 has sent GOAWAY with the reason before it tells.
        if !HTTP2Limits.isOfOneStream(error) { linger() }
    }
}

/// Hears of the end of a stream with the frame that ends it.
private struct StreamEnds: NIOHTTP2StreamDelegate {
    let connection: NIOLoopBound<HTTP2ServerConnection>

    func streamCreated(_ id: HTTP2StreamID, channel: any Channel) {}
    func streamClosed(_ id: HTTP2StreamID, channel: any Channel) { connection.value.streamEnded(id) }
}

/// Answers a stream that is one too many, which the client may try again (RFC 9113 section 8.7).
private final class StreamRefusal: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private var hasRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasRefused else { return }
        hasRefused = true
        context.writeAndFlush(wrapOutboundOut(.rstStream(.refusedStream)), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

/// Stands before the frame decoder when nothing of the client matters any more.
private final class Dropping: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
}

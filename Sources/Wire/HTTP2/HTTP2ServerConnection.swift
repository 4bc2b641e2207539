// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import NIOHTTP2

/// The server's side of one HTTP/2 connection: its streams, its idle time, its limits and its orderly end. What a
/// stream says is the business of whoever serves it.
package final class HTTP2ServerConnection: ChannelInboundHandler {
    package typealias InboundIn = HTTP2Frame

    private let timeouts: ServerTimeouts
    private let streamsPerConnection: Int
    private let serve: (any Channel) throws -> Void
    private let closed: (HTTP2ServerConnection) -> Void
    private var context: ChannelHandlerContext?
    private var deadline: Deadline?
    private var openStreams = 0
    private var streamCount = 0
    private var lastStream = HTTP2StreamID.rootStream
    private var isDraining = false
    private var isLingering = false

    private init(
        timeouts: ServerTimeouts, streamsPerConnection: Int, serve: @escaping (any Channel) throws -> Void,
        closed: @escaping (HTTP2ServerConnection) -> Void
    ) {
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
            timeouts: timeouts, streamsPerConnection: streamsPerConnection, serve: serve, closed: closed)
        let bound = NIOLoopBound(connection, eventLoop: channel.eventLoop)
        let frames = NIOHTTP2Handler(
            mode: .server, eventLoop: channel.eventLoop,
            connectionConfiguration: limits.connectionConfiguration(headBytes: headBytes),
            streamConfiguration: limits.streamConfiguration
        ) { stream in
            stream.eventLoop.makeCompletedFuture { try bound.value.accept(stream) }
        }
        try channel.pipeline.syncOperations.addHandlers([frames, connection])
        return connection
    }

    // MARK: Streams

    private func accept(_ stream: any Channel) throws {
        openStreams += 1
        streamCount += 1
        if let id = try stream.syncOptions?.getOption(HTTP2StreamChannelOptions.streamID) { lastStream = id }
        deadline?.clear()
        try stream.pipeline.syncOperations.addHandler(HTTP2ServerStream())
        try serve(stream)
        let bound = NIOLoopBound(self, eventLoop: stream.eventLoop)
        stream.closeFuture.whenComplete { _ in bound.value.streamClosed() }
        if streamCount >= streamsPerConnection { drain() }
    }

    private func streamClosed() {
        openStreams -= 1
        guard openStreams == 0 else { return }
        if isDraining { closeSoon() } else { deadline?.set(timeouts.idle) }
    }

    // MARK: The end

    /// Takes no more streams and closes with the last one that is open.
    package func drain() {
        guard !isDraining, !isLingering, let context else { return }
        isDraining = true
        goAway(context)
        if openStreams == 0 { closeSoon() }
    }

    private func goAway(_ context: ChannelHandlerContext) {
        let frame = HTTP2Frame(
            streamID: .rootStream, payload: .goAway(lastStreamID: lastStream, errorCode: .noError, opaqueData: nil))
        context.writeAndFlush(NIOAny(frame), promise: nil)
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
    /// a reset.
    private func linger() {
        guard !isLingering, let context else { return }
        isLingering = true
        deadline?.set(timeouts.linger)
        let pipeline = context.pipeline.syncOperations
        if let frames = try? pipeline.handler(type: NIOHTTP2Handler.self) {
            try? pipeline.addHandler(Dropping(), position: .before(frames))
        }
        context.close(mode: .output, promise: nil)
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
        // NIOHTTP2 has sent GOAWAY with the reason before it tells.
        if !HTTP2Limits.isOfOneStream(error) { linger() }
    }
}

/// Stands before the frame decoder when nothing of the client matters any more.
private final class Dropping: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
}

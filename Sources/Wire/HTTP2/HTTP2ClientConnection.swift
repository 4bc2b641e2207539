// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import NIOHTTP2

/// The client's side of one HTTP/2 connection: exchanges on it are streams, each spoken by a `ClientConnection` of its
/// own. Confined to its event loop.
package final class HTTP2ClientConnection: ChannelInboundHandler {
    package typealias InboundIn = HTTP2Frame

    /// Called once when the connection takes no more streams: it closes, or is about to.
    package var onEnd: ((HTTP2ClientConnection) -> Void)?

    private let loop: any EventLoop
    private let scheme: String
    private let wireLimits: WireLimits
    private let idleTimeout: TimeAmount
    private var frames: NIOHTTP2Handler?
    private var context: ChannelHandlerContext?
    private var deadline: Deadline?
    /// What the server allows, as far as is known. 100 is what RFC 9113 section 6.5.2 advises servers to allow at
    /// least.
    private var concurrentStreams = 100
    private var openStreams = 0
    /// Streams opened so far.
    package private(set) var streamCount = 0
    private var hasEnded = false
    /// The server has said GOAWAY.
    private var hasServerGone = false

    private init(on loop: any EventLoop, scheme: String, wireLimits: WireLimits, idleTimeout: TimeAmount) {
        self.loop = loop
        self.scheme = scheme
        self.wireLimits = wireLimits
        self.idleTimeout = idleTimeout
    }

    /// Adds what speaks HTTP/2 to a new connection, behind what speaks TLS.
    ///
    /// - Parameters:
    ///   - scheme: `http` or `https`.
    ///   - wireLimits: for the heads of responses.
    ///   - idleTimeout: without a stream for as long the connection closes.
    package static func install(
        on channel: any Channel, scheme: String, limits: HTTP2Limits, wireLimits: WireLimits, idleTimeout: TimeAmount
    ) throws -> HTTP2ClientConnection {
        let connection = HTTP2ClientConnection(
            on: channel.eventLoop, scheme: scheme, wireLimits: wireLimits, idleTimeout: idleTimeout)
        var configuration = limits.connectionConfiguration(headBytes: wireLimits.headBytes)
        configuration.initialSettings.append(HTTP2Setting(parameter: .enablePush, value: 0))
        let frames = NIOHTTP2Handler(
            mode: .client, eventLoop: channel.eventLoop, connectionConfiguration: configuration,
            streamConfiguration: limits.streamConfiguration
        ) { pushed in
            // Nobody asked for it, and the settings forbid it.
            pushed.close()
        }
        connection.frames = frames
        try channel.pipeline.syncOperations.addHandlers([frames, connection])
        return connection
    }

    /// Another exchange may begin here.
    package var hasRoom: Bool {
        !hasEnded && openStreams < concurrentStreams && context?.channel.isActive == true
    }

    /// Opens a stream; nothing is sent before the exchange is.
    ///
    /// - Returns: on the loop; fails when there is no room, or the connection ends meanwhile.
    package func openStream() -> EventLoopFuture<NIOLoopBound<ClientConnection>> {
        guard let context, let frames, hasRoom else { return loop.makeFailedFuture(ChannelError.ioOnClosedChannel) }
        context.eventLoop.assertInEventLoop()
        let connection = NIOLoopBound(ClientConnection(limits: wireLimits), eventLoop: loop)
        let bound = NIOLoopBound(self, eventLoop: loop)
        let scheme = scheme
        openStreams += 1
        streamCount += 1
        deadline?.clear()
        let opened = loop.makePromise(of: (any Channel).self)
        do {
            try frames.syncMultiplexer().createStreamChannel(promise: opened) { stream in
                stream.eventLoop.makeCompletedFuture {
                    try stream.pipeline.syncOperations.addHandlers([
                        HTTP2ClientStream(scheme: scheme) { !bound.value.hasServerGone }, connection.value,
                    ])
                }
            }
        } catch {
            opened.fail(error)
        }
        opened.futureResult.whenComplete { result in
            switch result {
            case .success(let stream): stream.closeFuture.whenComplete { _ in bound.value.streamClosed() }
            case .failure: bound.value.streamClosed()
            }
        }
        return opened.futureResult.map { _ in connection }
    }

    private func streamClosed() {
        openStreams -= 1
        guard openStreams == 0 else { return }
        if hasEnded { close() } else { deadline?.set(idleTimeout) }
    }

    /// Takes no more streams and closes with the last one that is open.
    package func end() {
        guard !hasEnded else { return }
        hasEnded = true
        let onEnd = onEnd
        self.onEnd = nil
        onEnd?(self)
        if openStreams == 0 { close() }
    }

    /// Closes in the next tick: the frames that ended the last stream may not be flushed yet.
    private func close() {
        guard let context else { return }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.eventLoop.execute { bound.value.close(promise: nil) }
    }

    // MARK: Channel events

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let deadline = Deadline(on: context.eventLoop) { [unowned self] in end() }
        self.deadline = deadline
        deadline.set(idleTimeout)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
        self.context = nil
        frames = nil
        end()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data).payload {
        case .goAway:
            hasServerGone = true
            end()
        case .settings(.settings(let settings)):
            for setting in settings where setting.parameter == .maxConcurrentStreams {
                concurrentStreams = setting.value
            }
        default: break
        }
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !HTTP2Limits.isOfOneStream(error) else { return }
        end()
        context.close(promise: nil)
    }
}

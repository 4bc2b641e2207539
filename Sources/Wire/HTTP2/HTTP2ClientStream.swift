// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHPACK
import NIOHTTP2

/// Lets a `ClientConnection` speak on one HTTP/2 stream: the bytes of its HTTP/1.1 request become frames, the frames of
/// the response become bytes. A stream carries one exchange, so every response says that its connection closes.
final class HTTP2ClientStream: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTP2Frame.FramePayload

    private var request: MessageFrames
    private var body: HTTP1BodyBytes?
    private var hasResponseEnded = false
    /// The last frame of the request has left.
    private var hasRequestLeft = false
    private var isClosed = false
    private let mayBegin: () -> Bool
    private var hasBegun = false
    private var isRefused = false

    /// - Parameters:
    ///   - scheme: `http` or `https`.
    ///   - mayBegin: asked before the first frame: after GOAWAY no stream may begin (RFC 9113 section 6.8). NIOHTTP2
    ///     takes such a frame for an error of the connection, whose other streams have nothing to do with it.
    init(scheme: String, mayBegin: @escaping () -> Bool) {
        request = MessageFrames(.request(scheme: scheme))
        self.mayBegin = mayBegin
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if !hasBegun {
            hasBegun = true
            isRefused = !mayBegin()
            if isRefused { refuse(context) }
        }
        guard !isRefused else { return promise?.succeed() ?? () }
        request.add(unwrapOutboundIn(data))
        while let frame = request.next() {
            guard request.hasEnded else {
                context.write(wrapOutboundOut(frame), promise: nil)
                continue
            }
            let left = context.eventLoop.makePromise(of: Void.self)
            let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
            left.futureResult.whenSuccess { bound.value.hasRequestLeft = true }
            context.write(wrapOutboundOut(frame), promise: left)
        }
        promise?.succeed()
        if request.isBroken { close(context: context, mode: .all, promise: nil) }
    }

    /// In the next tick: whoever sends is not told of a failure while it does.
    private func refuse(_ context: ChannelHandlerContext) {
        let stream = context.channel
        context.eventLoop.execute { stream.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame):
            guard body == nil else { return end(frame.headers, context) }
            let (bytes, isChunked) = HeaderBlock.response(frame.headers, hasBody: !frame.endStream)
            let isInterim = frame.headers.first(name: ":status")?.hasPrefix("1") == true
            if !isInterim {
                body = HTTP1BodyBytes(isChunked: isChunked)
                hasResponseEnded = frame.endStream
            }
            context.fireChannelRead(wrapInboundOut(bytes))
        case .data(let frame):
            guard case .byteBuffer(let bytes) = frame.data else { return }
            if bytes.readableBytes > 0 {
                if let prefix = body?.prefix(of: bytes.readableBytes) {
                    context.fireChannelRead(wrapInboundOut(prefix))
                }
                context.fireChannelRead(wrapInboundOut(bytes))
            }
            if frame.endStream { end(nil, context) }
        case .rstStream, .priority, .settings, .pushPromise, .ping, .goAway, .windowUpdate, .alternativeService,
            .origin:
            break
        }
    }

    private func end(_ trailers: HPACKHeaders?, _ context: ChannelHandlerContext) {
        hasResponseEnded = true
        if let bytes = body?.end(trailers) { context.fireChannelRead(wrapInboundOut(bytes)) }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // Both sides have ended: the stream closes by itself, and a reset would be taken for a client that gives up.
        if hasResponseEnded, hasRequestLeft {
            promise?.succeed()
            return
        }
        // Giving up before the end is CANCEL, which the channel itself sends; a stream that was never used has no
        // frames to send.
        if hasResponseEnded, !isClosed {
            isClosed = true
            context.writeAndFlush(wrapOutboundOut(.rstStream(.noError)), promise: nil)
        }
        context.close(mode: .all, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosed = true
        context.fireChannelInactive()
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHPACK
import NIOHTTP2

/// Lets a `ServerConnection` serve one HTTP/2 stream: frames become the bytes of an HTTP/1.1 request, the bytes of the
/// response become frames. Flow control is the channel's: who does not read does not open the window, and who is sent
/// more than the client takes becomes unwritable.
///
///     HEADERS, DATA …  ──►  GET / HTTP/1.1 … (chunks)  ──►  ServerConnection
///     HEADERS, DATA …  ◄──  HTTP/1.1 200 OK … (chunks)  ◄──
final class HTTP2ServerStream: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTP2Frame.FramePayload

    private var body: HTTP1BodyBytes?
    private var hasRequestEnded = false
    private var response = MessageFrames(.response(to: .get))
    /// The last frame of the response has left.
    private var hasResponseLeft = false
    private var isClosed = false
    private var closing: EventLoopPromise<Void>?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame):
            if body == nil { return begin(frame, context) }
            // A second header block is that of the trailers and ends the stream, or NIOHTTP2 had refused it.
            end(frame.headers, context)
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

    private func begin(_ frame: HTTP2Frame.FramePayload.Headers, _ context: ChannelHandlerContext) {
        let (bytes, isChunked) = HeaderBlock.request(frame.headers, hasBody: !frame.endStream)
        body = HTTP1BodyBytes(isChunked: isChunked)
        hasRequestEnded = frame.endStream
        if frame.headers.first(name: ":method") == "HEAD" { response = MessageFrames(.response(to: .head)) }
        context.fireChannelRead(wrapInboundOut(bytes))
    }

    private func end(_ trailers: HPACKHeaders?, _ context: ChannelHandlerContext) {
        hasRequestEnded = true
        if let bytes = body?.end(trailers) { context.fireChannelRead(wrapInboundOut(bytes)) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        response.add(unwrapOutboundIn(data))
        while let frame = response.next() {
            guard response.hasEnded else {
                context.write(wrapOutboundOut(frame), promise: nil)
                continue
            }
            let left = context.eventLoop.makePromise(of: Void.self)
            let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
            left.futureResult.whenSuccess { bound.value.handler.responseLeft(bound.value.context) }
            context.write(wrapOutboundOut(frame), promise: left)
        }
        promise?.succeed()
        if response.isBroken { abort(context, .internalError) }
    }

    /// Nothing of the request is wanted any more: its rest is called off (RFC 9113 section 8.1).
    private func responseLeft(_ context: ChannelHandlerContext) {
        hasResponseLeft = true
        if !hasRequestEnded { abort(context, .noError) }
        closing?.succeed()
        closing = nil
    }

    private func abort(_ context: ChannelHandlerContext, _ code: HTTP2ErrorCode) {
        guard !isClosed else { return }
        isClosed = true
        context.writeAndFlush(wrapOutboundOut(.rstStream(code)), promise: nil)
    }

    /// The stream closes by itself when both sides have ended. Before that, closing is giving up.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .output where response.hasEnded:
            context.flush()
            if hasResponseLeft || isClosed {
                promise?.succeed()
            } else if let closing {
                closing.futureResult.cascade(to: promise)
            } else {
                closing = promise
            }
        case .output, .input, .all:
            if !hasResponseLeft { abort(context, .internalError) }
            context.close(mode: .all, promise: promise)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosed = true
        closing?.succeed()
        closing = nil
        context.fireChannelInactive()
    }
}

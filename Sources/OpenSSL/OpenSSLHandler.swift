// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import NIOTLS

/// TLS by OpenSSL in a channel: bytes of the wire on one side, plain bytes on the other.
///
/// ```
/// socket ──channelRead──▶ session ──channelRead──▶ the rest of the pipeline
///        ◀───write─────── session ◀────write──────
/// ```
///
/// `TLSUserEvent.handshakeCompleted` is fired when the handshake is done; what was written before waits for it. An end
/// by close_notify is seen as `ChannelEvent.inputClosed`; one without it is an `OpenSSLError.truncated` first, because
/// it may be an attacker's. Closing the output, or everything, says close_notify. Reads that bring no plain bytes are
/// repeated, so that a reader who asked once gets once.
package final class OpenSSLHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private enum Input { case open, finished, ended }
    private enum Output { case open, closed, failed }

    private let session: OpenSSLSession
    private var input = Input.open
    private var output = Output.open
    private var waiting = MarkedCircularBuffer<(ByteBuffer, EventLoopPromise<Void>?)>(initialCapacity: 4)
    /// Closing the output, or all, was asked for before the handshake was done.
    private var closing: (mode: CloseMode, promise: EventLoopPromise<Void>?)?
    private var hasBegun = false
    private var isReadWanted = false
    private var hasDelivered = false

    package init(_ session: OpenSSLSession) { self.session = session }

    package convenience init(_ context: OpenSSLContext, serverName: String? = nil) throws(OpenSSLError) {
        self.init(try OpenSSLSession(context, serverName: serverName))
    }

    // MARK: Life

    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    package func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        begin(context)
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard !hasBegun else { return }
        hasBegun = true
        advance(context)
        context.flush()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        endInput(context)
        output = .failed
        failWaiting(OpenSSLError(.closed, "the connection was closed"))
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        output = .failed
        failWaiting(OpenSSLError(.closed, "TLS was taken off the connection"))
    }

    // MARK: In

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        session.receive(unwrapInboundIn(data))
        advance(context)
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
        if hasDelivered {
            (hasDelivered, isReadWanted) = (false, false)
            context.fireChannelReadComplete()
        } else if isReadWanted, input == .open {
            context.read()
        } else {
            context.fireChannelReadComplete()
        }
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event as? ChannelEvent == .inputClosed else { return context.fireUserInboundEventTriggered(event) }
        endInput(context)
    }

    /// Takes the session as far as what has arrived allows.
    private func advance(_ context: ChannelHandlerContext) {
        guard output != .failed, input == .open else { return }
        do throws(OpenSSLError) {
            if !session.isEstablished {
                let isDone = try session.shakeHands()
                send(context)
                guard isDone else { return }
                context.fireUserInboundEventTriggered(
                    TLSUserEvent.handshakeCompleted(negotiatedProtocol: session.negotiatedProtocol))
                writeMarked(context)
                if let (mode, promise) = closing {
                    closing = nil
                    close(context: context, mode: mode, promise: promise)
                }
            }
            try readAll(context)
            send(context)
        } catch {
            fail(context, error)
        }
    }

    private func readAll(_ context: ChannelHandlerContext) throws(OpenSSLError) {
        while input == .open, output != .failed {
            var buffer = context.channel.allocator.buffer(capacity: 0)
            switch try session.read(into: &buffer) {
            case .nothing: return
            case .bytes:
                hasDelivered = true
                context.fireChannelRead(wrapInboundOut(buffer))
            case .finished:
                input = .finished
                context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            }
        }
    }

    /// The peer's socket has ended.
    private func endInput(_ context: ChannelHandlerContext) {
        guard input != .ended else { return }
        let wasOpen = input == .open
        input = .ended
        guard wasOpen, output != .failed else { return }
        if session.isEstablished {
            context.fireErrorCaught(
                OpenSSLError(.truncated, "the connection ended without a close_notify: what came may not be all"))
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        } else {
            fail(context, OpenSSLError(.handshake(alert: nil), "the connection ended within the TLS handshake"))
        }
    }

    /// Sends the alert that explains it, tells, and closes.
    private func fail(_ context: ChannelHandlerContext, _ error: OpenSSLError) {
        guard output != .failed else { return }
        send(context)
        context.flush()
        output = .failed
        failWaiting(error)
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    // MARK: Out

    package func read(context: ChannelHandlerContext) {
        isReadWanted = true
        context.read()
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard output == .open, closing == nil else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        waiting.append((unwrapOutboundIn(data), promise))
    }

    package func flush(context: ChannelHandlerContext) {
        waiting.mark()
        if session.isEstablished { writeMarked(context) }
        context.flush()
    }

    private func writeMarked(_ context: ChannelHandlerContext) {
        guard output == .open else { return }
        while waiting.hasMark, let (buffer, promise) = waiting.popFirst() {
            do throws(OpenSSLError) {
                try session.write(buffer)
            } catch {
                promise?.fail(error)
                return fail(context, error)
            }
            // What belongs to one write goes as one, so that its promise means what it says; an empty one too, for whom
            // it says that everything before it was written.
            let bytes = session.takeOutput(context.channel.allocator) ?? ByteBuffer()
            context.write(wrapOutboundOut(bytes), promise: promise)
        }
    }

    private func send(_ context: ChannelHandlerContext) {
        guard output != .failed, let bytes = session.takeOutput(context.channel.allocator) else { return }
        context.write(wrapOutboundOut(bytes), promise: nil)
        context.flush()
    }

    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .input: return context.close(mode: .input, promise: promise)
        case .output where output != .open:
            promise?.fail(ChannelError.outputClosed)
            return
        // What was written before the handshake is still to be sent; closing everything waits for nothing.
        case .output where !session.isEstablished && closing == nil:
            closing = (mode, promise)
            return
        case .output, .all: break
        }
        if output == .open, session.isEstablished {
            writeMarked(context)
            session.finish()
            send(context)
        }
        if output == .open { output = .closed }
        failWaiting(ChannelError.ioOnClosedChannel)
        if mode == .all { output = .failed }
        context.close(mode: mode, promise: promise)
    }

    private func failWaiting(_ error: any Error) {
        while let (_, promise) = waiting.popFirst() { promise?.fail(error) }
        if let (_, promise) = closing {
            closing = nil
            promise?.fail(error)
        }
    }
}

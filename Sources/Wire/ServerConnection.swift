// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The server's side of one HTTP/1.1 connection: bytes to requests, responses to bytes, one exchange after the other,
/// with back-pressure both ways. Knows nothing of what the requests mean; that is its delegate's business.
package final class ServerConnection: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private enum Reading { case head, body, ended, lingering, closed }
    private enum Writing { case idle, awaitingHead, body(BodyFraming), ended }

    /// A body part up to this size is copied behind what waits to be written: one copy is cheaper than one more vector.
    private static let coalescedBytes = 16 * 1024
    /// Bytes sent ahead of the current exchange that are kept; beyond, reading stops.
    private static let aheadBytes = 64 * 1024
    /// Bytes of an unread request body that are thrown away to keep the connection after an early response.
    private static let drainedBytes: Int64 = 64 * 1024

    private let delegate: any ServerDelegate
    private let limits: WireLimits
    private let timeouts: ServerTimeouts
    /// False: a client that closes its sending side while it waits for a response has gone, as for nginx.
    private let servesHalfClosed: Bool

    private var context: ChannelHandlerContext?
    private var deadline: Deadline?
    private var inbound = ByteBuffer()
    private var pending = ByteBuffer()
    private let head = RequestHead()
    private var decoder = BodyDecoder(.none, limits: WireLimits())
    private var reading = Reading.head
    private var writing = Writing.idle
    private var isProcessing = false
    private var isReadPaused = false
    private var hasHeldRead = false
    private var isInputClosed = false
    private var closesAfterExchange = false
    private var isDraining = false

    package init(
        delegate: any ServerDelegate, limits: WireLimits = WireLimits(), timeouts: ServerTimeouts = ServerTimeouts(),
        servesHalfClosed: Bool = true
    ) {
        self.delegate = delegate
        self.limits = limits
        self.timeouts = timeouts
        self.servesHalfClosed = servesHalfClosed
    }

    // MARK: What the delegate may ask and say

    /// The channel, while it is open.
    package var channel: (any Channel)? { context?.channel }
    package var eventLoop: (any EventLoop)? { context?.eventLoop }
    package var isWritable: Bool { context?.channel.isWritable ?? false }
    /// No exchange is under way.
    package var isIdle: Bool { if case .idle = writing { true } else { false } }

    /// Sends the head of the response. `framing` is that of the body as the delegate will send it; what the client's
    /// version and method ask for is done here (no chunks for HTTP/1.0, no body after HEAD).
    package func send(_ response: HeadWriter, framing: BodyFraming) {
        guard context != nil, case .awaitingHead = writing else { return }
        var framing = framing
        if reading == .body, decoder.remaining ?? .max > Self.drainedBytes { closesAfterExchange = true }
        if framing == .chunked || framing == .untilClose {
            framing = head.version == .http11 || head.method == .head ? .chunked : .untilClose
            if framing == .untilClose { closesAfterExchange = true }
        }
        pending = response.buffer
        writeFraming(framing, status: response.status)
        let isBodyless = response.status < 200 || response.status == 204 || response.status == 304
        let hasBody = head.method != .head && framing != .none && !isBodyless
        writing = .body(hasBody ? framing : .none)
    }

    private func writeFraming(_ framing: BodyFraming, status: Int) {
        switch framing {
        case .none where status == 204 || status == 304 || status < 200: break
        case .none: pending.writeStaticString("Content-Length: 0\r\n")
        // Of a body that is not sent nothing need be said (RFC 9110 section 9.3.2).
        case .chunked where head.method == .head: break
        case .length(let count):
            pending.writeStaticString("Content-Length: ")
            pending.writeDecimal(count)
            pending.writeStaticString("\r\n")
        case .chunked: pending.writeStaticString("Transfer-Encoding: chunked\r\n")
        case .untilClose: break
        }
        let closes = closesAfterExchange || isDraining
        pending.writeStaticString(closes ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n")
    }

    /// Sends a part of the body. It leaves with the next `flush` or `sendEnd`.
    package func send(body: ByteBuffer) {
        guard body.readableBytes > 0, case .body(let framing) = writing, framing != .none else { return }
        if framing == .chunked {
            pending.writeHexadecimal(body.readableBytes)
            pending.writeStaticString("\r\n")
        }
        if body.readableBytes <= Self.coalescedBytes {
            pending.writeImmutableBuffer(body)
        } else {
            writePending()
            context?.write(wrapOutboundOut(body), promise: nil)
        }
        if framing == .chunked { pending.writeStaticString("\r\n") }
    }

    /// Ends the response and sends all that waits.
    package func sendEnd(trailers: Trailers? = nil) {
        guard case .body(let framing) = writing else { return }
        if framing == .chunked {
            pending.writeStaticString("0\r\n")
            for (name, value) in trailers?.list ?? [] { pending.writeString("\(name): \(value)\r\n") }
            pending.writeStaticString("\r\n")
        }
        writing = .ended
        flush()
        finishExchange()
    }

    /// A whole response at once.
    package func respond(_ response: HeadWriter, body: ByteBuffer) {
        let isBodyless = response.status == 204 || response.status == 304
        send(response, framing: isBodyless || body.readableBytes == 0 ? .none : .length(Int64(body.readableBytes)))
        send(body: body)
        sendEnd()
    }

    /// Sends what `send` has gathered.
    package func flush() {
        writePending()
        context?.flush()
    }

    private func writePending() {
        guard pending.readableBytes > 0, let context else { return }
        let bytes = pending
        pending = ByteBuffer()
        context.write(wrapOutboundOut(bytes), promise: nil)
    }

    /// No more `received(body:)` until `resumeReading`.
    package func pauseReading() { isReadPaused = true }

    package func resumeReading() {
        guard isReadPaused else { return }
        isReadPaused = false
        process()
        releaseRead()
    }

    /// Closes at once; what was not written is lost.
    package func close() { context?.close(promise: nil) }

    /// Closes with a reset (RST) instead of an orderly end.
    package func reset() {
        guard let context else { return }
        (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            .whenComplete { _ in }
        context.close(promise: nil)
    }

    /// Serves the exchange under way to its end, then closes; an idle connection closes at once.
    package func drain() {
        isDraining = true
        if isIdle, inbound.readableBytes == 0 { close() }
    }

    // MARK: Reading

    private func process() {
        guard !isProcessing else { return }
        isProcessing = true
        while step() {}
        isProcessing = false
        delegate.readCompleted(on: self)
    }

    /// Takes one thing out of what was read; false when there is nothing (or it is not its turn).
    private func step() -> Bool {
        switch reading {
        case .ended, .closed: return false
        case .lingering:
            inbound.clear()
            return false
        case .head:
            guard inbound.readableBytes > 0, isIdle else { return false }
            switch head.read(from: &inbound, limits: limits) {
            case .needsMore: return false
            case .failed(let error):
                refuse(status: error.status, error)
                return false
            case .complete: beginExchange()
            }
        case .body:
            guard !isReadPaused else { return false }
            switch decoder.next(from: &inbound) {
            case .needsMore: return false
            case .failed(let error):
                refuse(status: error.status, error)
                return false
            case .data(let bytes):
                if !hasResponded { delegate.received(body: bytes, on: self) }
            case .end(let trailers):
                reading = .ended
                deadline?.clear()
                if !hasResponded { delegate.receivedEnd(trailers: trailers, on: self) }
                finishExchange()
            }
        }
        return true
    }

    /// The response is complete; what still comes of the request is dropped.
    private var hasResponded: Bool { if case .ended = writing { true } else { false } }

    private func beginExchange() {
        writing = .awaitingHead
        closesAfterExchange = !head.keepsAlive
        isReadPaused = false
        if head.framing == .none {
            deadline?.clear()
            reading = .ended
            delegate.received(head: head, on: self)
            if reading == .ended { delegate.receivedEnd(trailers: nil, on: self) }
            finishExchange()
            return
        }
        reading = .body
        decoder = BodyDecoder(head.framing, limits: limits)
        deadline?.set(timeouts.body)
        delegate.received(head: head, on: self)
        if head.expectsContinue, case .awaitingHead = writing, inbound.readableBytes == 0, let context {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
        }
    }

    /// Goes on to the next request when both sides of this one are complete.
    private func finishExchange() {
        guard case .ended = writing else { return }
        if reading == .body {
            if closesAfterExchange { return lingerBeforeClose() }
            // A short rest of the request is still to come; it is read and dropped, then the connection goes on.
            return
        }
        guard reading == .ended else { return }
        delegate.exchangeEnded(on: self)
        head.reset()
        writing = .idle
        if closesAfterExchange || isDraining || (isInputClosed && inbound.readableBytes == 0) {
            return lingerBeforeClose()
        }
        reading = .head
        if inbound.readableBytes > 0 {
            deadline?.set(timeouts.head)
            process()
        } else {
            deadline?.set(timeouts.idle)
        }
        releaseRead()
    }

    /// Answers bytes that are no request, and closes: where the next request begins is in doubt.
    private func refuse(status: Int, _ error: WireError?) {
        closesAfterExchange = true
        if case .idle = writing { writing = .awaitingHead }
        if case .awaitingHead = writing {
            let (response, body) = delegate.refusal(status: status, error: error, on: self)
            reading = .ended
            send(response, framing: body.readableBytes == 0 ? .none : .length(Int64(body.readableBytes)))
            send(body: body)
            writing = .ended
            flush()
            delegate.exchangeEnded(on: self)
            lingerBeforeClose()
        } else {
            close()
        }
    }

    /// Ends our side and drops what still comes, so that the client reads the response before it sees a reset.
    private func lingerBeforeClose() {
        guard let context, reading != .lingering else { return }
        reading = .lingering
        writing = .ended
        inbound.clear()
        let wroteAll = context.eventLoop.makePromise(of: Void.self)
        if isInputClosed {
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            wroteAll.futureResult.whenComplete { _ in bound.value.close(promise: nil) }
        }
        context.close(mode: .output, promise: wroteAll)
        deadline?.set(timeouts.linger)
        releaseRead()
    }

    private func overdue() {
        // Nothing is read because the delegate wants nothing now; the client is not to blame.
        if reading == .body, isReadPaused, isWritable {
            deadline?.set(timeouts.body)
            return
        }
        switch (reading, writing) {
        case (.head, .idle) where inbound.readableBytes > 0: refuse(status: 408, nil)
        case (.body, .awaitingHead): refuse(status: 408, nil)
        default: close()
        }
    }

    /// Reading is held back while the delegate asks for it, or while too much was sent ahead of its turn.
    private var isReadHeld: Bool {
        isReadPaused || (reading == .ended && inbound.readableBytes > Self.aheadBytes)
    }

    private func releaseRead() {
        guard hasHeldRead, !isReadHeld, let context else { return }
        hasHeldRead = false
        context.read()
    }

    // MARK: Channel events

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let deadline = Deadline(on: context.eventLoop) { [unowned self] in overdue() }
        self.deadline = deadline
        deadline.set(timeouts.idle)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
        self.context = nil
        // A connection that was accepted while its listener closed never becomes active, so never inactive either.
        end()
    }

    private func end() {
        guard reading != .closed else { return }
        reading = .closed
        writing = .ended
        delegate.closed(on: self)
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if reading == .lingering || reading == .closed { return }
        if inbound.readableBytes == 0 {
            inbound = bytes
            if reading == .head { deadline?.set(timeouts.head) }
        } else {
            inbound.writeBuffer(&bytes)
        }
        if reading == .body { deadline?.set(timeouts.body) }
        process()
        // Only what waits for its turn is kept; an empty buffer would keep the memory of the last read alive.
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
    }

    package func read(context: ChannelHandlerContext) {
        if isReadHeld {
            hasHeldRead = true
        } else {
            context.read()
        }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if !context.channel.isWritable {
            deadline?.set(timeouts.send)
        } else {
            switch reading {
            case .head: deadline?.set(inbound.readableBytes > 0 ? timeouts.head : timeouts.idle)
            case .body: deadline?.set(timeouts.body)
            case .lingering: deadline?.set(timeouts.linger)
            case .ended, .closed: deadline?.clear()
            }
        }
        delegate.writabilityChanged(on: self)
        context.fireChannelWritabilityChanged()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed? = event as? ChannelEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        isInputClosed = true
        switch reading {
        case .ended:
            closesAfterExchange = true
            if !servesHalfClosed { context.close(promise: nil) }
        case .head, .body, .lingering, .closed: context.close(promise: nil)
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

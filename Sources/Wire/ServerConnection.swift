// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import World

/// The server's side of one HTTP/1.1 connection: bytes to requests, responses to bytes, one exchange after the other,
/// with back-pressure both ways. Knows nothing of what the requests mean; that is its delegate's business.
package final class ServerConnection: ChannelDuplexHandler, DirectReceiver {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    enum Reading { case head, body, ended, lingering, closed }
    enum Writing { case idle, awaitingHead, body, ended }

    /// Bytes sent ahead of the current exchange that are kept; beyond, reading stops.
    private static let aheadBytes = 64 * 1024
    /// Bytes of an unread request body that are thrown away to keep the connection after an early response.
    private static let drainedBytes: Int64 = 64 * 1024

    let delegate: any ServerDelegate
    let limits: WireLimits
    let timeouts: ServerTimeouts
    /// False: a client that closes its sending side while it waits for a response has gone, as for nginx.
    private let servesHalfClosed: Bool
    /// The channel is a stream of a connection: it cannot say how many of its bytes wait.
    let isStream: Bool

    var context: ChannelHandlerContext?
    /// That of the context, which would have to ask its pipeline.
    private var ownChannel: (any Channel)?
    private var ownLoop: (any EventLoop)?
    /// This is the channel's one handler, and stays it.
    private let isAlone: Bool
    /// The channel, when it can be used without its pipeline.
    private var direct: (any DirectChannel)?
    var deadline: Deadline?
    /// Runs while responses wait for a slow client; made when there is the first one.
    var sendDeadline: Deadline?
    var bytesWaiting = 0
    var inbound = ByteBuffer()
    var outbound: BodyWriter
    let head = RequestHead()
    var decoder = BodyDecoder(.none, limits: WireLimits())
    var reading = Reading.head
    var writing = Writing.idle
    private var isProcessing = false
    private var isReadPaused = false
    private var hasHeldRead = false
    var isInputClosed = false
    var isOutputClosed = false
    var closesAfterExchange = false
    private var isDraining = false
    /// HTTP has ended on this connection: bytes pass as they are.
    package internal(set) var isTunnel = false
    /// Requests so far.
    private var requestCount = 0
    /// The client waits for 100 (Continue) before it sends the body, as far as is known.
    private var owesContinue = false

    package init(
        delegate: any ServerDelegate, limits: WireLimits = WireLimits(), timeouts: ServerTimeouts = ServerTimeouts(),
        servesHalfClosed: Bool = true, memory: OutboundMemory = OutboundMemory(), isStream: Bool = false,
        isAlone: Bool = false
    ) {
        outbound = BodyWriter(memory)
        self.delegate = delegate
        self.limits = limits
        self.timeouts = timeouts
        self.servesHalfClosed = servesHalfClosed
        self.isStream = isStream
        self.isAlone = isAlone
    }

    // MARK: What the delegate may ask and say

    /// The channel, while it is open.
    package var channel: (any Channel)? { ownChannel }
    package var eventLoop: (any EventLoop)? { context?.eventLoop }
    package private(set) var isWritable = false
    /// When what came last arrived, or when the last exchange ended if that was later.
    package private(set) var now = NIODeadline.uptimeNanoseconds(0)
    /// Bytes of the response under way, or of the one before, that were given to the channel; the head is among them.
    package private(set) var bytesSent = 0
    /// No exchange is under way.
    package var isIdle: Bool { writing == .idle }

    /// Sends the head of the response. `framing` is that of the body as the delegate will send it; what the client's
    /// version and method ask for is done here (no chunks for HTTP/1.0, no body after HEAD, 204 and 304).
    package func send(_ response: HeadWriter, framing: BodyFraming) {
        send(status: response.status, framing: framing, atMost: response.buffer.readableBytes) {
            $0.write(response.buffer)
        }
    }

    /// As `send(_:framing:)`, of a head that is written straight into what goes out.
    ///
    /// - Parameters:
    ///   - count: no less than `write` writes.
    ///   - write: start line and fields, without Content-Length, Transfer-Encoding, Connection and the empty line.
    package func send(
        status: Int, framing: BodyFraming, atMost count: Int, _ write: (inout ByteCursor) -> Void
    ) {
        guard context != nil, writing == .awaitingHead else { return }
        var framing = framing
        if framing == .chunked || framing == .untilClose {
            framing = head.version == .http11 || head.method == .head ? .chunked : .untilClose
            if framing == .untilClose { closesAfterExchange = true }
        }
        // Who was never told to continue may send the body or may not.
        if reading == .body, owesContinue { closesAfterExchange = true }
        let isBodyless = status == 204 || status == 304 || status < 200
        outbound.begin(
            atMost: count + Self.longestFraming, framing: isBodyless || head.method == .head ? .none : framing
        ) { cursor in
            write(&cursor)
            writeFraming(framing, status: status, to: &cursor)
        }
        writing = .body
    }

    /// `Content-Length`, 20 digits and `Connection: keep-alive` with their line ends take 62 bytes.
    private static let longestFraming = 96

    private func writeFraming(_ framing: BodyFraming, status: Int, to bytes: inout ByteCursor) {
        switch framing {
        // RFC 9110 section 8.6: never in a 204 or 1xx; in a 304 it is the length that a 200 would have.
        case .none where status == 304: break
        case _ where status == 204 || status < 200: break
        case .none: bytes.write("Content-Length: 0\r\n")
        // Of a body that is not sent nothing need be said (RFC 9110 section 9.3.2).
        case .chunked where head.method == .head: break
        case .length(let count):
            bytes.write("Content-Length: ")
            bytes.writeDecimal(Int(count))
            bytes.write("\r\n")
        case .chunked: bytes.write("Transfer-Encoding: chunked\r\n")
        case .untilClose: break
        }
        let closes = closesAfterExchange || isDraining || (isInputClosed && inbound.readableBytes == 0)
        if closes {
            bytes.write("Connection: close\r\n\r\n")
        } else {
            bytes.write("Connection: keep-alive\r\n\r\n")
        }
    }

    /// Sends a part of the body. It leaves with the next `flush` or `sendEnd`.
    package func send(body: ByteBuffer) {
        guard writing == .body, let (waiting, part) = outbound.add(body) else { return }
        bytesSent += waiting.readableBytes + part.readableBytes
        context?.write(wrapOutboundOut(waiting), promise: nil)
        context?.write(wrapOutboundOut(part), promise: nil)
    }

    /// Ends the response and sends all that waits. When it is not of the length that its head gave, the connection
    /// closes, so that the client sees it.
    package func sendEnd(trailers: Trailers? = nil) {
        guard writing == .body else { return }
        outbound.end(trailers)
        closeOverLongRest()
        writing = .ended
        flush()
        if isTunnel { return endTunnelOutput() }
        finishExchange()
    }

    /// A whole response at once.
    package func respond(_ response: HeadWriter, body: ByteBuffer) {
        closeOverLongRest()
        let isBodyless = response.status == 204 || response.status == 304
        send(response, framing: isBodyless || body.readableBytes == 0 ? .none : .length(Int64(body.readableBytes)))
        send(body: body)
        sendEnd()
    }

    /// What is still to come of a request whose response is complete is read and dropped only when it is short.
    private func closeOverLongRest() {
        if reading == .body, decoder.remaining ?? .max > Self.drainedBytes { closesAfterExchange = true }
    }

    /// Sends what `send` has gathered.
    package func flush() {
        guard outbound.pending.readableBytes > 0 else { return context?.flush() ?? () }
        let bytes = outbound.takePending()
        bytesSent += bytes.readableBytes
        if let direct {
            direct.send(bytes)
        } else if let context {
            context.write(wrapOutboundOut(bytes), promise: nil)
            context.flush()
        }
        outbound.wrote(bytes)
    }

    /// No more `received(body:)` until `resumeReading`, nor does the time for the body run: the client cannot help it.
    package func pauseReading() {
        isReadPaused = true
        if reading == .body { deadline?.clear() }
    }

    package func resumeReading() {
        guard isReadPaused else { return }
        isReadPaused = false
        if reading == .body, !isTunnel { deadline?.set(timeouts.body) }
        process()
        releaseRead()
    }

    /// Closes at once; what was not written is lost. Nothing but `closed` is called after it.
    package func close() {
        abandon()
        context?.close(promise: nil)
    }

    /// Serves the exchange under way to its end, then closes; an idle connection closes at once.
    package func drain() {
        isDraining = true
        if isIdle, inbound.readableBytes == 0 { lingerBeforeClose() }
    }

    // MARK: Reading

    func process() {
        guard !isProcessing else { return }
        isProcessing = true
        while step() {}
        isProcessing = false
        delegate.readCompleted(on: self)
        // The client has closed its side: what is not a whole request by now never will be.
        if isInputClosed, reading == .head { lingerBeforeClose() }
    }

    /// Takes one thing out of what was read; false when there is nothing (or it is not its turn).
    private func step() -> Bool {
        switch reading {
        case .ended, .lingering, .closed: return false
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
            case .needsMore:
                if isTunnel, isInputClosed { endTunnelInput() }
                return false
            case .failed(let error):
                refuse(status: error.status, error)
                return false
            // What comes after the response is complete is dropped.
            case .data(let bytes):
                if writing != .ended || isTunnel { delegate.received(body: bytes, on: self) }
            case .end(let trailers):
                reading = .ended
                deadline?.clear()
                if writing != .ended { delegate.receivedEnd(trailers: trailers, on: self) }
                finishExchange()
            }
        }
        return true
    }

    private func beginExchange() {
        writing = .awaitingHead
        bytesSent = 0
        requestCount += 1
        closesAfterExchange = !head.keepsAlive || requestCount >= limits.requestsPerConnection
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
        owesContinue = head.expectsContinue && inbound.readableBytes == 0
        delegate.received(head: head, on: self)
        if owesContinue, reading == .body, writing == .awaitingHead, let context {
            owesContinue = false
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
        }
    }

    /// Goes on to the next request when both sides of this one are complete.
    func finishExchange() {
        guard isResponseComplete else { return }
        if outbound.isBroken { closesAfterExchange = true }
        if let ownLoop { now = ownLoop.now }
        if reading == .body, !closesAfterExchange {
            // A short rest of the request is still to come; it is read and dropped, then the connection goes on.
            return resumeReading()
        }
        delegate.exchangeEnded(on: self)
        guard isResponseComplete else { return }
        if closesAfterExchange || isDraining || (isInputClosed && inbound.readableBytes == 0) {
            return lingerBeforeClose()
        }
        head.reset()
        (reading, writing, isReadPaused) = (.head, .idle, false)
        if inbound.readableBytes > 0 {
            deadline?.set(at: now + timeouts.head)
            process()
        } else {
            deadline?.set(at: now + timeouts.idle)
        }
        releaseRead()
    }

    /// The response is complete and the connection is not closing yet.
    private var isResponseComplete: Bool { writing == .ended && (reading == .ended || reading == .body) }

    /// The response is complete; the request never will be.
    private func closeAfterResponse() {
        closesAfterExchange = true
        finishExchange()
    }

    /// Answers bytes that are no request, and closes: where the next request begins is in doubt.
    private func refuse(status: Int, _ error: WireError?) {
        closesAfterExchange = true
        switch writing {
        case .idle, .awaitingHead:
            writing = .awaitingHead
            reading = .ended
            let (response, body) = delegate.refusal(status: status, error: error, on: self)
            respond(response, body: body)
        case .body: close()
        case .ended: closeAfterResponse()
        }
    }

    /// Nothing is read, answered or told any more; only the channel is still to close.
    private func abandon() {
        guard reading != .closed else { return }
        (reading, writing, isReadPaused) = (.lingering, .ended, false)
        inbound.clear()
    }

    /// Writes what waits, ends our side and drops what still comes, so that the client reads the response before it
    /// sees a reset.
    private func lingerBeforeClose() {
        guard let context, reading != .lingering, reading != .closed else { return }
        abandon()
        deadline?.clear()
        awaitSending()
        let written = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in bound.value.outputClosed() }
        // Closing the second side closes the channel, and what was not written is lost: then the writing is awaited.
        if isInputClosed {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
        } else {
            context.close(mode: .output, promise: written)
        }
        releaseRead()
    }

    private func outputClosed() {
        isOutputClosed = true
        sendDeadline?.clear()
        if isInputClosed { close() } else { deadline?.set(timeouts.linger) }
    }

    private func overdue() {
        switch (reading, writing) {
        case (.head, .idle) where inbound.readableBytes > 0: refuse(status: 408, nil)
        case (.body, .awaitingHead): refuse(status: 408, nil)
        // The last response is still on its way: that is the business of the other deadline.
        case (.head, .idle) where !isWritable: deadline?.set(timeouts.idle)
        default: close()
        }
    }

    /// Reading is held back while the delegate asks for it, or while too much was sent ahead of its turn.
    private var isReadHeld: Bool {
        isReadPaused || (reading == .ended && inbound.readableBytes > Self.aheadBytes)
    }

    func releaseRead() {
        guard hasHeldRead, !isReadHeld, let context else { return }
        hasHeldRead = false
        context.read()
    }

    // MARK: Channel events

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        ownChannel = context.channel
        ownLoop = context.eventLoop
        isWritable = context.channel.isWritable
        if isAlone, let channel = context.channel as? any DirectChannel {
            direct = channel
            channel.deliver(to: self)
        }
        now = context.eventLoop.now
        let deadline = Deadline(on: context.eventLoop) { [unowned self] in overdue() }
        self.deadline = deadline
        deadline.set(at: now + timeouts.idle)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
        sendDeadline?.cancel()
        sendDeadline = nil
        self.context = nil
        (ownChannel, ownLoop, direct, isWritable) = (nil, nil, nil, false)
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
        received(unwrapInboundIn(data))
    }

    package func received(_ bytes: ByteBuffer) {
        if reading == .lingering || reading == .closed { return }
        if let ownLoop { now = ownLoop.now }
        if inbound.readableBytes == 0, reading == .head { deadline?.set(at: now + timeouts.head) }
        inbound.addInbound(bytes)
        if reading == .body {
            owesContinue = false
            if !isReadPaused, !isTunnel { deadline?.set(at: now + timeouts.body) }
        }
        process()
        // Only what waits for its turn is kept; an empty buffer would keep the memory of the last read alive.
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
    }

    package func read(context: ChannelHandlerContext) {
        if wantsToRead { context.read() }
    }

    package var wantsToRead: Bool {
        if isReadHeld { hasHeldRead = true }
        return !isReadHeld
    }

    package func receivedAll() {}

    package func channelActive(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        context.fireChannelActive()
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if !isWritable {
            awaitSending()
        } else if reading != .lingering {
            sendDeadline?.clear()
        }
        if reading != .lingering { delegate.writabilityChanged(on: self) }
        context.fireChannelWritabilityChanged()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed? = event as? ChannelEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        isInputClosed = true
        switch reading {
        case .head: lingerBeforeClose()
        case .ended: if !servesHalfClosed { close() }
        case .body where isTunnel: process()
        // The response may be complete, and still on its way, when the request is not.
        case .body: if writing == .ended { closeAfterResponse() } else { close() }
        case .lingering: if isOutputClosed { close() }
        case .closed: break
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        isWritable = false
        end()
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import World

#if GATECRASH_DEFECTS
import Defects
#endif

/// Follows one exchange of a client connection. Confined to the connection's event loop; every call comes from there.
package protocol ClientDelegate: AnyObject {
    /// An interim response (1xx but 101); the final one follows.
    func received(interim head: ResponseHead, on connection: ClientConnection)
    /// The final response begins. `head` is the connection's own object and valid until the exchange has ended.
    func received(head: ResponseHead, on connection: ClientConnection)
    func received(body: ByteBuffer, on connection: ClientConnection)
    /// The response is complete. `connection.isReusable` says whether another request may be sent; if not, the
    /// connection closes itself.
    func receivedEnd(trailers: Trailers?, on connection: ClientConnection)
    /// All that one read brought was delivered: a good moment to flush.
    func readCompleted(on connection: ClientConnection)
    func writabilityChanged(on connection: ClientConnection)
    /// The exchange cannot be completed. Comes at most once, instead of `receivedEnd`; the connection is closed.
    func failed(_ failure: ClientFailure, on connection: ClientConnection)
}

/// Keeps connections, and forgets those that have closed.
package protocol ConnectionKeeper: AnyObject {
    func closed(_ connection: ClientConnection)
}

extension ClientDelegate {
    package func received(interim head: ResponseHead, on connection: ClientConnection) {}
    package func readCompleted(on connection: ClientConnection) {}
    package func writabilityChanged(on connection: ClientConnection) {}
}

/// Why an exchange on an open connection came to nothing.
package enum ClientFailure: Error, Sendable, Hashable {
    /// The server closed in an orderly way before the response was complete.
    case closed
    /// The server reset the connection.
    case reset
    /// Nothing moved for the time allowed, while the request was being sent or the response awaited.
    case writeTimedOut, readTimedOut
    /// The response is no HTTP/1.1.
    case badResponse(WireError)
    /// We gave the exchange up.
    case cancelled
}

/// The client's side of one HTTP/1.1 connection: requests to bytes, bytes to responses, one exchange after the other.
package final class ClientConnection: ChannelInboundHandler, DirectReceiver {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    enum Sending { case idle, body, ended }
    enum Receiving { case idle, head, body, ended, closed }

    /// Set before `send`, for one exchange, at whose end the connection lets go of it.
    package var delegate: (any ClientDelegate)?
    /// Told once when the connection has closed, idle or not; held until then.
    package var keeper: (any ConnectionKeeper)?

    let limits: WireLimits
    var context: ChannelHandlerContext?
    /// That of the context, which would have to ask its pipeline.
    private var ownChannel: (any Channel)?
    private var ownLoop: (any EventLoop)?
    /// This is the channel's one handler, and stays it.
    private let isAlone: Bool
    /// The channel, when it can be used without its pipeline.
    private var direct: (any DirectChannel)?
    private var isActive = false
    var deadline: Deadline?
    var readTimeout = TimeAmount.seconds(60)
    var writeTimeout = TimeAmount.seconds(60)
    var inbound = ByteBuffer()
    var outbound: BodyWriter
    let head = ResponseHead()
    var decoder = BodyDecoder(.none, limits: WireLimits())
    private var method = HTTPMethod.get
    var sending = Sending.idle
    var receiving = Receiving.idle
    /// The exchange under way has timeouts of its own.
    private var isTimed = true
    private var isProcessing = false
    private var isReadPaused = false
    private var hasHeldRead = false
    /// The server has closed while the delegate had paused; to be dealt with when it goes on.
    private var heldEnd: ClientFailure?
    /// The request under way offers another protocol, so 101 is an answer to it.
    private var offersUpgrade = false
    /// HTTP has ended on this connection: bytes pass as they are.
    package internal(set) var isTunnel = false
    private var interimCount = 0
    /// Bytes that the server had not taken when it was last given time to.
    private var bytesWaiting = 0
    /// Requests sent so far.
    package private(set) var requestCount = 0
    /// Bytes of the response to the current request have arrived.
    package private(set) var hasResponseBytes = false
    /// Another request may be sent.
    package internal(set) var isReusable = true

    /// When the bytes that are being delivered arrived.
    package private(set) var now = NIODeadline.uptimeNanoseconds(0)

    package init(
        limits: WireLimits = WireLimits(), memory: OutboundMemory = OutboundMemory(), isAlone: Bool = false
    ) {
        self.isAlone = isAlone
        self.limits = limits
        outbound = BodyWriter(memory)
    }

    package var channel: (any Channel)? { ownChannel }
    package private(set) var isWritable = false
    /// The channel is active; it may know of that before it tells.
    package var isOpen: Bool { isActive || ownChannel?.isActive ?? false }
    /// The request has left whole.
    package var hasSentAll: Bool { sending == .ended }

    // MARK: Sending

    /// Sends the head of a request; flush it with `flush` or `sendEnd`.
    ///
    /// - Parameters:
    ///   - request: start line and fields, without Content-Length, Transfer-Encoding and the empty line.
    ///   - framing: `.untilClose` is no framing of a request and becomes `.chunked`.
    ///   - write: longest time that bytes wait for the server to take them. Waiting for the delegate does not count.
    ///   - read: longest time between two reads once the request was sent. While the delegate has paused does not
    ///     count.
    ///   - offersUpgrade: the request offers another protocol; 101 then begins a tunnel.
    /// - Precondition: no exchange is under way, and the connection is open.
    package func send(
        _ request: HeadWriter, method: HTTPMethod, framing: BodyFraming,
        write writeTimeout: TimeAmount = .seconds(60), read readTimeout: TimeAmount = .seconds(60),
        offersUpgrade: Bool = false
    ) {
        send(
            method: method, framing: framing, atMost: request.buffer.readableBytes, write: writeTimeout,
            read: readTimeout, offersUpgrade: offersUpgrade
        ) { $0.write(request.buffer) }
    }

    /// As the other `send`, of a head that is written straight into what goes out.
    ///
    /// - Parameters:
    ///   - count: no less than `writeHead` writes.
    ///   - writeHead: start line and fields, without Content-Length, Transfer-Encoding and the empty line.
    package func send(
        method: HTTPMethod, framing: BodyFraming, atMost count: Int, write writeTimeout: TimeAmount,
        read readTimeout: TimeAmount, offersUpgrade: Bool, _ writeHead: (inout ByteCursor) -> Void
    ) {
        guard case .idle = receiving else { preconditionFailure("an exchange is under way: \(receiving)") }
        self.method = method
        self.writeTimeout = writeTimeout
        self.readTimeout = readTimeout
        isTimed = true
        #if GATECRASH_DEFECTS
        if Defect.readTimeoutTooLong.isChosen { self.readTimeout = readTimeout * 2 }
        #endif
        (receiving, sending) = (.head, .body)
        hasResponseBytes = false
        self.offersUpgrade = offersUpgrade
        interimCount = 0
        requestCount += 1
        let framing = framing == .untilClose ? .chunked : framing
        outbound.begin(atMost: count + Self.longestFraming, framing: framing) { cursor in
            writeHead(&cursor)
            switch framing {
            case .length(let count):
                cursor.write("Content-Length: ")
                cursor.writeDecimal(Int(count))
                cursor.write("\r\n")
            case .chunked: cursor.write("Transfer-Encoding: chunked\r\n")
            case .none where method == .post || method == .put || method == .patch:
                cursor.write("Content-Length: 0\r\n")
            case .none, .untilClose: break
            }
            cursor.write("\r\n")
        }
        restartTimeout()
    }

    /// `Content-Length`, 20 digits and the empty line take 40 bytes.
    private static let longestFraming = 64

    /// Sends a whole request in one write: a head with all of its fields and the empty line, and its body. Nothing is
    /// copied, so a load generator can send the same bytes any number of times. This exchange has no timeouts: whoever
    /// sends it watches the time, and closes.
    ///
    /// - Precondition: no exchange is under way, the connection is open, and the bytes are one request of this method.
    package func send(whole request: ByteBuffer, method: HTTPMethod) {
        guard case .idle = receiving else { preconditionFailure("an exchange is under way: \(receiving)") }
        self.method = method
        isTimed = false
        deadline?.clear()
        (receiving, sending) = (.head, .ended)
        hasResponseBytes = false
        offersUpgrade = false
        interimCount = 0
        requestCount += 1
        if let direct { direct.send(request) } else { context?.writeAndFlush(wrapOutboundOut(request), promise: nil) }
    }

    package func send(body: ByteBuffer) {
        guard sending == .body else { return }
        if isTunnel { restartTimeout() }
        guard let (waiting, part) = outbound.add(body) else { return }
        context?.write(wrapOutboundOut(waiting), promise: nil)
        context?.write(wrapOutboundOut(part), promise: nil)
    }

    /// Ends the request and sends all that waits. One that is not of the length that its head gave would leave the
    /// server waiting, or take the next request for its rest: then the exchange fails with `.cancelled`.
    package func sendEnd(trailers: Trailers? = nil) {
        guard sending == .body else { return }
        outbound.end(trailers)
        if outbound.isBroken { return fail(.cancelled) }
        sending = .ended
        flush()
        if isTunnel { return endTunnelOutput() }
        restartTimeout()
    }

    package func flush() {
        guard outbound.pending.readableBytes > 0 else { return context?.flush() ?? () }
        let bytes = outbound.takePending()
        if let direct {
            direct.send(bytes)
        } else if let context {
            context.write(wrapOutboundOut(bytes), promise: nil)
            context.flush()
        }
        outbound.wrote(bytes)
    }

    /// No more `received(body:)` until `resumeReading`, nor does the time for reading run: the server cannot help it.
    package func pauseReading() {
        isReadPaused = true
        restartTimeout()
    }

    package func resumeReading() {
        guard isReadPaused else { return }
        isReadPaused = false
        restartTimeout()
        process()
        delegate?.readCompleted(on: self)
        if !isReadPaused, let failure = heldEnd {
            heldEnd = nil
            return endOfInput(failure)
        }
        releaseRead()
    }

    /// Gives up the exchange, if one is under way, and closes. The delegate hears nothing more.
    package func close() {
        isReusable = false
        receiving = .closed
        delegate = nil
        heldEnd = nil
        inbound.clear()
        deadline?.clear()
        context?.close(promise: nil)
    }

    /// An idle connection closes after this time.
    package func expire(after timeout: TimeAmount) { if receiving == .idle { deadline?.set(at: now + timeout) } }

    /// What is waited for now, from now on: the server takes bytes, or sends some. Nothing while it is the delegate's
    /// turn.
    func restartTimeout() {
        #if GATECRASH_DEFECTS
        if Defect.readTimeoutOfWhole.isChosen, receiving == .body { return }
        #endif
        guard isTimed, receiving == .head || receiving == .body || receiving == .ended else { return }
        if !isWritable {
            bytesWaiting = countBytesWaiting()
            deadline?.set(writeTimeout)
        } else if hasSentAll || isTunnel, !isReadPaused {
            deadline?.set(readTimeout)
        } else {
            deadline?.clear()
        }
    }

    // MARK: Receiving

    private func process() {
        guard !isProcessing else { return }
        isProcessing = true
        defer { isProcessing = false }
        while step() {}
    }

    private func step() -> Bool {
        switch receiving {
        case .closed, .ended: return false
        case .idle:
            // Bytes that nobody asked for: whose answer they are is in doubt.
            if inbound.readableBytes > 0 { close() }
            return false
        case .head:
            guard inbound.readableBytes > 0 else { return false }
            switch head.read(from: &inbound, answering: method, limits: limits) {
            case .needsMore: return false
            case .failed(let error):
                fail(.badResponse(error))
                return false
            case .complete: receivedHead()
            }
        case .body:
            guard !isReadPaused else { return false }
            switch decoder.next(from: &inbound) {
            case .needsMore: return false
            case .failed(let error):
                fail(.badResponse(error))
                return false
            case .data(let bytes): delegate?.received(body: bytes, on: self)
            case .end(let trailers): finish(trailers)
            }
        }
        return true
    }

    private func receivedHead() {
        if head.isInterim {
            if head.status == 101 {
                return offersUpgrade ? beginTunnel() : fail(.badResponse(.unexpectedUpgrade))
            }
            interimCount += 1
            if interimCount > WireLimits.interimResponses { return fail(.badResponse(.tooManyInterimResponses)) }
            delegate?.received(interim: head, on: self)
            head.reset()
            return
        }
        receiving = .body
        decoder = BodyDecoder(head.framing, limits: limits)
        delegate?.received(head: head, on: self)
        if head.framing == .none, receiving == .body { finish(nil) }
    }

    private func finish(_ trailers: Trailers?) {
        isReusable =
            isReusable && hasSentAll && head.keepsAlive && inbound.readableBytes == 0 && heldEnd == nil
        (receiving, sending, isReadPaused) = (.idle, .idle, false)
        deadline?.clear()
        head.reset()
        let delegate = delegate
        self.delegate = nil
        if isReusable { releaseRead() } else { close() }
        delegate?.receivedEnd(trailers: trailers, on: self)
    }

    func fail(_ failure: ClientFailure) {
        let isUnderWay = receiving == .head || receiving == .body || receiving == .ended
        let delegate = delegate
        close()
        if isUnderWay { delegate?.failed(failure, on: self) }
    }

    private func overdue() {
        // The channel tells when it has become writable, but not that it is getting there.
        if !isWritable, countBytesWaiting() != bytesWaiting { return restartTimeout() }
        fail(isWritable && (hasSentAll || isTunnel) ? .readTimedOut : .writeTimedOut)
    }

    private func countBytesWaiting() -> Int {
        (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    private func releaseRead() {
        guard hasHeldRead, !isReadPaused, let context else { return }
        hasHeldRead = false
        context.read()
    }

    // MARK: Channel events

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        ownChannel = context.channel
        ownLoop = context.eventLoop
        (isActive, isWritable) = (context.channel.isActive, context.channel.isWritable)
        if isAlone, let channel = context.channel as? any DirectChannel {
            direct = channel
            channel.deliver(to: self)
        }
        now = context.eventLoop.now
        deadline = Deadline(on: context.eventLoop) { [unowned self] in overdue() }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
        self.context = nil
        (ownChannel, ownLoop, direct, isActive, isWritable) = (nil, nil, nil, false, false)
        keeper = nil
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received(unwrapInboundIn(data))
    }

    package func received(_ bytes: ByteBuffer) {
        if receiving == .closed || receiving == .ended { return }
        hasResponseBytes = true
        if let ownLoop { now = ownLoop.now }
        inbound.addInbound(bytes)
        process()
        // As a rule the response is complete by now, and nothing need be waited for.
        restartTimeout()
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        receivedAll()
        context.fireChannelReadComplete()
    }

    package func receivedAll() { delegate?.readCompleted(on: self) }

    package func channelActive(context: ChannelHandlerContext) {
        (isActive, isWritable) = (true, context.channel.isWritable)
        context.fireChannelActive()
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        restartTimeout()
        delegate?.writabilityChanged(on: self)
        context.fireChannelWritabilityChanged()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed? = event as? ChannelEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        endOfInput(.closed)
    }

    /// The end of the connection is the end of a body that has no other; everywhere else it is a failure.
    private func endOfInput(_ failure: ClientFailure) {
        if isReadPaused, receiving == .body {
            heldEnd = heldEnd ?? failure
        } else if isTunnel, receiving == .body, failure == .closed {
            endTunnelInput()
        } else if receiving == .body, head.framing == .untilClose, failure == .closed {
            isReusable = false
            finish(nil)
        } else {
            fail(failure)
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        (isActive, isWritable) = (false, false)
        endOfInput(.closed)
        if heldEnd == nil { close() }
        let keeper = keeper
        self.keeper = nil
        keeper?.closed(self)
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) { endOfInput(.reset) }
}

extension ClientConnection: ChannelOutboundHandler {
    package typealias OutboundIn = ByteBuffer

    package func read(context: ChannelHandlerContext) {
        if wantsToRead { context.read() }
    }

    package var wantsToRead: Bool {
        if isReadPaused { hasHeldRead = true }
        return !isReadPaused
    }
}

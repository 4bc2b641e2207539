// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import World

#if GATECRASH_DEFECTS
import Defects
import Synchronization
#endif

/// Sends questions and waits for their answers: over UDP, each attempt from a new port and with a new id, so that an
/// answer cannot be guessed (RFC 5452); over TCP when the answer did not fit. Confined to one loop.
final class DNSExchanges {
    private let settings: DNSSettings
    private let network: any Network
    private let loop: any EventLoop
    private var ids: RandomStream
    private var turn = 0

    init(_ settings: DNSSettings, network: any Network, loop: any EventLoop, random: RandomStreams) {
        self.settings = settings
        self.network = network
        self.loop = loop
        ids = random.stream("dns client ids")
    }

    /// - Returns: on the loop; never fails. The servers are asked in turn until one answers.
    func ask(_ question: DNSQuestion) -> EventLoopFuture<DNSReply> {
        let promise = loop.makePromise(of: DNSReply.self)
        attempt(0, question, promise)
        return promise.futureResult
    }

    private func attempt(_ number: Int, _ question: DNSQuestion, _ promise: EventLoopPromise<DNSReply>) {
        guard !settings.servers.isEmpty else { return promise.succeed(.noAnswer("dns client error: no name server")) }
        let server = settings.servers[turn % settings.servers.count]
        turn &+= 1
        let query = DNSMessage(id: UInt16(truncatingIfNeeded: ids.next()), asking: question)
        overDatagram(query, to: server)
            .flatMap { message -> EventLoopFuture<DNSMessage> in
                message.isTruncated ? self.overStream(query, to: server) : self.loop.makeSucceededFuture(message)
            }
            .whenComplete { result in
                switch result {
                case .success(let message): promise.succeed(message.reply)
                case .failure where number + 1 < self.settings.attempts:
                    self.attempt(number + 1, question, promise)
                case .failure(let error):
                    promise.succeed(.noAnswer("dns client error: no answer from \(server.text): \(error)"))
                }
            }
    }

    private func overDatagram(_ query: DNSMessage, to server: SocketAddress) -> EventLoopFuture<DNSMessage>.Isolated {
        let waiter = DNSWaiter(query, loop: loop, timeout: settings.timeout)
        let own = if case .v6 = server { "::" } else { "0.0.0.0" }
        guard let any = try? SocketAddress(ipAddress: own, port: 0) else {
            preconditionFailure("\(own) is an address")
        }
        let bound = NIOLoopBound(waiter, eventLoop: loop)
        network.datagrams(on: any, loop: loop) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(DatagramAnswerHandler(bound.value, server: server))
            }
        }.assumeIsolated().whenComplete { result in
            switch result {
            case .failure(let error): waiter.fail("\(error)")
            case .success(let channel):
                waiter.closesWhenDone(channel)
                let data = ByteBuffer(bytes: query.encoded())
                channel.writeAndFlush(AddressedEnvelope(remoteAddress: server, data: data)).assumeIsolated()
                    .whenFailure { waiter.fail("\($0)") }
                #if GATECRASH_DEFECTS
                waiter.takeLateAnswer()
                #endif
            }
        }
        return waiter.answer
    }

    private func overStream(_ query: DNSMessage, to server: SocketAddress) -> EventLoopFuture<DNSMessage> {
        let waiter = DNSWaiter(query, loop: loop, timeout: settings.timeout)
        let bound = NIOLoopBound(waiter, eventLoop: loop)
        network.connect(to: server, on: loop, timeout: settings.timeout) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(StreamAnswerHandler(bound.value))
            }
        }.assumeIsolated().whenComplete { result in
            switch result {
            case .failure(let error): waiter.fail("\(error)")
            case .success(let channel):
                waiter.closesWhenDone(channel)
                channel.writeAndFlush(DNSFrame.framed(query.encoded())).assumeIsolated()
                    .whenFailure { waiter.fail("\($0)") }
            }
        }
        return waiter.answer.nonisolated()
    }
}

extension DNSMessage {
    fileprivate var reply: DNSReply {
        code == .noError ? .records(answers: answers, additionals: additionals) : .code(code)
    }
}

/// Messages over TCP: two bytes of length before each (RFC 1035 section 4.2.2).
package enum DNSFrame {
    package static func framed(_ message: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt16(clamping: message.count))
        buffer.writeBytes(message)
        return buffer
    }

    /// Takes one whole message off the front; nil while there is none.
    package static func take(from buffer: inout ByteBuffer) -> [UInt8]? {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt16.self),
            buffer.readableBytes >= 2 + Int(length)
        else {
            // What was read goes, or the buffer grows for as long as messages come.
            buffer.discardReadBytes()
            return nil
        }
        buffer.moveReaderIndex(forwardBy: 2)
        return buffer.readBytes(length: Int(length))
    }
}

/// Waits for the one answer that belongs to a query, until its time is up.
private final class DNSWaiter {
    private let query: DNSMessage
    private let promise: EventLoopPromise<DNSMessage>
    private var timer: Scheduled<Void>?
    private var channel: (any Channel)?
    private var isOver = false

    init(_ query: DNSMessage, loop: any EventLoop, timeout: TimeAmount) {
        self.query = query
        promise = loop.makePromise()
        timer = loop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in self?.fail("timed out") }
    }

    var answer: EventLoopFuture<DNSMessage>.Isolated { promise.futureResult.assumeIsolated() }

    func closesWhenDone(_ channel: any Channel) {
        if isOver { channel.close(promise: nil) } else { self.channel = channel }
    }

    /// What is no answer to the query is passed over: somebody may be guessing.
    func received(_ bytes: [UInt8]) {
        guard let message = try? DNSMessage(parsing: bytes), message.id == query.id, message.isResponse,
            message.questions == query.questions
        else { return }
        #if GATECRASH_DEFECTS
        if isOver { lateAnswers.withLock { $0[query.questions, default: []].append(message) } }
        #endif
        finish { $0.succeed(message) }
    }

    func fail(_ reason: String) { finish { $0.fail(NameFailure(.noAnswer, reason)) } }

    private func finish(_ body: (EventLoopPromise<DNSMessage>) -> Void) {
        guard !isOver else { return }
        isOver = true
        timer?.cancel()
        #if GATECRASH_DEFECTS
        // As if all questions were asked from one port.
        if Defect.lateAnswerTaken.isChosen { channel = nil }
        #endif
        channel?.close(promise: nil)
        channel = nil
        body(promise)
    }
}

#if GATECRASH_DEFECTS
/// What came for questions that had their answer, the oldest first.
private let lateAnswers = Mutex<[[DNSQuestion]: [DNSMessage]]>([:])

extension DNSWaiter {
    func takeLateAnswer() {
        guard Defect.lateAnswerTaken.isChosen else { return }
        let late = lateAnswers.withLock { answers -> DNSMessage? in
            guard answers[query.questions]?.isEmpty == false else { return nil }
            return answers[query.questions]?.removeFirst()
        }
        if let late { finish { $0.succeed(late) } }
    }
}
#endif

private final class DatagramAnswerHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let waiter: DNSWaiter
    private let server: SocketAddress

    init(_ waiter: DNSWaiter, server: SocketAddress) {
        self.waiter = waiter
        self.server = server
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard envelope.remoteAddress == server else { return }
        waiter.received(Array(envelope.data.readableBytesView))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { waiter.fail("\(error)") }
}

private final class StreamAnswerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let waiter: DNSWaiter
    private var received = ByteBuffer()

    init(_ waiter: DNSWaiter) { self.waiter = waiter }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.writeImmutableBuffer(unwrapInboundIn(data))
        while let message = DNSFrame.take(from: &received) { waiter.received(message) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { waiter.fail("the server closed the connection") }
    }

    func channelInactive(context: ChannelHandlerContext) { waiter.fail("the server closed the connection") }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { waiter.fail("\(error)") }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import NIOSSL
package import World

#if GATECRASH_DEFECTS
import Defects
#endif

/// Sends probes: connects, writes one request, reads one status line, closes. It judges nothing and keeps nothing but
/// TLS contexts. Confined to the control loop.
package final class Prober {
    private let network: any Network
    private let loop: any EventLoop
    private let trusted: TrustedAuthorities
    private let versions: TLSVersions
    /// What upstreams present may change; contexts that were made of another state are forgotten then.
    package var material = TLSMaterial() { didSet { if material != oldValue { contexts = [:] } } }
    /// Made at the first need, because reading the system's roots takes time.
    private var contexts: [Terms: NIOSSLContext] = [:]

    private struct Terms: Hashable {
        var verifies: Bool
        var certificateID: String?
    }

    /// - Parameters:
    ///   - loop: the control loop, on which probes run.
    ///   - trusted: who may sign the certificates of https targets.
    ///   - versions: of TLS that are spoken with them.
    package init(
        network: any Network, loop: any EventLoop, trusted: TrustedAuthorities = TrustedAuthorities(),
        versions: TLSVersions = .current
    ) {
        self.network = network
        self.loop = loop
        self.trusted = trusted
        self.versions = versions
    }

    /// - Returns: on the control loop; it never fails.
    package func probe(_ request: ProbeRequest) -> EventLoopFuture<ProbeAnswer> {
        loop.assertInEventLoop()
        let encryption: Encryption?
        do {
            encryption = try makeEncryption(for: request)
        } catch {
            return loop.makeSucceededFuture(.tcpFailure("TLS cannot be set up: \(error)"))
        }
        let answer = loop.makePromise(of: ProbeAnswer.self)
        network.connect(to: request.address, on: loop, timeout: request.timeout) { channel in
            channel.eventLoop.makeCompletedFuture {
                if let encryption { try channel.pipeline.syncOperations.addHandler(encryption.handler()) }
                try channel.pipeline.syncOperations.addHandler(ProbeHandler(request, answer: answer))
            }
        }.whenFailure { error in
            if let error = error as? NetworkError, error.code == .timedOut {
                answer.succeed(.timeout("connecting timed out"))
            } else {
                answer.succeed(.tcpFailure("\(error)"))
            }
        }
        return answer.futureResult
    }

    private struct Encryption: Sendable {
        var context: NIOSSLContext
        var serverName: String?

        func handler() throws -> NIOSSLClientHandler {
            try NIOSSLClientHandler(context: context, serverHostname: serverName)
        }
    }

    private func makeEncryption(for request: ProbeRequest) throws -> Encryption? {
        guard case .https(let serverName, let verifies) = request.transport else { return nil }
        let terms = Terms(verifies: verifies, certificateID: request.clientCertificateID)
        if let context = contexts[terms] { return Encryption(context: context, serverName: serverName) }
        var configuration = TLSConfiguration.makeClientConfiguration()
        versions.apply(to: &configuration)
        configuration.certificateVerification = verifies ? .fullVerification : .none
        #if GATECRASH_DEFECTS
        if Defect.probeAcceptsCertificate.isChosen { configuration.certificateVerification = .none }
        #endif
        if verifies { try trusted.apply(to: &configuration) }
        if let certificate = material.certificate(terms.certificateID) { try certificate.present(in: &configuration) }
        let context = try NIOSSLContext(configuration: configuration)
        contexts[terms] = context
        return Encryption(context: context, serverName: serverName)
    }
}

/// One probe on one connection. The timeout is applied to each step by itself; under TLS the first step ends with the
/// handshake and the request behind it.
final class ProbeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Step { case connecting, sending, receiving, answered }

    /// Longer than the status line of any server; what does not fit is none.
    private static let longestLine = 8192

    private let request: ProbeRequest
    private let answer: EventLoopPromise<ProbeAnswer>
    private var step = Step.connecting
    private var line = ByteBuffer()
    private var timer: Scheduled<Void>?

    init(_ request: ProbeRequest, answer: EventLoopPromise<ProbeAnswer>) {
        self.request = request
        self.answer = answer
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { send(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        send(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard step != .answered else { return }
        var bytes = unwrapInboundIn(data)
        line.writeBuffer(&bytes)
        if let end = line.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
            finish(.status(StatusLine.status(of: line.readableBytesView[..<end]) ?? 0), context)
        } else if line.readableBytes > Self.longestLine {
            finish(.status(0), context)
        } else if step == .receiving {
            startTimer(context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { closed(context) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        closed(context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(.tcpFailure("\(error)"), context)
    }

    // MARK: Steps

    private func send(_ context: ChannelHandlerContext) {
        guard step == .connecting else { return }
        guard request.transport != .tcp else { return finish(.connected, context) }
        step = .sending
        startTimer(context)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(string: request.head)))
            .whenComplete { result in
                let (handler, context) = bound.value
                switch result {
                case .success: handler.sent(context)
                case .failure(let error): handler.finish(.tcpFailure("\(error)"), context)
                }
            }
    }

    private func sent(_ context: ChannelHandlerContext) {
        guard step == .sending else { return }
        step = .receiving
        startTimer(context)
    }

    private func startTimer(_ context: ChannelHandlerContext) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: request.timeout) { [weak self] in
            self?.timedOut(context)
        }
    }

    private func timedOut(_ context: ChannelHandlerContext) {
        let isEncrypted = if case .https = request.transport { true } else { false }
        switch step {
        // A request of this size waits for the handshake or for nothing; a slow handshake counts as a failed one.
        case .sending where isEncrypted: finish(.tcpFailure("the TLS handshake timed out"), context)
        case .connecting, .sending: finish(.timeout("sending timed out"), context)
        case .receiving: finish(.timeout("receiving timed out"), context)
        case .answered: break
        }
    }

    private func closed(_ context: ChannelHandlerContext) {
        let place = step == .receiving ? "before its status line was complete" : "before the request was sent"
        finish(.tcpFailure("the target closed the connection \(place)"), context)
    }

    private func finish(_ result: ProbeAnswer, _ context: ChannelHandlerContext) {
        guard step != .answered else { return }
        step = .answered
        timer?.cancel()
        timer = nil
        answer.succeed(result)
        context.close(promise: nil)
    }
}

/// The first line of an answer (RFC 9112 section 4).
package enum StatusLine {
    /// - Parameter line: without its line feed; a carriage return may end it.
    /// - Returns: the status, or nil when the line is not `HTTP/1.x SSS` and then nothing or a blank.
    package static func status(of line: some Collection<UInt8>) -> Int? {
        var bytes = Array(line)
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard bytes.count >= 12, bytes.starts(with: "HTTP/1.".utf8), isDigit(bytes[7]), bytes[8] == UInt8(ascii: " "),
            bytes[9...11].allSatisfy(isDigit), bytes.count == 12 || bytes[12] == UInt8(ascii: " ")
        else { return nil }
        return bytes[9...11].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

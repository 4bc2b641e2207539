// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import NIOSSL
import NIOTLS

/// What a TLS handshake came to.
package struct TLSAgreement: Sendable, Hashable {
    /// The name that the client asked for (SNI), as it was sent.
    package var serverName: String?
    /// By ALPN; nil when the client offered nothing that we speak.
    package var applicationProtocol: String?
}

/// Takes the TLS handshake of an accepted connection: finds the server name first, because certificates are chosen by
/// it, then lets the handshake run, then hands over to who speaks what was agreed on.
///
///     first byte ──► ClientHello ─────────────► handshake ──► agreed(…)
///     (plain HTTP?)  (server name, signatures)
package final class TLSAcceptor: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = ByteBuffer

    private let timeout: TimeAmount
    private let agreed: (any Channel, TLSAgreement) throws -> Void
    private var serverName: String?
    private var deadline: Deadline?

    private init(timeout: TimeAmount, agreed: @escaping (any Channel, TLSAgreement) throws -> Void) {
        self.timeout = timeout
        self.agreed = agreed
    }

    /// Adds the handlers to a new connection.
    ///
    /// - Parameters:
    ///   - timeout: for the whole handshake.
    ///   - context: for what the client has said of itself. Throwing ends the connection.
    ///   - agreed: adds what speaks the protocol to the end of the pipeline.
    package static func install(
        on channel: any Channel, timeout: TimeAmount, context: @escaping (ClientHello) throws -> NIOSSLContext,
        agreed: @escaping (any Channel, TLSAgreement) throws -> Void
    ) throws {
        let acceptor = TLSAcceptor(timeout: timeout, agreed: agreed)
        let tap = HelloTap()
        let bound = NIOLoopBound((acceptor: acceptor, tap: tap, context: context), eventLoop: channel.eventLoop)
        let names = ByteToMessageHandler(
            SNIHandler { result in
                let (acceptor, tap, context) = bound.value
                return acceptor.learned(result, tap, on: channel, context)
            })
        try channel.pipeline.syncOperations.addHandlers([PlainTextRefusal(), tap, names, acceptor])
    }

    private func learned(
        _ result: SNIResult, _ tap: HelloTap, on channel: any Channel,
        _ context: (ClientHello) throws -> NIOSSLContext
    ) -> EventLoopFuture<Void> {
        if case .hostname(let name) = result { serverName = name }
        do {
            let hello = ClientHello(serverName: serverName, records: tap.bytes)
            let handler = NIOSSLServerHandler(context: try context(hello))
            try channel.pipeline.syncOperations.addHandler(handler, position: .before(self))
            channel.pipeline.syncOperations.removeHandler(tap, promise: nil)
            return channel.eventLoop.makeSucceededVoidFuture()
        } catch {
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(error)
        }
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        deadline = Deadline(closing: context, after: timeout)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted(let negotiated)? = event as? TLSUserEvent {
            deadline?.clear()
            do {
                try agreed(context.channel, TLSAgreement(serverName: serverName, applicationProtocol: negotiated))
                context.pipeline.syncOperations.removeHandler(self, promise: nil)
            } catch {
                context.close(promise: nil)
            }
        } else if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// Tells a client that speaks HTTP where TLS is expected, in nginx's words, instead of leaving it with a broken
/// connection.
private final class PlainTextRefusal: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let words = "The plain HTTP request was sent to HTTPS port"
    private var hasRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if hasRefused { return }
        let bytes = unwrapInboundIn(data)
        // A handshake record begins with 22; a method begins with a letter.
        guard let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self),
            (0x41...0x5a).contains(first) || (0x61...0x7a).contains(first)
        else {
            context.fireChannelRead(data)
            return context.pipeline.syncOperations.removeHandler(self, promise: nil)
        }
        hasRefused = true
        let body = """
            <html>
            <head><title>400 \(Self.words)</title></head>
            <body>
            <center><h1>400 Bad Request</h1></center>
            <center>\(Self.words)</center>
            </body>
            </html>

            """.replacing("\n", with: "\r\n")
        var head = HeadWriter(status: 400)
        head.add("Content-Type", "text/html")
        head.add("Content-Length", body.utf8.count)
        head.add("Connection", "close")
        var answer = head.buffer
        answer.writeString("\r\n" + body)
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        context.close(mode: .output, promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard hasRefused, case ChannelEvent.inputClosed? = event as? ChannelEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        context.close(promise: nil)
    }
}

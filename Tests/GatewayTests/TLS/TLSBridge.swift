// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOSSL
import NIOTLS
import OpenSSL
import Synchronization
import World

/// Takes TLS off a connection, or puts it on, so that both ends of a test can speak plain bytes:
///
///     RawSocket ──plain──► TLSBridge ──TLS──► gateway          (client)
///     gateway ──TLS──► TLSBridge ──plain──► ScriptedUpstream   (server)
final class TLSBridge: Sendable {
    /// What was agreed on, of every handshake in its order.
    struct Agreement: Sendable {
        var applicationProtocol: String?
        /// Of the other side, DER.
        var certificate: [UInt8]?
        /// Asked for by the client; known on the server's side.
        var serverName: String?
    }

    private let world = World.real(threads: 1, seed: 3)
    private let listener = Mutex<(any Channel)?>(nil)
    private let notes = Notes()

    private final class Notes: Sendable {
        let agreements = Mutex<[Agreement]>([])

        func add(_ agreement: Agreement) { agreements.withLock { $0.append(agreement) } }
    }

    var port: Int { listener.withLock { $0?.localAddress?.port } ?? 0 }
    var agreements: [Agreement] { notes.agreements.withLock { $0 } }

    /// Makes what speaks TLS on one connection.
    private typealias MakeHandler = @Sendable () throws -> any ChannelHandler

    /// Speaks TLS to what listens on `port`.
    ///
    /// - Parameter name: for SNI; nil sends none.
    init(toward port: Int, name: String?, _ configure: (inout TLSConfiguration) -> Void = { _ in }) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configure(&configuration)
        let context = try NIOSSLContext(configuration: configuration)
        try encrypt(toward: port, name: name) { try NIOSSLClientHandler(context: context, serverHostname: name) }
    }

    /// As the other one, with the system's OpenSSL instead of the gateway's own library.
    init(toward port: Int, name: String?, openSSL settings: OpenSSLSettings) throws {
        let context = try OpenSSLContext(.client, settings)
        try encrypt(toward: port, name: name) { OpenSSLHandler(try OpenSSLSession(context, serverName: name)) }
    }

    /// Serves TLS in front of what listens on `port`.
    init(
        before port: Int, chain: String, key: String, _ configure: (inout TLSConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(chain.utf8)).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)))
        configure(&configuration)
        let context = try NIOSSLContext(configuration: configuration)
        try serve(before: port) { NIOSSLServerHandler(context: context) }
    }

    /// As the other one, with the system's OpenSSL instead of the gateway's own library.
    init(before port: Int, openSSL settings: OpenSSLSettings) throws {
        let context = try OpenSSLContext(.server, settings)
        try serve(before: port) { OpenSSLHandler(try OpenSSLSession(context)) }
    }

    private func encrypt(toward port: Int, name: String?, _ handler: @escaping MakeHandler) throws {
        try listen { [world] plain, note in
            let loop = plain.eventLoop
            let pair = Pair(plain: plain)
            return world.network.connect(
                to: .loopback(port: port), on: loop, timeout: .seconds(5),
                prepare: { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandlers([
                            try handler(), HandshakeNote(note, name: name), Relay(to: pair.plain),
                        ])
                    }
                }
            ).flatMap { channel in
                plain.eventLoop.makeCompletedFuture {
                    try pair.plain.pipeline.syncOperations.addHandler(Relay(to: channel))
                }
            }
        }
    }

    private func serve(before port: Int, _ handler: @escaping MakeHandler) throws {
        try listen { [world] outside, note in
            let loop = outside.eventLoop
            return world.network.connect(
                to: .loopback(port: port), on: loop, timeout: .seconds(5),
                prepare: { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Relay(to: outside))
                    }
                }
            ).flatMap { inside in
                loop.makeCompletedFuture {
                    let names = ByteToMessageHandler(
                        SNIHandler { result in
                            var name: String?
                            if case .hostname(let asked) = result { name = asked }
                            let asked = name
                            return loop.makeCompletedFuture {
                                try outside.pipeline.syncOperations.addHandlers([
                                    try handler(), HandshakeNote(note, name: asked), Relay(to: inside),
                                ])
                            }
                        })
                    try outside.pipeline.syncOperations.addHandler(names)
                }
            }
        }
    }

    private struct Pair: Sendable { var plain: any Channel }

    private func listen(
        _ accept: @escaping @Sendable (any Channel, @escaping @Sendable (Agreement) -> Void) -> EventLoopFuture<Void>
    ) throws {
        let notes = notes
        let channel = try world.network.listen(
            on: .loopback(port: 0), loops: world.loops, options: ListenOptions()
        ) { channel in
            accept(channel) { notes.add($0) }
        }.wait()
        listener.withLock { $0 = channel }
    }

    deinit {
        listener.withLock { $0 }?.close(promise: nil)
        world.loops.shutdownGracefully { _ in }
    }
}

/// Notes down what a handshake came to.
private final class HandshakeNote: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let note: (TLSBridge.Agreement) -> Void
    private let name: String?

    init(_ note: @escaping (TLSBridge.Agreement) -> Void, name: String?) {
        self.note = note
        self.name = name
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted(let negotiated)? = event as? TLSUserEvent {
            var agreement = TLSBridge.Agreement(applicationProtocol: negotiated, serverName: name)
            agreement.certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()?.toDERBytes()
            note(agreement)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// Writes what one channel reads into another one.
private final class Relay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let other: any Channel

    init(to other: any Channel) { self.other = other }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        other.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { other.close(mode: .output, promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        other.close(promise: nil)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        other.close(promise: nil)
        context.close(promise: nil)
    }
}

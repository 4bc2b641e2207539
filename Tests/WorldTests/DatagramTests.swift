// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import NIOCore
import Testing

@testable import World

/// UDP on our own loops.
@Suite struct DatagramTests {
    @Test func `a datagram arrives with its sender's address, and so does the answer`() throws {
        let world = World.real(threads: 1, seed: 1, loops: .own)
        let loop = try #require(world.loops.next() as? PollLoop)
        let answered = loop.makePromise(of: String.self)
        let server = try RealNetwork().datagrams(on: .loopback(port: 0), poll: loop) { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(EchoDatagrams()) }
        }.wait()
        let client = try RealNetwork().datagrams(on: .loopback(port: 0), poll: loop) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(KeepDatagram(in: answered))
            }
        }.wait()
        let address = try #require(server.localAddress)
        let ping = AddressedEnvelope(remoteAddress: address, data: ByteBuffer(string: "ping"))
        try client.writeAndFlush(ping).wait()
        #expect(try answered.futureResult.wait() == "ping from \(address.port ?? 0)")
        try server.close().wait()
        try client.close().wait()
        try world.loops.syncShutdownGracefully()
    }
}

private final class EchoDatagrams: ChannelInboundHandler, Sendable {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.writeAndFlush(data, promise: nil) }
}

private final class KeepDatagram: ChannelInboundHandler, Sendable {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    private let promise: EventLoopPromise<String>

    init(in promise: EventLoopPromise<String>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        promise.succeed("\(String(buffer: envelope.data)) from \(envelope.remoteAddress.port ?? 0)")
    }
}
#endif

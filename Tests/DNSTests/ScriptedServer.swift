// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DNS
import NIOCore
import Synchronization
import World

/// A name server on loopback, UDP and TCP on one port, that says what a test wants it to.
final class ScriptedServer: Sendable {
    /// What it sends back for one query; several make several datagrams.
    typealias Script = @Sendable (_ query: DNSMessage, _ isStream: Bool, _ number: Int) -> [[UInt8]]

    let address: SocketAddress
    private let channels: [any Channel]
    private let counter: Counter

    private init(_ address: SocketAddress, _ channels: [any Channel], _ counter: Counter) {
        self.address = address
        self.channels = channels
        self.counter = counter
    }

    /// The questions in order, `udp x A`.
    var questions: [String] { counter.list.withLock { $0 } }

    final class Counter: Sendable { let list = Mutex<[String]>([]) }

    static func start(_ world: World, _ script: @escaping Script) throws -> ScriptedServer {
        let loop = world.loops.next()
        let counter = Counter()
        let answer: @Sendable ([UInt8], Bool) -> [[UInt8]] = { bytes, isStream in
            guard let query = try? DNSMessage(parsing: bytes), let question = query.questions.first else { return [] }
            let number = counter.list.withLock {
                $0.append("\(isStream ? "tcp" : "udp") \(question)")
                return $0.count
            }
            return script(query, isStream, number)
        }
        while true {
            let datagrams = try world.network.datagrams(on: .loopback(port: 0), loop: loop) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramScript(answer: answer))
                }
            }.wait()
            guard let address = datagrams.localAddress else { throw NetworkError(.other, "no address") }
            let stream = try? world.network.listen(on: address, loops: loop, options: ListenOptions()) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(StreamScript(answer: answer))
                }
            }.wait()
            // Somebody else may have the port for TCP: another one, then.
            guard let stream else {
                try datagrams.close().wait()
                continue
            }
            return ScriptedServer(address, [datagrams, stream], counter)
        }
    }

    func stop() { for channel in channels { try? channel.close().wait() } }
}

private final class DatagramScript: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>
    private let answer: ([UInt8], Bool) -> [[UInt8]]

    init(answer: @escaping ([UInt8], Bool) -> [[UInt8]]) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let query = unwrapInboundIn(data)
        for bytes in answer(Array(query.data.readableBytesView), false) {
            let envelope = AddressedEnvelope(remoteAddress: query.remoteAddress, data: ByteBuffer(bytes: bytes))
            context.writeAndFlush(wrapOutboundOut(envelope), promise: nil)
        }
    }
}

private final class StreamScript: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let answer: ([UInt8], Bool) -> [[UInt8]]
    private var received = ByteBuffer()

    init(answer: @escaping ([UInt8], Bool) -> [[UInt8]]) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.writeImmutableBuffer(unwrapInboundIn(data))
        while let query = DNSFrame.take(from: &received) {
            for bytes in answer(query, true) {
                context.writeAndFlush(wrapOutboundOut(DNSFrame.framed(bytes)), promise: nil)
            }
        }
    }
}

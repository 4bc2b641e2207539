// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing
import World

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// One end of a connection in a test: what it sends and what it sees.
final class Peer: Sendable {
    enum Event: Hashable, Sendable {
        case bytes(ByteBuffer)
        /// The other side has finished (FIN).
        case finished
        case reset
        case closed
    }

    let channel: any Channel
    private let events: AsyncStream<Event>
    fileprivate let continuation: AsyncStream<Event>.Continuation

    init(_ channel: any Channel) {
        self.channel = channel
        (events, continuation) = AsyncStream.makeStream(of: Event.self)
    }

    func send(_ text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }
    func finish() { channel.close(mode: .output, promise: nil) }
    func startReading() { channel.setOption(.autoRead, value: true).whenComplete { _ in } }

    func abort() {
        let channel = channel
        channel.eventLoop.execute {
            _ = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            channel.close(promise: nil)
        }
    }

    func next() async -> Event? {
        var iterator = events.makeAsyncIterator()
        return await iterator.next()
    }

    /// Reads `count` bytes, or what came before the end.
    func received(_ count: Int) async -> String {
        var all = ByteBuffer()
        while all.readableBytes < count, case .bytes(var more)? = await next() { all.writeBuffer(&more) }
        return String(buffer: all)
    }
}

final class PeerHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let peer: Peer

    init(_ peer: Peer) { self.peer = peer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        peer.continuation.yield(.bytes(unwrapInboundIn(data)))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { peer.continuation.yield(.finished) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let isReset = (error as? IOError)?.errnoCode == ECONNRESET
        peer.continuation.yield(isReset ? .reset : .closed)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { peer.continuation.yield(.closed) }
}

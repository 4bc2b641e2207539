// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded

@testable import Wire

/// Stands between a connection under test and an `EmbeddedChannel` and plays the socket: reads only when it is asked,
/// keeps what is written, knows half-closing.
final class SocketDouble: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    /// The connection has asked for more; nothing is delivered before it does.
    var isReadRequested = false
    var readCount = 0
    /// What the peer has received.
    var output = ByteBuffer()
    /// True: writes stay with the socket until `releaseWrites`.
    var holdsWrites = false
    var isOutputClosed = false
    private var held: [(bytes: ByteBuffer, promise: EventLoopPromise<Void>?)] = []
    private var closePromise: EventLoopPromise<Void>?

    func read(context: ChannelHandlerContext) {
        isReadRequested = true
        readCount += 1
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        held.append((unwrapOutboundIn(data), promise))
        if !holdsWrites { releaseWrites() }
    }

    func flush(context: ChannelHandlerContext) {}

    func releaseWrites() {
        holdsWrites = false
        let writes = held
        held = []
        for (bytes, promise) in writes {
            output.writeImmutableBuffer(bytes)
            promise?.succeed()
        }
        if let promise = closePromise {
            closePromise = nil
            isOutputClosed = true
            promise.succeed()
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else {
            for (_, promise) in held { promise?.fail(ChannelError.ioOnClosedChannel) }
            held = []
            return context.close(mode: mode, promise: promise)
        }
        guard holdsWrites else {
            isOutputClosed = true
            promise?.succeed()
            return
        }
        closePromise = promise ?? context.eventLoop.makePromise()
    }
}

/// A connection under test in an embedded channel, with its socket double and the bytes that are still on the wire.
class ConnectionHarness {
    let channel: EmbeddedChannel
    let socket = SocketDouble()
    private var onTheWire: [ByteBuffer] = []

    init(_ handler: some ChannelHandler) throws {
        channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers([socket, handler])
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        channel.read()
    }

    deinit { if !isClosed { channel.close(promise: nil) } }

    var isClosed: Bool { !channel.isActive }
    /// Our side is closed: nothing more can be sent.
    var hasEnded: Bool { isClosed || socket.isOutputClosed }
    /// All that was written so far.
    var output: String { String(buffer: socket.output) }
    var loop: EmbeddedEventLoop { channel.embeddedEventLoop }
    /// Bytes that the connection has not read.
    var unread: Int { onTheWire.reduce(0) { $0 + $1.readableBytes } }

    /// What was written since the last call.
    func takeOutput() -> String {
        defer { socket.output.clear() }
        return output
    }

    /// The peer sends bytes; the connection gets them when it reads.
    func receive(_ text: String) { receive(ByteBuffer(string: text)) }

    func receive(_ bytes: ByteBuffer) {
        onTheWire.append(bytes)
        pump()
    }

    /// Delivers as long as the connection reads, as a channel with automatic reading does.
    func pump() {
        while socket.isReadRequested, !onTheWire.isEmpty, !isClosed {
            socket.isReadRequested = false
            channel.pipeline.fireChannelRead(onTheWire.removeFirst())
            channel.pipeline.fireChannelReadComplete()
            channel.read()
        }
    }

    /// The peer closes its sending side.
    func endInput() { channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }

    /// The peer is gone.
    func disconnect() { channel.close(promise: nil) }

    func setWritable(_ isWritable: Bool) {
        channel.isWritable = isWritable
        channel.pipeline.fireChannelWritabilityChanged()
    }

    func advance(_ time: TimeAmount) { loop.advanceTime(by: time) }
}

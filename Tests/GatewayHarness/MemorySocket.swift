// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded

/// Plays the kernel for one channel of the gateway: reads only when it is asked, keeps what is written until the other
/// side takes it, knows marks of fullness, half-closing and resets.
final class MemorySocket: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    /// NIO's own marks: above the one a channel is not writable, below the other it is again.
    private static let (lowMark, highMark) = (32 << 10, 64 << 10)

    private(set) var isReadRequested = false
    /// Our side is closed: nothing more comes out of the gateway.
    private(set) var isOutputClosed = false
    private var waiting: [(bytes: ByteBuffer, promise: EventLoopPromise<Void>?)] = []
    private var flushed = 0
    /// Bytes that the gateway has written and nobody has taken.
    private(set) var heldBytes = 0
    private var closePromise: EventLoopPromise<Void>?
    private var wantsOutputClosed = false
    private weak var channel: EmbeddedChannel?

    func handlerAdded(context: ChannelHandlerContext) { channel = context.channel as? EmbeddedChannel }

    func read(context: ChannelHandlerContext) { isReadRequested = true }

    func consumeReadRequest() -> Bool {
        defer { isReadRequested = false }
        return isReadRequested
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if isOutputClosed || wantsOutputClosed {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        let bytes = unwrapOutboundIn(data)
        heldBytes += bytes.readableBytes
        waiting.append((bytes, promise))
        guard heldBytes > Self.highMark, let channel, channel.isWritable else { return }
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
    }

    func flush(context: ChannelHandlerContext) { flushed = waiting.count }

    /// What the gateway has flushed, at most `limit` bytes of it; the rest stays with the gateway.
    func take(upTo limit: Int) -> ByteBuffer {
        var taken = ByteBuffer()
        defer { heldBytesChanged() }
        while flushed > 0, taken.readableBytes < limit {
            let room = limit - taken.readableBytes
            if waiting[0].bytes.readableBytes > room {
                if let part = waiting[0].bytes.readSlice(length: room) { taken.writeImmutableBuffer(part) }
                heldBytes -= room
                break
            }
            taken.writeImmutableBuffer(waiting[0].bytes)
            heldBytes -= waiting[0].bytes.readableBytes
            let (_, promise) = waiting.removeFirst()
            flushed -= 1
            promise?.succeed()
        }
        return taken
    }

    private func heldBytesChanged() {
        if wantsOutputClosed, waiting.isEmpty, !isOutputClosed { finishOutput() }
        guard heldBytes < Self.lowMark, let channel, !channel.isWritable, channel.isActive else { return }
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
    }

    private func finishOutput() {
        isOutputClosed = true
        closePromise?.succeed()
        closePromise = nil
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else {
            isOutputClosed = true
            // What was flushed is with the kernel, which sends it all the same.
            let (sent, lost) = (waiting[..<flushed], waiting[flushed...])
            waiting = sent.map { ($0.bytes, nil) }
            heldBytes -= lost.reduce(0) { $0 + $1.bytes.readableBytes }
            for (_, promise) in sent { promise?.succeed() }
            for (_, promise) in lost { promise?.fail(ChannelError.ioOnClosedChannel) }
            closePromise?.fail(ChannelError.ioOnClosedChannel)
            closePromise = nil
            return context.close(mode: mode, promise: promise)
        }
        wantsOutputClosed = true
        flushed = waiting.count
        closePromise = promise
        if waiting.isEmpty { finishOutput() }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP2

/// Stands between the socket and a server's NIOHTTP2 and keeps it from ending the connection over a stream too many,
/// which is for others to refuse; leaves when that is done.
///
/// NIOHTTP2 enforces the limit that it announces, and one of 100 streams until the client has acknowledged that. So its
/// first SETTINGS frame says that there is no limit; it is not sent, and acknowledged here, right behind the client's
/// first frame. The second, which is the first for the client, gets the limit written into it.
final class StreamLimit: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    static let none = HTTP2Setting(parameter: .maxConcurrentStreams, value: Int(Int32.max))

    /// RFC 9113 section 3.4: "PRI * HTTP/2.0" and so on.
    private static let prefaceBytes = 24
    /// Sections 4.1 and 6.5: nine bytes of head, of which three are the length, one the type and one the flags; then
    /// two of name and four of value for each setting.
    private static let (headBytes, settingBytes) = (9, 6)
    private static let settingsType: UInt8 = 4
    private static let maxConcurrentStreams: UInt16 = 3
    private static let acknowledgement: [UInt8] = [0, 0, 0, settingsType, 1, 0, 0, 0, 0]

    private let limit: UInt32
    private var writes = 0
    /// The head of the client's first frame, as far as it has come.
    private var head: [UInt8] = []
    private var bytesRead = 0

    init(_ limit: Int) { self.limit = UInt32(clamping: limit) }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        writes += 1
        switch writes {
        case 1: promise?.succeed()
        case 2: context.write(wrapOutboundOut(limited(unwrapOutboundIn(data))), promise: promise)
        default: context.write(data, promise: promise)
        }
    }

    private func limited(_ frame: ByteBuffer) -> ByteBuffer {
        var frame = frame
        var place = frame.readerIndex + Self.headBytes
        while let name = frame.getInteger(at: place, as: UInt16.self) {
            if name == Self.maxConcurrentStreams { frame.setInteger(limit, at: place + 2) }
            place += Self.settingBytes
        }
        return frame
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        head += bytes.readableBytesView.dropFirst(max(0, Self.prefaceBytes - bytesRead))
            .prefix(Self.headBytes - head.count)
        let count = min(frameEnd - bytesRead, bytes.readableBytes)
        bytesRead += count
        if let part = bytes.readSlice(length: count) { context.fireChannelRead(wrapInboundOut(part)) }
        guard bytesRead == frameEnd else { return }
        if head[3] == Self.settingsType { acknowledge(context) }
        if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    /// Where the client's first frame ends; at least its head, as long as that has not come whole.
    private var frameEnd: Int {
        Self.prefaceBytes + Self.headBytes + head.prefix(3).reduce(0) { $0 << 8 | Int($1) }
    }

    private func acknowledge(_ context: ChannelHandlerContext) {
        context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: Self.acknowledgement)))
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Waits for the first bytes of a TLS client, its hello, and ends the connection in their place. It stands before
/// everything else, which never sees them.
final class HandshakeBreaker: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let toxic: HandshakeToxic
    private let connection: LinkConnection
    private var isOver = false

    init(_ toxic: HandshakeToxic, _ connection: LinkConnection) {
        self.toxic = toxic
        self.connection = connection
    }

    /// Nobody else reads: the relay waits for a server that never comes. A connection that has just come is not active
    /// yet, and would not remember that it was asked.
    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { context.read() }
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        isOver = true
        let answer = toxic.answer
        guard !answer.isEmpty else { return connection.reset() }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer)), promise: nil)
        connection.sever()
    }
}

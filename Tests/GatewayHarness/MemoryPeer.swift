// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import NIOEmbedded

/// The other end of one of the gateway's connections: a client, or an upstream. Nothing moves by itself;
/// `MemoryGateway.run` carries the bytes.
package final class MemoryPeer {
    /// Bytes that one read of the gateway brings at most.
    static let readBytes = 64 << 10

    /// From 1, in the order of opening, clients and upstreams apart.
    package let number: Int
    /// Where the gateway connected to; nil for a client.
    package let port: Int?
    let channel: EmbeddedChannel
    let socket: MemorySocket
    private var outgoing: [ByteBuffer] = []
    private var hasFinished = false
    private var endDelivered = false
    /// All that has come from the gateway and was not cleared.
    package var received = ByteBuffer()
    /// Bytes that may still be taken off the gateway; `.max` for a peer that reads.
    package var appetite = Int.max
    /// Called when more has come, with the peer.
    package var onReceive: ((MemoryPeer) -> Void)?
    /// Bytes that the gateway has read of what was sent.
    package private(set) var deliveredBytes = 0
    /// Bytes that came from the gateway.
    package private(set) var takenBytes = 0

    init(number: Int, port: Int?, channel: EmbeddedChannel, socket: MemorySocket) {
        (self.number, self.port, self.channel, self.socket) = (number, port, channel, socket)
    }

    /// The gateway has closed the connection.
    package var isClosed: Bool { !channel.isActive }
    /// The gateway sends nothing more.
    package var hasEnded: Bool { isClosed || socket.isOutputClosed }
    /// Bytes that the gateway has written and this peer has not taken.
    package var heldBytes: Int { socket.heldBytes }
    /// Bytes sent that the gateway has not read.
    package var unreadBytes: Int { outgoing.reduce(0) { $0 + $1.readableBytes } }
    /// All that came, as text of one byte a character.
    package var text: String { String(decoding: received.readableBytesView.map(UInt16.init), as: UTF16.self) }

    package func takeText() -> String {
        defer { received.clear() }
        return text
    }

    package func send(_ text: String) { send(ByteBuffer(string: text)) }

    package func send(_ bytes: ByteBuffer) { if bytes.readableBytes > 0 { outgoing.append(bytes) } }

    /// Closes the peer's sending side.
    package func finish() { hasFinished = true }

    /// Breaks the connection off at once.
    package func reset() {
        outgoing = []
        guard channel.isActive else { return }
        channel.pipeline.fireErrorCaught(IOError(errnoCode: 104, reason: "reset"))
        if channel.isActive { channel.close(promise: nil) }
    }

    /// Carries what there is, one read's worth.
    ///
    /// - Returns: whether anything moved.
    func pump() -> Bool {
        var moved = false
        let taken = socket.take(upTo: appetite)
        if taken.readableBytes > 0 {
            if appetite != .max { appetite -= taken.readableBytes }
            takenBytes += taken.readableBytes
            received.writeImmutableBuffer(taken)
            onReceive?(self)
            moved = true
        }
        guard channel.isActive else { return moved }
        if !outgoing.isEmpty, socket.consumeReadRequest() {
            var bytes = outgoing[0]
            let piece = bytes.readSlice(length: min(Self.readBytes, bytes.readableBytes)) ?? ByteBuffer()
            if bytes.readableBytes > 0 { outgoing[0] = bytes } else { outgoing.removeFirst() }
            deliveredBytes += piece.readableBytes
            channel.pipeline.fireChannelRead(piece)
            channel.pipeline.fireChannelReadComplete()
            channel.read()
            moved = true
        } else if outgoing.isEmpty, hasFinished, !endDelivered, socket.isReadRequested {
            endDelivered = true
            channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            moved = true
        }
        return moved
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Tells HTTP/2 with prior knowledge from HTTP/1.1 on a connection without TLS: by the client's first bytes, which are
/// the preface of RFC 9113 section 3.4 or no HTTP/2.
package final class PrefaceDetector: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = ByteBuffer

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private let timeout: TimeAmount
    private let detected: (any Channel, _ isHTTP2: Bool) throws -> Void
    private var bytes = ByteBuffer()
    private var hasDetected = false
    private var deadline: Deadline?

    /// - Parameters:
    ///   - timeout: for the first bytes.
    ///   - detected: adds what speaks the protocol to the end of the pipeline.
    package init(timeout: TimeAmount, detected: @escaping (any Channel, _ isHTTP2: Bool) throws -> Void) {
        self.timeout = timeout
        self.detected = detected
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        deadline = Deadline(closing: context, after: timeout)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if hasDetected { return context.fireChannelRead(data) }
        bytes.writeImmutableBuffer(unwrapInboundIn(data))
        let seen = bytes.readableBytesView.prefix(Self.preface.count)
        let isPreface = seen.elementsEqual(Self.preface.prefix(seen.count))
        if isPreface, seen.count < Self.preface.count { return }
        hasDetected = true
        deadline?.clear()
        do {
            try detected(context.channel, isPreface)
        } catch {
            return context.close(promise: nil)
        }
        let bytes = bytes
        self.bytes = ByteBuffer()
        context.fireChannelRead(NIOAny(bytes))
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if !hasDetected, case ChannelEvent.inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }
}

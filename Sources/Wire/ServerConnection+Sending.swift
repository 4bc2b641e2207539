// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What a delegate asks for more rarely than an ordinary response.
extension ServerConnection {
    /// Sends an interim response, whole with its empty line; to HTTP/1.0, which knows none, nothing.
    package func send(interim response: ByteBuffer) {
        guard let context, writing == .awaitingHead, head.version == .http11 else { return }
        context.writeAndFlush(wrapOutboundOut(response), promise: nil)
    }

    /// The connection is not used again when this exchange has ended.
    package func closeAfterExchange() { closesAfterExchange = true }

    /// Closes with a reset (RST) instead of an orderly end.
    package func reset() {
        guard let context else { return }
        (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            .whenComplete { _ in }
        close()
    }
}

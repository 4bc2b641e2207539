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

    // MARK: Slow clients

    /// Gives the client time to take what waits to be written.
    func awaitSending() {
        guard let context else { return }
        let deadline = sendDeadline ?? Deadline(on: context.eventLoop) { [unowned self] in sendOverdue() }
        sendDeadline = deadline
        bytesWaiting = countBytesWaiting()
        deadline.set(timeouts.send)
    }

    private func sendOverdue() {
        // The channel tells when it has become writable, but not that it is getting there.
        if countBytesWaiting() != bytesWaiting { awaitSending() } else { close() }
    }

    private func countBytesWaiting() -> Int {
        isStream ? 0 : (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }
}

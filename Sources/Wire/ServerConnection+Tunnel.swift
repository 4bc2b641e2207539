// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

/// After 101 (RFC 9110 section 7.8): the connection is a pair of byte streams. They go the way of bodies, with the same
/// back-pressure, and end one by one: `receivedEnd` is the end of the client's, `sendEnd` that of ours.
extension ServerConnection {
    /// Sends the head of a 101 response; from then on `received(body:)` and `send(body:)` carry bytes as they are. The
    /// exchange ends when both sides have ended. How long it may be idle is the delegate's business.
    package func switchProtocols(_ response: HeadWriter) {
        guard context != nil, writing == .awaitingHead, reading == .ended else { return }
        var bytes = response.buffer
        bytes.writeStaticString("Connection: upgrade\r\n\r\n")
        outbound.begin(bytes, framing: .untilClose)
        decoder = BodyDecoder(.untilClose, limits: limits)
        (reading, writing, isTunnel, closesAfterExchange) = (.body, .body, true, true)
        deadline?.clear()
        flush()
        // What the client has sent ahead of the answer belongs to the other protocol.
        process()
        releaseRead()
    }

    /// All that the client sent before it closed its side was delivered.
    func endTunnelInput() {
        reading = .ended
        delegate.receivedEnd(trailers: nil, on: self)
        finishExchange()
    }

    /// Closes our side only: the client may go on sending.
    func endTunnelOutput() {
        if reading == .ended { return finishExchange() }
        isOutputClosed = true
        context?.close(mode: .output, promise: nil)
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

/// After 101: the connection is a pair of byte streams that end one by one. Nothing moving either way for the time to
/// read is a failure, as in nginx.
extension ClientConnection {
    func beginTunnel() {
        (receiving, sending) = (.body, .body)
        (isTunnel, isReusable) = (true, false)
        decoder = BodyDecoder(.untilClose, limits: limits)
        outbound.begin(ByteBuffer(), framing: .untilClose)
        restartTimeout()
        delegate?.received(head: head, on: self)
    }

    /// The server has ended its side; ours goes on until `sendEnd`.
    func endTunnelInput() {
        receiving = .ended
        let delegate = delegate
        if sending == .ended { close() } else { restartTimeout() }
        delegate?.receivedEnd(trailers: nil, on: self)
    }

    func endTunnelOutput() {
        if receiving == .ended { return close() }
        restartTimeout()
        context?.close(mode: .output, promise: nil)
    }
}

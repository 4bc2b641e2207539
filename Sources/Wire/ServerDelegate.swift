// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Answers the requests of one connection. Confined to the connection's event loop; every call comes from there.
///
///     received(head:) -> received(body:)* -> receivedEnd -> ... -> exchangeEnded -> received(head:) ...
///
/// The next request is not read before the response to this one is complete, whatever the client has sent ahead.
package protocol ServerDelegate: AnyObject {
    /// A request begins. `head` is the connection's own object and valid until `exchangeEnded` or `closed`. The
    /// response may be sent from within any of these calls, or later.
    func received(head: RequestHead, on connection: ServerConnection)
    func received(body: ByteBuffer, on connection: ServerConnection)
    func receivedEnd(trailers: Trailers?, on connection: ServerConnection)
    /// All that has arrived was delivered: a good moment to flush what was made of it.
    func readCompleted(on connection: ServerConnection)
    /// The response is complete, and so is the request unless the connection is about to close over it. Comes after a
    /// `refusal` too, whether or not the request had been received.
    func exchangeEnded(on connection: ServerConnection)
    /// `connection.isWritable` has changed: stop or go on sending.
    func writabilityChanged(on connection: ServerConnection)
    /// The connection is gone; an exchange that was under way is abandoned. Comes exactly once.
    func closed(on connection: ServerConnection)
    /// The answer to bytes that are no acceptable request (or, at 408, to a request that did not come to its end). A
    /// head that is refused was never received; a body may be refused after its head was.
    func refusal(
        status: Int, error: WireError?, on connection: ServerConnection
    ) -> (head: HeadWriter, body: ByteBuffer)
}

extension ServerDelegate {
    package func readCompleted(on connection: ServerConnection) {}
    package func exchangeEnded(on connection: ServerConnection) {}
    package func writabilityChanged(on connection: ServerConnection) {}
    package func closed(on connection: ServerConnection) {}
}

/// How long a server waits for its clients.
package struct ServerTimeouts: Sendable, Hashable {
    /// From the first byte of a request to the end of its head (nginx `client_header_timeout`).
    package var head = TimeAmount.seconds(60)
    /// Between two reads of a body (nginx `client_body_timeout`).
    package var body = TimeAmount.seconds(60)
    /// Without progress while a response waits to be written (nginx `send_timeout`).
    package var send = TimeAmount.seconds(60)
    /// Between two requests (nginx `keepalive_timeout`).
    package var idle = TimeAmount.seconds(75)
    /// For the rest of a request after its response went out early, before the connection is closed over it.
    package var linger = TimeAmount.seconds(2)

    package init() {}
}

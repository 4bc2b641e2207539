// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// How one direction of a connection ended.
package enum StreamEnd: Hashable, Sendable {
    /// The sender has said everything (FIN): the other direction lives on.
    case finished
    /// The sender gave the connection up (RST): both directions are dead.
    case reset
}

/// What a fault lets pass.
package enum Delivery: Hashable, Sendable {
    case bytes(ByteBuffer)
    case end(StreamEnd)

    var byteCount: Int { if case .bytes(let buffer) = self { buffer.readableBytes } else { 0 } }
}

/// One fault on one direction of one connection: a pure machine without sockets, timers or clocks. The link (or the
/// virtual network) that owns it hands it what arrived and when, asks for what is due, and sets one timer for
/// `nextDeadline`. Bytes never change their order, and the end never overtakes them.
///
/// One that holds nothing back returns its input from `push` and `close` at once.
package protocol StreamToxic: Sendable {
    /// Takes bytes that arrived at `now`.
    /// - Returns: what may pass at once.
    mutating func push(_ chunk: ByteBuffer, at now: NIODeadline) -> [Delivery]
    /// Takes the end of the stream; nothing is pushed after it.
    mutating func close(_ end: StreamEnd, at now: NIODeadline) -> [Delivery]
    /// What has become due by `now`.
    mutating func advance(to now: NIODeadline) -> [Delivery]
    /// The fault is removed: everything it held passes at once, as if the line had been repaired.
    mutating func release() -> [Delivery]

    /// When `advance` has something to give, nil when nothing is held.
    var nextDeadline: NIODeadline? { get }
    /// Bytes held back; what the owner reads is bounded by it.
    var heldBytes: Int { get }
}

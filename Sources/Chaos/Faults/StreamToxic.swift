// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// How one direction of a connection ended.
package enum StreamEnd: Hashable, Sendable {
    /// The sender has said everything (FIN): the other direction lives on.
    case finished
    /// The connection is given up (RST): both directions are dead.
    case reset
    /// Both sides are told an orderly end (FIN), in the middle of whatever was said.
    case severed
    /// The receiver's side is gone (RST to it) and the sender is not told: it talks to nobody.
    case lost
}

/// What a fault lets pass.
package enum Delivery: Hashable, Sendable, Weighted {
    case bytes(ByteBuffer)
    case end(StreamEnd)

    var byteCount: Int { if case .bytes(let buffer) = self { buffer.readableBytes } else { 0 } }
}

/// One fault on one direction of one connection: a pure machine without sockets, timers or clocks. The link (or the
/// virtual network) that owns it hands it what arrived and when, asks for what is due, and sets one timer for
/// `nextDeadline`. Bytes never change their order, and the end never overtakes them.
///
/// One that holds nothing back returns its input from `push` and `close` at once. After it has returned an end it is
/// asked for nothing more but `release`.
package protocol StreamToxic: Sendable {
    /// The fault is put on the connection; called once, before anything else.
    mutating func begin(at now: NIODeadline) -> [Delivery]
    /// Takes bytes that arrived at `now`.
    /// - Returns: what may pass at once.
    mutating func push(_ chunk: ByteBuffer, at now: NIODeadline) -> [Delivery]
    /// Takes the end of the stream; nothing is pushed after it.
    mutating func close(_ end: StreamEnd, at now: NIODeadline) -> [Delivery]
    /// What has become due by `now`.
    mutating func advance(to now: NIODeadline) -> [Delivery]
    /// The fault is removed: everything it held passes at once, as if the line had been repaired.
    mutating func release() -> [Delivery]
    /// The fault gets other settings: like `release`, but the connection goes on under the same fault.
    mutating func handOver() -> [Delivery]
    /// The machine that had the place of this one before its settings changed; to go on counting.
    mutating func adopt(_ former: any StreamToxic)

    /// When `advance` has something to give, nil when nothing is held.
    var nextDeadline: NIODeadline? { get }
    /// Bytes held back; what the owner reads is bounded by it.
    var heldBytes: Int { get }
}

extension StreamToxic {
    package mutating func begin(at now: NIODeadline) -> [Delivery] { [] }
    package mutating func push(_ chunk: ByteBuffer, at now: NIODeadline) -> [Delivery] { [.bytes(chunk)] }
    package mutating func close(_ end: StreamEnd, at now: NIODeadline) -> [Delivery] { [.end(end)] }
    package mutating func advance(to now: NIODeadline) -> [Delivery] { [] }
    package mutating func release() -> [Delivery] { [] }
    package mutating func handOver() -> [Delivery] { release() }
    package mutating func adopt(_ former: any StreamToxic) {}
    package var nextDeadline: NIODeadline? { nil }
    package var heldBytes: Int { 0 }
}

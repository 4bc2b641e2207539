// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

/// A fault on bytes that works on one message alone: its machine sees the bytes of the message and nothing else. The
/// next message waits until it has let go of this one.
struct ScopedToxic: MessageToxic {
    /// Nil when it was removed: what is still to come passes.
    private var machine: (any StreamToxic)?
    private var hasBegun = false
    private var isEnding = false
    private var hasEnded = false

    init(_ machine: any StreamToxic) { self.machine = machine }

    var nextDeadline: NIODeadline? { machine?.nextDeadline }
    var heldBytes: Int { machine?.heldBytes ?? 0 }

    mutating func take(_ part: MessagePart, at now: NIODeadline) -> [MessagePart] {
        var deliveries: [Delivery] = []
        if !hasBegun {
            hasBegun = true
            deliveries = machine?.begin(at: now) ?? []
        }
        switch part {
        case .head(let head): deliveries += push(head.bytes, at: now)
        case .body(let bytes): deliveries += push(bytes, at: now)
        case .raw(.bytes(let bytes)): deliveries += push(bytes, at: now)
        case .raw(.end(let end)): deliveries += machine?.close(end, at: now) ?? [.end(end)]
        case .end: isEnding = true
        }
        return finished(deliveries)
    }

    mutating func advance(to now: NIODeadline) -> [MessagePart] { finished(machine?.advance(to: now) ?? []) }

    mutating func release(at now: NIODeadline) -> [MessagePart] {
        let released = machine?.release() ?? []
        machine = nil
        return finished(released)
    }

    private mutating func push(_ bytes: ByteBuffer, at now: NIODeadline) -> [Delivery] {
        machine?.push(bytes, at: now) ?? [.bytes(bytes)]
    }

    /// The message has ended when nothing of it is held and nothing more will come of its fault.
    private mutating func finished(_ deliveries: [Delivery]) -> [MessagePart] {
        let isDrained = heldBytes == 0 && nextDeadline == nil
        guard isEnding, isDrained, !hasEnded else { return deliveries.map(MessagePart.raw) }
        hasEnded = true
        return deliveries.map(MessagePart.raw) + [.end]
    }
}

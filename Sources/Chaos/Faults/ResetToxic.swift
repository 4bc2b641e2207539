// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The connection is reset (RST): both sides read "connection reset by peer". Without settings at once, also on
/// connections that are open when the fault comes.
package struct ResetToxic: Hashable, Sendable {
    /// So long after the fault met the connection; with `bytes`, after these have passed.
    package var after: TimeAmount
    /// Exactly so many bytes of the stream pass before; at 0 the first byte that is said triggers it.
    package var bytes: Int?

    package init(after: TimeAmount = .zero, bytes: Int? = nil) {
        self.after = after
        self.bytes = bytes
    }

    package var phrase: String {
        "reset" + (bytes.map { " behind \($0) bytes" } ?? "") + (after > .zero ? " after \(after.phrase)" : "")
    }
}

package struct ResetMachine: StreamToxic {
    private let settings: ResetToxic
    private var left: Int
    package private(set) var nextDeadline: NIODeadline?

    package init(_ settings: ResetToxic) {
        self.settings = settings
        left = settings.bytes ?? 0
    }

    package mutating func begin(at now: NIODeadline) -> [Delivery] { settings.bytes == nil ? trigger(at: now) : [] }

    package mutating func push(_ chunk: ByteBuffer, at now: NIODeadline) -> [Delivery] {
        if settings.bytes == nil { return [.bytes(chunk)] }
        // What is behind the limit is lost with the connection.
        if nextDeadline != nil { return [] }
        var chunk = chunk
        guard chunk.readableBytes > left || left == 0 else {
            left -= chunk.readableBytes
            return left == 0 ? [.bytes(chunk)] + trigger(at: now) : [.bytes(chunk)]
        }
        let passing = chunk.readSlice(length: left) ?? ByteBuffer()
        left = 0
        return (passing.readableBytes > 0 ? [.bytes(passing)] : []) + trigger(at: now)
    }

    package mutating func advance(to now: NIODeadline) -> [Delivery] {
        guard let deadline = nextDeadline, deadline <= now else { return [] }
        nextDeadline = nil
        return [.end(.reset)]
    }

    private mutating func trigger(at now: NIODeadline) -> [Delivery] {
        guard settings.after > .zero else { return [.end(.reset)] }
        nextDeadline = now + settings.after
        return []
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// What a network that doubles datagrams, or lets one overtake another, does to one of them.
package struct DatagramTreatment: Hashable, Sendable {
    /// It arrives so many times.
    package var copies = 1
    /// It waits until the next one has gone, at most so long; nil: it goes at once.
    package var hold: TimeAmount?

    package init(copies: Int = 1, hold: TimeAmount? = nil) {
        self.copies = copies
        self.hold = hold
    }
}

/// The order in which datagrams leave: one that is held goes behind the next one, whoever that is for, or when its time
/// is up. At most one is held at a time, so a row of them leaves in pairs that have changed their places.
package struct DatagramOrder<Datagram: Sendable>: Sendable {
    private struct Held {
        var datagram: Datagram
        var copies: Int
        var deadline: NIODeadline
    }

    private var held: Held?

    package init() {}

    /// When `advance` has something to give.
    package var nextDeadline: NIODeadline? { held?.deadline }

    /// - Returns: what leaves now, in this order.
    package mutating func push(_ datagram: Datagram, _ treatment: DatagramTreatment, at now: NIODeadline) -> [Datagram]
    {
        guard let before = held else {
            guard let hold = treatment.hold else { return Array(repeating: datagram, count: treatment.copies) }
            held = Held(datagram: datagram, copies: treatment.copies, deadline: now + hold)
            return []
        }
        held = nil
        return Array(repeating: datagram, count: treatment.copies)
            + Array(repeating: before.datagram, count: before.copies)
    }

    package mutating func advance(to now: NIODeadline) -> [Datagram] {
        guard let due = held, due.deadline <= now else { return [] }
        held = nil
        return Array(repeating: due.datagram, count: due.copies)
    }
}

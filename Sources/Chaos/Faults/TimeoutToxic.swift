// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Nothing passes, and the connection is closed once nothing has come for `after`; at zero never. What was said is
/// lost, so taking the fault off closes the connection, as in Toxiproxy.
package struct TimeoutToxic: Hashable, Sendable {
    package var after: TimeAmount

    package init(after: TimeAmount) { self.after = after }

    package var phrase: String { "nothing passes" + (after > .zero ? ", closed after \(after.phrase) of silence" : "") }
}

package struct TimeoutMachine: StreamToxic {
    private let settings: TimeoutToxic
    package private(set) var nextDeadline: NIODeadline?

    package init(_ settings: TimeoutToxic) { self.settings = settings }

    package mutating func begin(at now: NIODeadline) -> [Delivery] {
        if settings.after > .zero { nextDeadline = now + settings.after }
        return []
    }

    package mutating func push(_ chunk: ByteBuffer, at now: NIODeadline) -> [Delivery] { begin(at: now) }

    package mutating func close(_ end: StreamEnd, at now: NIODeadline) -> [Delivery] {
        end == .finished ? [] : [.end(end)]
    }

    package mutating func advance(to now: NIODeadline) -> [Delivery] {
        guard let deadline = nextDeadline, deadline <= now else { return [] }
        nextDeadline = nil
        return [.end(.severed)]
    }

    package mutating func release() -> [Delivery] { [.end(.severed)] }
    package mutating func handOver() -> [Delivery] { [] }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The end of the stream (FIN) comes later; bytes do not.
package struct SlowCloseToxic: Hashable, Sendable {
    package var delay: TimeAmount

    package init(delay: TimeAmount) { self.delay = delay }

    package var phrase: String { "the end comes \(delay.phrase) later" }
}

package struct SlowCloseMachine: StreamToxic {
    private let settings: SlowCloseToxic
    private var queue = DueQueue<Delivery>()

    package init(_ settings: SlowCloseToxic) { self.settings = settings }

    package var nextDeadline: NIODeadline? { queue.nextDeadline }

    package mutating func close(_ end: StreamEnd, at now: NIODeadline) -> [Delivery] {
        guard end == .finished else { return [.end(end)] }
        queue.hold(.end(end), until: now + settings.delay)
        return queue.take(until: now)
    }

    package mutating func advance(to now: NIODeadline) -> [Delivery] { queue.take(until: now) }
    package mutating func release() -> [Delivery] { queue.takeAll() }
}

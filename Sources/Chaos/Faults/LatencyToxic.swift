// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DequeModule
package import NIOCore
package import World

/// Everything arrives later, as over a long line. What is said close together also arrives close together: delays of
/// chunks overlap, they do not add up.
package struct LatencyToxic: Hashable, Sendable {
    package var delay: DelayDistribution
    /// The onward connection is opened later as well. (The client's own connect is completed by the kernel at once: a
    /// relay cannot hold it back.)
    package var delaysConnect: Bool

    package init(_ delay: DelayDistribution, delaysConnect: Bool = false) {
        self.delay = delay
        self.delaysConnect = delaysConnect
    }
}

/// The machine: a queue of chunks with the instant each is due. A chunk that draws a shorter delay than the one before
/// it waits for that one, because a byte stream keeps its order.
package struct LatencyMachine: StreamToxic {
    private let settings: LatencyToxic
    private var random: RandomStream
    private var queue: Deque<(delivery: Delivery, due: NIODeadline)> = []
    package private(set) var heldBytes = 0

    package init(_ settings: LatencyToxic, random: RandomStream) {
        self.settings = settings
        self.random = random
    }

    package var nextDeadline: NIODeadline? { queue.first?.due }

    package mutating func push(_ chunk: ByteBuffer, at now: NIODeadline) -> [Delivery] {
        hold(.bytes(chunk), at: now)
        return advance(to: now)
    }

    package mutating func close(_ end: StreamEnd, at now: NIODeadline) -> [Delivery] {
        hold(.end(end), at: now)
        return advance(to: now)
    }

    package mutating func advance(to now: NIODeadline) -> [Delivery] {
        var due: [Delivery] = []
        while let first = queue.first, first.due <= now { due.append(takeFirst()) }
        return due
    }

    package mutating func release() -> [Delivery] {
        var all: [Delivery] = []
        while !queue.isEmpty { all.append(takeFirst()) }
        return all
    }

    private mutating func hold(_ delivery: Delivery, at now: NIODeadline) {
        let due = now + settings.delay.draw(&random)
        queue.append((delivery, max(due, queue.last?.due ?? due)))
        heldBytes += delivery.byteCount
    }

    private mutating func takeFirst() -> Delivery {
        let delivery = queue.removeFirst().delivery
        heldBytes -= delivery.byteCount
        return delivery
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

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

    package var phrase: String { "latency \(delay.phrase)" + (delaysConnect ? ", also to connect" : "") }
}

/// The machine: a queue of chunks with the instant each is due. A chunk that draws a shorter delay than the one before
/// it waits for that one, because a byte stream keeps its order.
package struct LatencyMachine: StreamToxic {
    private let settings: LatencyToxic
    private var random: RandomStream
    private var queue = DueQueue<Delivery>()

    package init(_ settings: LatencyToxic, random: RandomStream) {
        self.settings = settings
        self.random = random
    }

    package var nextDeadline: NIODeadline? { queue.nextDeadline }
    package var heldBytes: Int { queue.heldBytes }

    package mutating func push(_ chunk: ByteBuffer, at now: NIODeadline) -> [Delivery] {
        queue.hold(.bytes(chunk), until: now + settings.delay.draw(&random))
        return queue.take(until: now)
    }

    package mutating func close(_ end: StreamEnd, at now: NIODeadline) -> [Delivery] {
        queue.hold(.end(end), until: now + settings.delay.draw(&random))
        return queue.take(until: now)
    }

    package mutating func advance(to now: NIODeadline) -> [Delivery] { queue.take(until: now) }
    package mutating func release() -> [Delivery] { queue.takeAll() }
}

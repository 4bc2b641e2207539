// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import World

/// Packets are lost, as TCP shows it to those who use it: nothing is missing, but a lost segment comes a
/// retransmission timeout later, and what follows waits for it. (Dropping bytes would be another fault: TCP never
/// does.)
package struct LossToxic: Hashable, Sendable {
    /// The share of segments that are lost, 0...1.
    package var rate: Double
    /// How much a loss depends on the one before, 0...1: the correlation of neighbours. Losses come in bursts.
    package var correlation: Double

    package init(rate: Double, correlation: Double = 0) {
        self.rate = rate
        self.correlation = correlation
    }

    /// Payload of a segment on an Ethernet path with time stamps: 1500 - 20 (IP) - 32 (TCP).
    package static let segmentBytes = 1448
    /// Linux's shortest retransmission timeout (TCP_RTO_MIN), which a fast line always has.
    package static let timeout = TimeAmount.milliseconds(200)
    /// RFC 6298 doubles the timeout at each loss of the same segment; Linux stops at TCP_RTO_MAX...
    package static let longestTimeout = TimeAmount.seconds(120)
    /// ...and gives up after so many (tcp_retries2); here the segment passes at last.
    package static let mostLosses = 15

    package var phrase: String {
        "loss of \(Ratio(rate)) of segments" + (correlation > 0 ? ", correlation \(Ratio(correlation))" : "")
    }
}

package struct LossMachine: StreamToxic {
    private let settings: LossToxic
    private var random: RandomStream
    private var wasLost = false
    private var queue = DueQueue<Delivery>()

    package init(_ settings: LossToxic, random: RandomStream) {
        self.settings = settings
        self.random = random
    }

    package var nextDeadline: NIODeadline? { queue.nextDeadline }
    package var heldBytes: Int { queue.heldBytes }

    package mutating func push(_ chunk: ByteBuffer, at now: NIODeadline) -> [Delivery] {
        var (rest, run, runDelay) = (chunk, ByteBuffer(), TimeAmount.zero)
        while let segment = rest.readSlice(length: min(LossToxic.segmentBytes, rest.readableBytes)),
            segment.readableBytes > 0
        {
            let delay = drawDelay()
            // Neighbours of one delay stay one chunk: the receiver's reads are not what this fault is about.
            if delay != runDelay, run.readableBytes > 0 {
                queue.hold(.bytes(run), until: now + runDelay)
                run = ByteBuffer()
            }
            runDelay = delay
            run.writeImmutableBuffer(segment)
        }
        if run.readableBytes > 0 { queue.hold(.bytes(run), until: now + runDelay) }
        return queue.take(until: now)
    }

    package mutating func close(_ end: StreamEnd, at now: NIODeadline) -> [Delivery] {
        queue.hold(.end(end), until: now + drawDelay())
        return queue.take(until: now)
    }

    package mutating func advance(to now: NIODeadline) -> [Delivery] { queue.take(until: now) }
    package mutating func release() -> [Delivery] { queue.takeAll() }

    /// The sum of the timeouts of a segment that is lost again and again.
    private mutating func drawDelay() -> TimeAmount {
        var (delay, timeout) = (TimeAmount.zero, LossToxic.timeout)
        for transmission in 0..<LossToxic.mostLosses {
            guard transmission == 0 ? drawLoss() : random.chance(settings.rate) else { break }
            delay = delay + timeout
            timeout = min(timeout * 2, LossToxic.longestTimeout)
        }
        return delay
    }

    /// Of the first transmission: a chain of two states whose long-run share of losses is `rate` and whose neighbours
    /// correlate by `correlation`.
    private mutating func drawLoss() -> Bool {
        let independent = settings.rate * (1 - settings.correlation)
        wasLost = random.chance(wasLost ? independent + settings.correlation : independent)
        return wasLost
    }
}

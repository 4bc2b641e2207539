// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DequeModule
package import NIOCore
package import World

/// Bytes arrive in small pieces, one after the other. Those who take one read for one message are found out.
package struct SlicerToxic: Hashable, Sendable {
    /// Bytes of a piece, at least 1.
    package var size: Int
    /// A piece has this many bytes more or less, evenly drawn; below `size`.
    package var variation: Int
    /// From one piece to the next.
    package var delay: TimeAmount

    package init(size: Int, variation: Int = 0, delay: TimeAmount = .zero) {
        self.size = size
        self.variation = variation
        self.delay = delay
    }

    package var phrase: String {
        "slices of \(size)" + (variation > 0 ? " ± \(variation)" : "") + " bytes"
            + (delay > .zero ? ", \(delay.phrase) apart" : "")
    }
}

package struct SlicerMachine: StreamToxic {
    private let settings: SlicerToxic
    private var random: RandomStream
    private var waiting: Deque<Delivery> = []
    /// When the next piece may go.
    private var free = NIODeadline.uptimeNanoseconds(0)
    package private(set) var heldBytes = 0

    package init(_ settings: SlicerToxic, random: RandomStream) {
        self.settings = settings
        self.random = random
    }

    package var nextDeadline: NIODeadline? { waiting.isEmpty ? nil : free }

    package mutating func push(_ chunk: ByteBuffer, at now: NIODeadline) -> [Delivery] { take(.bytes(chunk), at: now) }
    package mutating func close(_ end: StreamEnd, at now: NIODeadline) -> [Delivery] { take(.end(end), at: now) }

    private mutating func take(_ delivery: Delivery, at now: NIODeadline) -> [Delivery] {
        if waiting.isEmpty { free = max(free, now) }
        waiting.append(delivery)
        heldBytes += delivery.byteCount
        return advance(to: now)
    }

    package mutating func advance(to now: NIODeadline) -> [Delivery] {
        var passed: [Delivery] = []
        while free <= now, let first = waiting.popFirst() {
            guard case .bytes(var chunk) = first else {
                passed.append(first)
                continue
            }
            let slice = chunk.readSlice(length: min(drawSize(), chunk.readableBytes)) ?? ByteBuffer()
            if chunk.readableBytes > 0 { waiting.prepend(.bytes(chunk)) }
            heldBytes -= slice.readableBytes
            passed.append(.bytes(slice))
            free = free + settings.delay
        }
        return passed
    }

    package mutating func release() -> [Delivery] {
        defer {
            waiting = []
            heldBytes = 0
        }
        return Array(waiting)
    }

    private mutating func drawSize() -> Int {
        let variation = max(0, settings.variation)
        let drawn = variation > 0 ? Int(random.below(UInt64(2 * variation + 1))) - variation : 0
        return max(1, settings.size + drawn)
    }
}

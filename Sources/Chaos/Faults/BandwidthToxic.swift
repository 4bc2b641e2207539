// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DequeModule
package import NIOCore

#if GATECRASH_DEFECTS
import Defects
#endif

/// A line of so many bytes a second, for each direction of each connection. At 0 nothing passes and nothing is lost:
/// what was held passes when the fault is taken off.
package struct BandwidthToxic: Hashable, Sendable {
    package var bytesPerSecond: Int64

    package init(bytesPerSecond: Int64) { self.bytesPerSecond = bytesPerSecond }

    package var phrase: String { "bandwidth \(ByteAmount.text(bytesPerSecond))/s" }
}

/// The machine: a line that is busy from `lineStart` on. The n-th byte since then has left at
/// `lineStart + n / rate`, computed from n and never summed up, so that no rounding and no late timer adds up. Bytes
/// leave in slices of 10 ms, whole chunks when they are shorter, one byte at a time on a very slow line.
package struct BandwidthMachine: StreamToxic {
    private let rate: UInt64
    private var waiting: Deque<Delivery> = []
    private var lineStart = NIODeadline.uptimeNanoseconds(0)
    private var sent: UInt64 = 0
    package private(set) var heldBytes = 0

    package init(_ settings: BandwidthToxic) { rate = UInt64(max(0, settings.bytesPerSecond)) }

    package var nextDeadline: NIODeadline? {
        guard rate > 0, let first = waiting.first else { return nil }
        return due(after: slice(of: first))
    }

    package mutating func push(_ chunk: ByteBuffer, at now: NIODeadline) -> [Delivery] { take(.bytes(chunk), at: now) }
    package mutating func close(_ end: StreamEnd, at now: NIODeadline) -> [Delivery] { take(.end(end), at: now) }

    private mutating func take(_ delivery: Delivery, at now: NIODeadline) -> [Delivery] {
        #if GATECRASH_DEFECTS
        if Defect.bandwidthUnlimited.isChosen { return [delivery] }
        #endif
        if rate > 0, waiting.isEmpty, due(after: 0) <= now { (lineStart, sent) = (now, 0) }
        waiting.append(delivery)
        heldBytes += delivery.byteCount
        return advance(to: now)
    }

    package mutating func advance(to now: NIODeadline) -> [Delivery] {
        guard rate > 0 else { return [] }
        var passed: [Delivery] = []
        while let first = waiting.first, due(after: slice(of: first)) <= now { passed.append(takeSlice(of: first)) }
        return passed
    }

    package mutating func release() -> [Delivery] {
        defer {
            waiting = []
            heldBytes = 0
        }
        return Array(waiting)
    }

    private func slice(of delivery: Delivery) -> Int { min(delivery.byteCount, Int(max(1, rate / 100))) }

    private mutating func takeSlice(of delivery: Delivery) -> Delivery {
        waiting.removeFirst()
        let count = slice(of: delivery)
        sent += UInt64(count)
        heldBytes -= count
        guard case .bytes(var chunk) = delivery, count < chunk.readableBytes, let slice = chunk.readSlice(length: count)
        else { return delivery }
        waiting.prepend(.bytes(chunk))
        return .bytes(slice)
    }

    /// When `count` bytes more than `sent` have left, rounded up to the nanosecond.
    private func due(after count: Int) -> NIODeadline {
        let product = (sent + UInt64(count)).multipliedFullWidth(by: 1_000_000_000)
        guard product.high < rate else { return .distantFuture }
        let (quotient, remainder) = rate.dividingFullWidth(product)
        // Some centuries are for ever; a deadline must not overflow.
        guard quotient < 1 << 61 else { return .distantFuture }
        return lineStart + .nanoseconds(Int64(quotient) + (remainder > 0 ? 1 : 0))
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import World

/// Bytes are changed on the way: one bit of a share of them is flipped. Their number stays.
package struct CorruptToxic: Hashable, Sendable {
    /// The share of bytes, 0...1.
    package var rate: Double

    package init(rate: Double) { self.rate = rate }

    package var phrase: String { "corrupts \(Ratio(rate)) of bytes" }
}

package struct CorruptMachine: StreamToxic {
    private let rate: Double
    private var random: RandomStream
    /// Bytes up to the next that is hit.
    private var gap: Int

    package init(_ settings: CorruptToxic, random: RandomStream) {
        rate = settings.rate
        self.random = random
        gap = 0
        gap = drawGap()
    }

    package mutating func push(_ chunk: ByteBuffer, at now: NIODeadline) -> [Delivery] {
        var chunk = chunk
        while gap < chunk.readableBytes {
            let place = chunk.readerIndex + gap
            let byte = chunk.getInteger(at: place, as: UInt8.self) ?? 0
            chunk.setInteger(byte ^ (1 << UInt8(random.below(8))), at: place)
            gap += 1 + drawGap()
        }
        gap -= chunk.readableBytes
        return [.bytes(chunk)]
    }

    /// How many bytes are spared before the next hit: geometrically distributed, one draw instead of one a byte.
    private mutating func drawGap() -> Int {
        // More than any connection carries.
        let never = 1_000_000_000_000_000
        guard rate > 0 else { return never }
        let spared = (logarithm(1 - random.unit()) / logarithm(1 - rate)).rounded(.down)
        return spared < Double(never) ? Int(spared) : never
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import World

/// A shuffled wheel on which every address has weight / gcd entries, and a pointer that moves by one a pick
/// (kong/runloop/balancer/round_robin.lua): exact over one full turn. Owned by one event loop.
final class RoundRobin {
    /// The wheel of weights that share no divisor could be as long as their sum. Beyond this many entries the shares
    /// are rounded, each to one entry at least.
    static let longestWheel = 1 << 20

    private let addresses: [TargetAddress]
    /// Places in `addresses`.
    private let wheel: [UInt32]
    private var pointer = 0

    init(_ set: TargetSet, random: RandomStream) {
        addresses = set.addresses
        var random = random
        var wheel: [UInt32] = []
        for (place, points) in Self.points(of: addresses.map(\.weight)).enumerated() {
            wheel.append(contentsOf: repeatElement(UInt32(place), count: points))
        }
        for last in stride(from: wheel.count - 1, to: 0, by: -1) {
            wheel.swapAt(last, Int(random.below(UInt64(last + 1))))
        }
        self.wheel = wheel
    }

    /// - Returns: nil when no entry is available. A retry takes the next entry, which may be the same address.
    func pick() -> TargetAddress? {
        for _ in 0..<wheel.count {
            pointer = pointer + 1 < wheel.count ? pointer + 1 : 0
            let address = addresses[Int(wheel[pointer])]
            if address.isAvailable { return address }
        }
        return nil
    }

    /// How many entries each weight gets.
    static func points(of weights: [Int]) -> [Int] {
        let divisor = max(1, weights.reduce(0, greatestCommonDivisor))
        let total = weights.reduce(0, +) / divisor
        guard total > longestWheel else { return weights.map { $0 / divisor } }
        let scale = Double(longestWheel) / Double(total)
        return weights.map { $0 == 0 ? 0 : max(1, Int(Double($0 / divisor) * scale)) }
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
        b == 0 ? a : greatestCommonDivisor(b, a % b)
    }
}

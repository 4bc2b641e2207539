// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import World

/// The address with the lowest moving average of response times by weight (kong/runloop/balancer/latency.lua). The
/// average decays with a time constant of 10 s, also while nothing is measured. Owned by one event loop, whose requests
/// alone it measures; a pick looks at every address.
final class Latency {
    static let decay = TimeAmount.seconds(10)

    private struct Average {
        /// Seconds.
        var value = 0.0
        var touched = NIODeadline.uptimeNanoseconds(0)

        func mixed(with sample: Double, now: NIODeadline) -> Double {
            let age = max(0, Double((now - touched).nanoseconds)) / Double(Latency.decay.nanoseconds)
            let weight = exponential(-age)
            return value * weight + sample * (1 - weight)
        }
    }

    private let addresses: [TargetAddress]
    private var averages: [Average]
    /// Where the next search starts, so that equal addresses take turns.
    private var turn = 0

    init(_ set: TargetSet) {
        addresses = set.addresses
        averages = Array(repeating: Average(), count: set.addresses.count)
    }

    /// - Parameter tried: never picked again; nil when there is no other.
    func pick(tried: [TargetAddress], now: NIODeadline) -> TargetAddress? {
        var best: (place: Int, score: Double)?
        for step in 0..<addresses.count {
            let place = (turn + step) % addresses.count
            let address = addresses[place]
            guard address.weight > 0, address.isAvailable, !tried.contains(where: { $0 === address }) else { continue }
            let score = averages[place].mixed(with: 0, now: now) / Double(address.weight)
            if best.map({ score < $0.score }) ?? true { best = (place, score) }
        }
        guard let best else { return nil }
        turn = best.place + 1
        return addresses[best.place]
    }

    /// - Parameter took: connecting and answering together.
    func measured(_ took: TimeAmount, at place: Int, now: NIODeadline) {
        averages[place].value = averages[place].mixed(with: Double(took.nanoseconds) / 1e9, now: now)
        averages[place].touched = now
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import World

/// How long an answer is held back.
package enum LatencyDistribution: Hashable, Sendable {
    case constant(TimeAmount)
    /// Every delay from `min` to `max` alike.
    case uniform(min: TimeAmount, max: TimeAmount)
    /// Negative draws become zero.
    case normal(mean: TimeAmount, deviation: TimeAmount)
    /// `median * e^(sigma * N(0, 1))`: the usual shape of service times.
    case lognormal(median: TimeAmount, sigma: Double)
    /// `scale / U^(1 / shape)`: never below `scale`, with a heavy tail; the mean is infinite up to shape 1.
    case pareto(scale: TimeAmount, shape: Double)

    /// No draw is longer, however heavy the tail.
    package static let longestDelay = TimeAmount.hours(1)

    /// One delay. Takes two numbers from the stream whatever the distribution is, so that the n-th delay does not
    /// depend on what the distribution was before.
    package func sample(_ random: inout RandomStream) -> TimeAmount {
        let nanoseconds: Double
        switch self {
        case .constant(let delay):
            _ = (random.next(), random.next())
            return delay
        case .uniform(let min, let max):
            nanoseconds = Double(min.nanoseconds) + random.unit() * Double(max.nanoseconds - min.nanoseconds)
            _ = random.next()
        case .normal(let mean, let deviation):
            nanoseconds = Double(mean.nanoseconds) + Double(deviation.nanoseconds) * random.normal()
        case .lognormal(let median, let sigma):
            nanoseconds = Double(median.nanoseconds) * exponential(sigma * random.normal())
        case .pareto(let scale, let shape):
            nanoseconds = Double(scale.nanoseconds) / power(1 - random.unit(), 1 / shape)
            _ = random.next()
        }
        return .nanoseconds(Int64(min(max(nanoseconds, 0), Double(Self.longestDelay.nanoseconds)).rounded()))
    }
}

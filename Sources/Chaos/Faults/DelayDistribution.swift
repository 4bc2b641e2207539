// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import World

/// How long a delay is: always the same, or drawn. A draw is never below zero and never above `longest`.
package enum DelayDistribution: Hashable, Sendable {
    case constant(TimeAmount)
    /// Evenly between `middle - jitter` and `middle + jitter`.
    case uniform(middle: TimeAmount, jitter: TimeAmount)
    /// The bell curve; `deviation` is one standard deviation.
    case normal(mean: TimeAmount, deviation: TimeAmount)
    /// Mostly near the median, now and then far above it: the usual shape of response times.
    case lognormal(median: TimeAmount, sigma: Double)
    /// Never below `minimum`, with a tail that grows heavier as `shape` falls (P(X > x) = (minimum / x)^shape).
    case pareto(minimum: TimeAmount, shape: Double)

    /// No draw exceeds an hour: a heavy tail must not overflow a deadline.
    package static let longest = TimeAmount.hours(1)

    package func draw(_ random: inout RandomStream) -> TimeAmount {
        let nanoseconds: Double =
            switch self {
            case .constant(let delay): Double(delay.nanoseconds)
            case .uniform(let middle, let jitter):
                Double(middle.nanoseconds) + Double(jitter.nanoseconds) * (2 * random.unit() - 1)
            case .normal(let mean, let deviation):
                Double(mean.nanoseconds) + Double(deviation.nanoseconds) * random.normal()
            case .lognormal(let median, let sigma): Double(median.nanoseconds) * exponential(sigma * random.normal())
            case .pareto(let minimum, let shape):
                Double(minimum.nanoseconds) / power(1 - random.unit(), 1 / shape)
            }
        return .nanoseconds(Int64(min(max(nanoseconds, 0), Double(Self.longest.nanoseconds))))
    }
    /// As a sentence has it: `3s ± 100ms`, `lognormal (median 3ms, sigma 0.4)`.
    package var phrase: String {
        switch self {
        case .constant(let delay): delay.phrase
        case .uniform(let middle, let jitter): "\(middle.phrase) ± \(jitter.phrase)"
        case .normal(let mean, let deviation): "normal (mean \(mean.phrase), deviation \(deviation.phrase))"
        case .lognormal(let median, let sigma): "lognormal (median \(median.phrase), sigma \(plainNumber(sigma)))"
        case .pareto(let minimum, let shape): "pareto (minimum \(minimum.phrase), shape \(plainNumber(shape)))"
        }
    }
}

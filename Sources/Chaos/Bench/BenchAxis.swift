// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import World

/// Where a value stands on a plot: a domain of values laid over a range of coordinates, in a straight or a logarithmic
/// way.
struct BenchAxis {
    let low: Double
    let high: Double
    let isLogarithmic: Bool
    /// Coordinates of `low` and `high`; `end` may be the smaller one, as on a screen's y axis.
    let start: Double
    let end: Double

    /// From nothing to a round number at or above the highest value.
    static func linear(upTo most: Double, start: Double, end: Double) -> BenchAxis {
        let step = roundStep(most / 4)
        let high = step > 0 ? (most / step).rounded(.up) * step : 1
        return BenchAxis(low: 0, high: max(high, .leastNormalMagnitude), isLogarithmic: false, start: start, end: end)
    }

    /// From the power of ten at or below the lowest value to the one at or above the highest, in half powers.
    static func logarithmic(from least: Double, upTo most: Double, start: Double, end: Double) -> BenchAxis {
        let least = max(1, least)
        let low = (logarithmToBaseTen(least) * 2).rounded(.down) / 2
        let high = max(low + 0.5, (logarithmToBaseTen(max(most, least)) * 2).rounded(.up) / 2)
        return BenchAxis(
            low: powerOfTen(low), high: powerOfTen(high), isLogarithmic: true, start: start, end: end)
    }

    /// Values outside of the domain stand at its ends.
    func place(_ value: Double) -> Double {
        let part: Double
        if isLogarithmic {
            let (a, b) = (logarithmToBaseTen(low), logarithmToBaseTen(high))
            part = (logarithmToBaseTen(max(value, low)) - a) / (b - a)
        } else {
            part = (value - low) / (high - low)
        }
        return start + min(1, max(0, part)) * (end - start)
    }

    var ticks: [Double] {
        guard isLogarithmic else {
            let step = Self.roundStep(high / 4)
            return step > 0 ? (0...Int((high / step).rounded())).map { Double($0) * step } : [0]
        }
        let first = Int(logarithmToBaseTen(low).rounded(.down))
        let last = Int(logarithmToBaseTen(high).rounded(.up))
        // Three to a power of ten while there are few powers.
        let steps: [Double] = last - first <= 3 ? [1, 2, 5] : [1]
        return (first...last).flatMap { exponent in steps.map { $0 * powerOfTen(Double(exponent)) } }
            .filter { $0 >= low * 0.999 && $0 <= high * 1.001 }
    }

    /// The smallest of 1, 2, 2.5, 5 times a power of ten that is not below a value.
    private static func roundStep(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return 0 }
        let unit = powerOfTen(logarithmToBaseTen(value).rounded(.down))
        return ([1, 2, 2.5, 5, 10] as [Double]).map { $0 * unit }.first { $0 >= value * 0.999 } ?? 10 * unit
    }
}

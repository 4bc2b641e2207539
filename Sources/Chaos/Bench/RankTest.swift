// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import World

/// The test of Mann and Whitney: could two samples be draws from one distribution? It asks for ranks only, so one slow
/// round among the others cannot decide it, and nothing need be normally distributed.
package struct RankTest: Hashable, Sendable {
    /// How often in 100 % of cases samples of one distribution differ at least as much, in either direction.
    package var probability: Double
    /// The smallest value that `probability` could have had with so many values: with three against three it is 0.1,
    /// so that no difference, however large, could be told from chance.
    package var least: Double

    /// Exact up to this many values together, the normal approximation (with ties and continuity corrected) beyond.
    private static let mostExact = 60

    /// - Precondition: neither is empty.
    package init(_ a: [Double], _ b: [Double]) {
        precondition(!a.isEmpty && !b.isEmpty, "a rank test needs values on both sides")
        let ranks = Self.doubledRanks(a + b)
        let sum = ranks[..<a.count].reduce(0, +)
        if ranks.count <= Self.mostExact {
            (probability, least) = Self.exact(ranks, sum: sum, size: a.count)
        } else {
            probability = Self.approximate(ranks, sum: sum, size: a.count)
            least = 0
        }
    }

    /// No difference could be told at this level with so few values.
    package func isTooSmall(for level: Double) -> Bool { least > level }

    /// Twice the rank of each value among all, so that the mean rank of equal ones is whole.
    static func doubledRanks(_ values: [Double]) -> [Int] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Int](repeating: 0, count: values.count)
        var first = 0
        while first < order.count {
            var last = first
            while last + 1 < order.count, values[order[last + 1]] == values[order[first]] { last += 1 }
            for place in first...last { ranks[order[place]] = first + last + 2 }
            first = last + 1
        }
        return ranks
    }

    /// Counts the choices of `size` ranks by their sum: `ways[k][s]` choices of k ranks have the sum s.
    private static func exact(_ ranks: [Int], sum: Int, size: Int) -> (probability: Double, least: Double) {
        let total = ranks.reduce(0, +)
        var ways = [[Double]](repeating: [Double](repeating: 0, count: total + 1), count: size + 1)
        ways[0][0] = 1
        for (index, rank) in ranks.enumerated() {
            for k in stride(from: min(size, index + 1), to: 0, by: -1) {
                for s in stride(from: total, through: rank, by: -1) { ways[k][s] += ways[k - 1][s - rank] }
            }
        }
        let counts = ways[size]
        let all = counts.reduce(0, +)
        // Sums lie around size * total / count; multiplied by the count they can be compared as whole numbers.
        func distance(_ sum: Int) -> Int { abs(sum * ranks.count - size * total) }
        let far = distance(sum)
        let tail = counts.indices.reduce(0) { distance($1) >= far ? $0 + counts[$1] : $0 }
        // Two of all choices lie at the ends, when no values are equal.
        return (min(1, tail / all), min(1, 2 / all))
    }

    private static func approximate(_ ranks: [Int], sum: Int, size: Int) -> Double {
        let (n, m, all) = (Double(size), Double(ranks.count - size), Double(ranks.count))
        let u = Double(sum) / 2 - n * (n + 1) / 2
        let ties = Dictionary(grouping: ranks) { $0 }.values.reduce(0.0) {
            let t = Double($1.count)
            return $0 + t * t * t - t
        }
        let variance = n * m / 12 * (all + 1 - ties / (all * (all - 1)))
        guard variance > 0 else { return 1 }
        let z = max(0, abs(u - n * m / 2) - 0.5) / variance.squareRoot()
        return min(1, errorFunctionComplement(z / 2.0.squareRoot()))
    }
}

/// The middle of some values, and how far apart they lie.
package struct Spread: Hashable, Sendable {
    package var median: Double
    package var least: Double
    package var most: Double

    /// Nil for no values.
    package init?(_ values: [Double]) {
        let sorted = values.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        let middle = sorted.count / 2
        median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        (least, most) = (first, last)
    }
}

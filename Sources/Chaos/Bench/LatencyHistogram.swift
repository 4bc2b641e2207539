// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Histogram
import World

/// Every latency of a measurement: an HdrHistogram of nanoseconds (three digits up to an hour) with the exact extremes
/// and the exact sum. Recording is an addition; nothing is allocated for it.
package struct LatencyHistogram: Sendable {
    /// What is longer counts as this.
    private static let highest: Int64 = 3_600_000_000_000

    private var histogram = Histogram<UInt64>(highestTrackableValue: UInt64(highest))
    private var sum: UInt64 = 0
    private var least = Int64.max
    private var most: Int64 = 0

    package init() {}

    package var count: Int { Int(histogram.totalCount) }
    package var min: Nanoseconds { count == 0 ? .zero : Nanoseconds(least) }
    package var max: Nanoseconds { Nanoseconds(most) }
    package var mean: Nanoseconds { count == 0 ? .zero : Nanoseconds(Int64(sum / UInt64(count))) }

    /// - Parameter latency: nanoseconds; less than none counts as none.
    @inline(__always)
    mutating func record(_ latency: Int64) {
        let value = latency < 0 ? 0 : latency > Self.highest ? Self.highest : latency
        histogram.record(UInt64(value))
        sum &+= UInt64(value)
        if value < least { least = value }
        if value > most { most = value }
    }

    mutating func add(_ other: LatencyHistogram) {
        guard other.count > 0 else { return }
        histogram.add(other.histogram)
        sum &+= other.sum
        least = Swift.min(least, other.least)
        most = Swift.max(most, other.most)
    }

    /// - Parameter percent: 99.9 for p99.9.
    package func quantile(_ percent: Double) -> Nanoseconds {
        if count == 0 { return .zero }
        if percent >= 100 { return max }
        let value = Int64(clamping: histogram.valueAtPercentile(percent))
        return Nanoseconds(Swift.min(Swift.max(value, least), most))
    }

    /// How many latencies lie in each of the bins of a logarithmic scale, from the lowest that holds any to
    /// the highest.
    ///
    /// - Parameter perDecade: bins for each power of ten.
    package func bins(perDecade: Int) -> [(upTo: Nanoseconds, count: Int)] {
        guard count > 0 else { return [] }
        var bins: [(upTo: Nanoseconds, count: Int)] = []
        var edges = LogarithmicEdges(perDecade: perDecade)
        var edge = edges.next()
        var inBin = 0
        for item in histogram.recordedValues() {
            while Int64(clamping: item.value) > edge {
                if inBin > 0 || !bins.isEmpty { bins.append((Nanoseconds(edge), inBin)) }
                inBin = 0
                edge = edges.next()
            }
            inBin += Int(item.count)
        }
        bins.append((Nanoseconds(edge), inBin))
        return bins
    }
}

/// 1 µs and from there on `perDecade` steps to each power of ten, in nanoseconds.
private struct LogarithmicEdges {
    let perDecade: Int
    private var step = 0

    init(perDecade: Int) { self.perDecade = perDecade }

    mutating func next() -> Int64 {
        defer { step += 1 }
        let exponent = 3 + Double(step) / Double(perDecade)
        return exponent >= 18 ? .max : Int64(powerOfTen(exponent).rounded())
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import World

/// The requests of a run in equal slices of time, by planned start: what the charts draw. Its size does not depend on
/// the number of requests.
struct RunSeries: Sendable {
    struct Slice: Hashable, Sendable {
        /// Requests of each sort, in the order of `sorts`; those of no shown sort come last.
        var counts: [Int]
        var total = 0
        /// Latency of answered requests from the planned start, nanoseconds.
        var p50: Int64?
        var p90: Int64?
        var p99: Int64?
        var highest: Int64?
        /// Answered requests a step of the latency scale.
        var heat: [Int]
    }

    /// A logarithmic scale of latencies, in steps of equal ratio.
    struct Scale: Hashable, Sendable {
        let low: Double
        let high: Double
        let steps: Int

        init(lowest: Int64, highest: Int64, steps: Int = 26) {
            low = max(1_000, Double(lowest))
            high = max(low * 2, Double(highest))
            self.steps = steps
        }

        /// 0 at the bottom, 1 at the top.
        func share(_ latency: Int64) -> Double {
            min(1, max(0, logarithm(max(1, Double(latency)) / low) / logarithm(high / low)))
        }

        func step(_ latency: Int64) -> Int { min(steps - 1, Int(share(latency) * Double(steps))) }
        func bottom(of step: Int) -> Int64 { Int64(low * power(high / low, Double(step) / Double(steps))) }

        /// Powers of ten and their fifths within the scale.
        var ticks: [Int64] {
            var ticks: [Int64] = []
            var tick: Int64 = 1_000
            while Double(tick) <= high, tick < 1 << 59 {
                if Double(tick) >= low { ticks.append(tick) }
                tick *= 10
            }
            return ticks
        }
    }

    static let sliceCount = 200
    static let shownSorts = 8

    let axis: TimeAxis
    let sorts: [RunStatistics.Sort]
    let scale: Scale
    private(set) var slices: [Slice]

    init(_ report: RunReport, axis: TimeAxis) {
        self.axis = axis
        sorts = report.statistics.sorts.prefix(Self.shownSorts).sorted { $0.name < $1.name }
        let table = report.view.requests
        scale = Self.scale(table)
        slices = []
        slices.reserveCapacity(Self.sliceCount)
        let rows = table.rows(from: axis.from, through: axis.to)
        var next = rows.lowerBound
        for index in 0..<Self.sliceCount {
            let end = Self.end(of: index, axis)
            let first = next
            while next < rows.upperBound, table.planned[next] < end || index == Self.sliceCount - 1 { next += 1 }
            slices.append(slice(table, first..<next))
        }
    }

    static func end(of slice: Int, _ axis: TimeAxis) -> Int64 {
        let length = Double(axis.to.clampedSubtracting(axis.from))
        return axis.from.clampedAdding(Int64(length * Double(slice + 1) / Double(sliceCount)))
    }

    private static func scale(_ table: RequestTable) -> Scale {
        var (lowest, highest) = (Int64.max, Int64(0))
        for row in table.indices where table.status(row) != nil {
            guard let latency = table.latency(row), latency > 0 else { continue }
            lowest = min(lowest, latency)
            highest = max(highest, latency)
        }
        return Scale(lowest: lowest == .max ? 1_000_000 : lowest, highest: highest)
    }

    private func slice(_ table: RequestTable, _ rows: Range<Int>) -> Slice {
        var slice = Slice(
            counts: [Int](repeating: 0, count: sorts.count + 1), total: rows.count,
            heat: [Int](repeating: 0, count: scale.steps))
        var latencies: [Int64] = []
        for row in rows {
            let number = table.sort(row)
            slice.counts[sorts.firstIndex { $0.number == number } ?? sorts.count] += 1
            guard table.status(row) != nil, let latency = table.latency(row) else { continue }
            latencies.append(latency)
            slice.heat[scale.step(latency)] += 1
        }
        guard !latencies.isEmpty else { return slice }
        latencies.sort()
        func quantile(_ share: Double) -> Int64 { Int64(LatencyBounds.Statistic.quantile(share).value(of: latencies)) }
        (slice.p50, slice.p90, slice.p99) = (quantile(0.5), quantile(0.9), quantile(0.99))
        slice.highest = latencies[latencies.count - 1]
        return slice
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A stretch of a run and where it lies in a drawing.
struct TimeAxis: Hashable, Sendable {
    /// Nanoseconds from the start of the load; `to` is later than `from`.
    let from: Int64
    let to: Int64
    /// The drawing's own units.
    let left: Double
    let width: Double

    init(from: Int64, to: Int64, left: Double = 170, width: Double = 1_000) {
        self.from = from
        self.to = max(from.clampedAdding(1), to)
        self.left = left
        self.width = width
    }

    /// Clamped to the drawing.
    func x(_ time: Int64) -> Double {
        let share = Double(time.clampedSubtracting(from)) / Double(to.clampedSubtracting(from))
        return left + width * min(1, max(0, share))
    }

    func contains(_ time: Int64) -> Bool { time >= from && time <= to }

    private static let steps: [Int64] =
        [1, 2, 5, 10, 20, 50, 100, 200, 500].map { $0 * 1_000 }
        + [1, 2, 5, 10, 20, 50, 100, 200, 500].map { $0 * 1_000_000 }
        + [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400].map { $0 * 1_000_000_000 }

    /// Round moments, about ten.
    var ticks: [Int64] {
        let length = to.clampedSubtracting(from)
        let step = Self.steps.first { length / $0 <= 12 } ?? (length / 10)
        var tick = from / step * step
        if tick < from { tick = tick.clampedAdding(step) }
        var ticks: [Int64] = []
        while tick <= to, ticks.count < 32 {
            ticks.append(tick)
            tick = tick.clampedAdding(step)
        }
        return ticks
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A moment of a run with what is not known about it: the truth lies in `t - lo ... t + hi`.
///
/// All values are nanoseconds; `t` counts from the start of the load, so what came before it is negative. Not a wall
/// clock time. An event of our own gateway is exact (`lo` = `hi` = 0); one found by polling every 100 ms has `lo` of
/// 100 ms.
package struct Instant: Hashable, Sendable {
    package var t: Int64
    package var lo: Int64
    package var hi: Int64

    /// Times further away are brought here (36 years): a journal may come from anywhere, and no difference of two of
    /// its times may overflow.
    package static let farthest: Int64 = 1 << 60

    package init(_ t: Int64, lo: Int64 = 0, hi: Int64 = 0) {
        self.t = Self.bounded(t)
        self.lo = min(Self.farthest, max(0, lo))
        self.hi = min(Self.farthest, max(0, hi))
    }

    package static func bounded(_ time: Int64) -> Int64 { min(farthest, max(-farthest, time)) }

    /// The first and the last moment that it can have been.
    package var earliest: Int64 { t.clampedSubtracting(lo) }
    package var latest: Int64 { t.clampedAdding(hi) }
    package var isExact: Bool { lo == 0 && hi == 0 }

    /// The same moment, `nanoseconds` later (earlier when negative).
    package func shifted(by nanoseconds: Int64) -> Instant { Instant(t.clampedAdding(nanoseconds), lo: lo, hi: hi) }
}

extension Int64 {
    /// A sum that stops at the ends of the range: a journal may come from anywhere, and no number in it may trap.
    package func clampedAdding(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }

    package func clampedSubtracting(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }
}

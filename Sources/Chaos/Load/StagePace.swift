// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A place on the axis of requests: so many whole ones and a part of the next. Both are kept apart so that a sum of a
/// million parts loses nothing.
struct RequestCount: Hashable, Sendable {
    var whole: Int64
    /// 0 ..< 1.
    var part: Double

    init(_ whole: Int64, _ part: Double = 0) {
        let carried = part.rounded(.down)
        self.whole = whole + Int64(carried)
        self.part = part - carried
    }

    static func + (a: RequestCount, b: RequestCount) -> RequestCount {
        RequestCount(a.whole + b.whole, a.part + b.part)
    }
    static func - (a: RequestCount, b: RequestCount) -> RequestCount {
        RequestCount(a.whole - b.whole, a.part - b.part)
    }

    var approximate: Double { Double(whole) + part }
}

/// A rate as a whole number of requests in a whole number of nanoseconds, so that 50/s, 0.5/s and 100/m are exact.
struct ExactRate: Hashable, Sendable {
    var requests: Int64
    var nanoseconds: Int64

    init(_ rate: Rate) {
        // Decimal fractions by powers of ten, rates a minute and an hour by 60 and 3600. A rate that is none of these
        // (1/3.7 a second) is rounded to a billionth of a request a second.
        for scale in [1, 10, 100, 1000, 10_000, 1_000_000, 60, 3600, 36_000] as [Int64] {
            let scaled = rate.perSecond * Double(scale)
            let whole = scaled.rounded()
            if abs(scaled - whole) <= scaled * 1e-15, whole < 1e15 {
                requests = Int64(whole)
                nanoseconds = 1_000_000_000 * scale
                return
            }
        }
        requests = Int64((min(rate.perSecond, 1e9) * 1e9).rounded())
        nanoseconds = 1_000_000_000_000_000_000
    }
}

/// How many requests a stage has had after a time, and its inverse.
///
///     constant rate r     N(t) = r t                         t(n) = n / r
///     ramp a .. b in T    N(t) = a t + (b - a) t² / 2T       t(n) = 2n / (a + √(a² + 2n (b - a) / T))
///
/// The n-th start is computed from n, never from the start before it, so an hour is as exact as a second.
enum StagePace: Hashable, Sendable {
    case constant(ExactRate)
    /// Requests a second at the start and at the end.
    case ramp(from: Double, to: Double, seconds: Double)

    init(from: Rate, to: Rate, length: Nanoseconds) {
        if from == to {
            self = .constant(ExactRate(from))
        } else {
            self = .ramp(from: from.perSecond, to: to.perSecond, seconds: length.inSeconds)
        }
    }

    /// The time from the stage's start at which `count` requests have come, rounded down to the nanosecond; nil when
    /// the rate has fallen to zero before that.
    func time(of count: RequestCount) -> Int64? {
        switch self {
        case .constant(let rate):
            guard rate.requests > 0 else { return nil }
            let elapsed = Int128(count.whole) * Int128(rate.nanoseconds) + Int128(count.part * Double(rate.nanoseconds))
            return Int64(exactly: elapsed / Int128(rate.requests))
        case .ramp(let from, let to, let seconds):
            let n = count.approximate
            if n == 0 { return 0 }
            let square = from * from + 2 * n * (to - from) / seconds
            guard square >= 0 else { return nil }
            let elapsed = (2 * n / (from + square.squareRoot()) * 1e9).rounded(.down)
            return elapsed < 9e18 ? Int64(elapsed) : nil
        }
    }

    /// The requests of the whole stage.
    func total(in length: Nanoseconds) -> RequestCount {
        switch self {
        case .constant(let rate):
            let product = Int128(length.count) * Int128(rate.requests)
            let (whole, rest) = product.quotientAndRemainder(dividingBy: Int128(rate.nanoseconds))
            return RequestCount(Int64(clamping: whole), Double(rest) / Double(rate.nanoseconds))
        case .ramp(let from, let to, let seconds): return RequestCount(0, (from + to) / 2 * seconds)
        }
    }
}

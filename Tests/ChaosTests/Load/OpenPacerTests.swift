// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing
import World

@testable import Chaos

@Suite struct OpenPacerTests {
    private func starts(
        _ stages: [LoadSpec.Stage], _ arrivals: LoadSpec.Arrivals = .even, seed: UInt64 = 1
    ) -> [Int64] {
        var pacer = OpenPacer(stages: stages, arrivals: arrivals, random: RandomStreams(seed: seed).stream("test"))
        var starts: [Int64] = []
        while let start = pacer.nextStart() { starts.append(start.count) }
        return starts
    }

    private func constant(_ perSecond: Double, seconds: Double) -> LoadSpec.Stage {
        ramp(perSecond, perSecond, seconds: seconds)
    }

    private func ramp(_ from: Double, _ to: Double, seconds: Double) -> LoadSpec.Stage {
        .rate(from: Rate(perSecond: from), to: Rate(perSecond: to), length: Nanoseconds(seconds: seconds))
    }

    /// Rate a second, length, how many requests, and the exact start of request n: n * numerator / denominator ns.
    static let rates: [(rate: Double, seconds: Double, count: Int, numerator: Int64, denominator: Int64)] = [
        (50, 45, 2250, 20_000_000, 1),
        (300, 3600, 1_080_000, 1_000_000_000, 300),
        (0.5, 10, 5, 2_000_000_000, 1),
        // 100 a minute and 1000 an hour have no decimal form a second.
        (100.0 / 60, 3600, 6000, 600_000_000, 1),
        (1000.0 / 3600, 7200, 2000, 3_600_000_000, 1),
        (33.3, 3600, 119_880, 10_000_000_000, 333),
        (1, 0.5, 1, 0, 1),
        (0, 10, 0, 0, 1),
    ]

    @Test(arguments: rates)
    func `even arrivals are exact after an hour`(
        rate: Double, seconds: Double, count: Int, numerator: Int64, denominator: Int64
    ) {
        let starts = starts([constant(rate, seconds: seconds)])
        #expect(starts.count == count)
        let isExact = starts.enumerated().allSatisfy { n, start in start == Int64(n) * numerator / denominator }
        #expect(isExact)
    }

    @Test func `a row of stages of one rate is one stage`() {
        let parts = [0.95, 0.05, 1.333, 0.667, 7.0].map { constant(30, seconds: $0) }
        let cut = starts(parts)
        let whole = starts([constant(30, seconds: 10)])
        #expect(cut.count == 300 && whole.count == 300)
        // The part of a request that a stage leaves is kept to 2^-53, so at most the last nanosecond differs.
        #expect(zip(cut, whole).allSatisfy { abs($0 - $1) <= 1 })
    }

    @Test func `a ramp has the integral of its rate`() {
        // 10/s to 200/s in 20 s: 2100 requests, N(t) = 10 t + 4.75 t².
        let starts = starts([ramp(10, 200, seconds: 20)])
        #expect(starts.count == 2100)
        for (n, start) in starts.enumerated() {
            let t = Double(start) / 1e9
            #expect(abs(10 * t + 4.75 * t * t - Double(n)) < 1e-6)
        }
    }

    @Test func `a ramp down to nothing ends and a ramp up from nothing begins`() {
        let down = starts([ramp(100, 0, seconds: 10)])
        #expect(down.count == 500 && down.allSatisfy { $0 < 10_000_000_000 })
        let up = starts([constant(0, seconds: 5), ramp(0, 100, seconds: 10)])
        #expect(up.count == 500 && up[0] == 5_000_000_000)
        #expect(abs(up[1] - 5_000_000_000 - 447_213_595) <= 1)
    }

    @Test func `stages follow each other without a gap or a double`() {
        let starts = starts([ramp(10, 200, seconds: 20), constant(200, seconds: 60)])
        #expect(starts.count == 2100 + 12_000)
        #expect(starts[2100] == 20_000_000_000 && starts[2101] == 20_005_000_000)
        #expect(zip(starts, starts.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func `bursts come at once and leave the rate alone`() {
        let burst = LoadSpec.Stage.burst(size: 3, period: .seconds(5), length: .seconds(11))
        #expect(starts([burst]) == [0, 0, 0, 5, 5, 5, 10, 10, 10].map { $0 * 1_000_000_000 })
        let mixed = starts([constant(1, seconds: 1.5), burst, constant(1, seconds: 1.5)])
        // The half request that the first stage leaves makes the last stage start half a second late.
        #expect(mixed.count == 2 + 9 + 1 && mixed.last == 13_000_000_000)
    }

    @Test func `poisson arrivals have exponential gaps`() {
        let starts = starts([constant(1000, seconds: 100)], .poisson)
        // 100,000 expected with a deviation of 316; five deviations.
        #expect(abs(starts.count - 100_000) < 1600)
        let gaps = zip(starts.dropFirst(), starts).map { Double($0 - $1) / 1e6 }
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
        #expect(abs(mean - 1) < 0.02)
        // An exponential has its mean's square as variance; the estimate's own deviation is √(8/n) = 0.009.
        #expect(abs(variance - 1) < 0.05)
        // Counts of 1 s: mean and variance are both 1000 for a Poisson process.
        var counts = [Double](repeating: 0, count: 100)
        for start in starts { counts[Int(start / 1_000_000_000)] += 1 }
        let spread = counts.reduce(0) { $0 + ($1 - 1000) * ($1 - 1000) } / 100
        #expect(spread > 500 && spread < 1700)
    }

    @Test func `poisson arrivals follow a ramp`() {
        let starts = starts([ramp(0, 1000, seconds: 20)], .poisson)
        let firstHalf = starts.count { $0 < 10_000_000_000 }
        // A quarter of 10,000 in the first half, with a deviation of 50.
        #expect(abs(firstHalf - 2500) < 250 && abs(starts.count - 10_000) < 500)
    }

    @Test func `arrivals depend on the seed alone`() {
        let stages = [constant(100, seconds: 10)]
        #expect(starts(stages, .poisson, seed: 5) == starts(stages, .poisson, seed: 5))
        #expect(starts(stages, .poisson, seed: 5) != starts(stages, .poisson, seed: 6))
        #expect(starts(stages, .even, seed: 5) == starts(stages, .even, seed: 6))
    }
}

@Suite struct ClosedPacerTests {
    @Test func `clients think between requests until all are sent`() {
        var pacer = ClosedPacer(think: .milliseconds(100), requests: 3, length: nil)
        #expect(pacer.firstStart() == .zero)
        #expect(pacer.firstStart() == .zero)
        #expect(pacer.nextStart(after: .milliseconds(7)) == .milliseconds(107))
        #expect(pacer.nextStart(after: .milliseconds(8)) == nil)
    }

    @Test func `no request starts at or after the length`() {
        var pacer = ClosedPacer(think: .zero, requests: nil, length: .seconds(1))
        #expect(pacer.firstStart() == .zero)
        #expect(pacer.nextStart(after: Nanoseconds(999_999_999)) == Nanoseconds(999_999_999))
        #expect(pacer.nextStart(after: .seconds(1)) == nil)
    }
}

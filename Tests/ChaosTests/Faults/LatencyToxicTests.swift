// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import NIOCore
import Testing
import World

@Suite struct LatencyToxicTests {
    private func at(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .milliseconds(milliseconds) }
    private func machine(_ delay: DelayDistribution, seed: UInt64 = 1) -> LatencyMachine {
        LatencyMachine(LatencyToxic(delay), random: RandomStream(seed: seed, name: "test"))
    }
    private func bytes(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    @Test func `a chunk waits exactly its delay`() {
        var latency = machine(.constant(.milliseconds(30)))
        #expect(latency.push(bytes("one"), at: at(10)) == [])
        #expect(latency.nextDeadline == at(40))
        #expect(latency.heldBytes == 3)
        #expect(latency.advance(to: at(40) - .nanoseconds(1)) == [])
        #expect(latency.advance(to: at(40)) == [.bytes(bytes("one"))])
        #expect(latency.nextDeadline == nil)
        #expect(latency.heldBytes == 0)
    }

    @Test func `delays of chunks overlap, they do not add up`() {
        var latency = machine(.constant(.milliseconds(100)))
        _ = latency.push(bytes("a"), at: at(0))
        _ = latency.push(bytes("b"), at: at(10))
        #expect(latency.advance(to: at(109)) == [.bytes(bytes("a"))])
        #expect(latency.advance(to: at(110)) == [.bytes(bytes("b"))])
    }

    @Test func `no delay passes at once`() {
        var latency = machine(.constant(.zero))
        #expect(latency.push(bytes("a"), at: at(5)) == [.bytes(bytes("a"))])
        #expect(latency.close(.finished, at: at(5)) == [.end(.finished)])
    }

    @Test(arguments: [StreamEnd.finished, .reset])
    func `the end comes after the bytes, later by the delay`(end: StreamEnd) {
        var latency = machine(.constant(.milliseconds(20)))
        _ = latency.push(bytes("a"), at: at(0))
        #expect(latency.close(end, at: at(1)) == [])
        #expect(latency.advance(to: at(20)) == [.bytes(bytes("a"))])
        #expect(latency.advance(to: at(21)) == [.end(end)])
    }

    @Test func `what was held passes at once when the fault is removed`() {
        var latency = machine(.constant(.hours(1)))
        _ = latency.push(bytes("a"), at: at(0))
        _ = latency.close(.finished, at: at(1))
        #expect(latency.release() == [.bytes(bytes("a")), .end(.finished)])
        #expect(latency.heldBytes == 0)
        #expect(latency.nextDeadline == nil)
    }

    @Test func `a shorter draw does not overtake a longer one`() {
        var latency = machine(.uniform(middle: .milliseconds(50), jitter: .milliseconds(50)))
        var passed: [Delivery] = []
        for number in 0..<200 { passed += latency.push(bytes("\(number)"), at: at(Int64(number))) }
        while let next = latency.nextDeadline { passed += latency.advance(to: next) }
        #expect(passed == (0..<200).map { .bytes(bytes("\($0)")) })
    }

    /// A distribution, the bounds of every draw and of the mean of 20,000 (in milliseconds).
    @Test(arguments: [
        (DelayDistribution.constant(.milliseconds(7)), 7.0...7.0, 7.0...7.0),
        (.uniform(middle: .milliseconds(100), jitter: .milliseconds(20)), 80...120, 99.5...100.5),
        // A jitter above the middle is cut at zero, so that the mean rises: (0 + 40) / 2 over 4/5 of the draws.
        (.uniform(middle: .milliseconds(15), jitter: .milliseconds(25)), 0...40, 15.5...16.5),
        (.normal(mean: .milliseconds(100), deviation: .milliseconds(10)), 50...150, 99.5...100.5),
        // The mean of a lognormal is median * exp(sigma^2 / 2).
        (.lognormal(median: .milliseconds(3), sigma: 0.4), 0...30, 3.2...3.3),
        // The mean of a Pareto is minimum * shape / (shape - 1).
        (.pareto(minimum: .milliseconds(10), shape: 3), 10...3600, 14.5...15.5),
        // So heavy a tail has no mean; the draws are still bounded.
        (.pareto(minimum: .hours(1), shape: 0.1), 3_600_000...3_600_000, 3_600_000...3_600_000),
    ])
    func `draws lie where their distribution says`(
        _ distribution: DelayDistribution, range: ClosedRange<Double>, mean: ClosedRange<Double>
    ) {
        var random = RandomStream(seed: 42, name: "draws")
        let draws = (0..<20_000).map { _ in Double(distribution.draw(&random).nanoseconds) / 1e6 }
        #expect(draws.allSatisfy { range.contains($0) })
        #expect(mean.contains(draws.reduce(0, +) / 20_000))
    }
}

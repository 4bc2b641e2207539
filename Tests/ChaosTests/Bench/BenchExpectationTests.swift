// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Chaos

@Suite struct BenchExpectationTests {
    @Test func `a metric, a comparison and an amount`() throws {
        let list = try BenchExpectation.list("p99.9<5ms, ok >= 99.99%,gateway.rps>1000/s", option: "--expect")
        #expect(list.map(\.text) == ["p99.9 < 5ms", "ok >= 99.99%", "gateway.rps > 1000/s"])
        #expect(list[0].metric.kind == .quantile(99.9) && list[0].limit == .time(.milliseconds(5)))
        #expect(list[1].metric.kind == .ok && list[1].limit == .ratio(0.9999))
        #expect(list[2].metric.subject == "gateway" && list[2].limit == .number(1000))
    }

    @Test(arguments: [
        ("p50 < 1ms", BenchMetric.Kind.quantile(50)), ("max < 1s", .most), ("min > 1us", .least),
        ("mean <= 2ms", .mean),
        ("rps >= 10", .rps), ("errors == 0", .errors), ("errors <= 0.1%", .errors), ("requests > 10", .requests),
        ("cpu < 20us", .cpu), ("rss < 64MiB", .rss), ("overhead < 1.5", .overhead(50)),
        ("overhead.p99 < 2ms", .overhead(99)),
        ("lateness < 1ms", .lateness), ("ok != 0.5", .ok),
    ])
    func `everything that is measured can be asked for`(text: String, kind: BenchMetric.Kind) throws {
        let one = try BenchExpectation.list(text, option: "--expect")
        #expect(one.count == 1 && one[0].metric.kind == kind)
    }

    @Test(arguments: [
        ("p99 < 5mss", 7, "has no unit known here"), ("p99 < 5", 7, "give a time: 5ms, 250us"),
        ("p9x < 5ms", 1, "did you mean"), ("p99 5ms", 5, "is no comparison"), ("p99 <", 6, "compared with nothing"),
        ("p99", 4, "compared with nothing"), ("", 1, "nothing is expected"), ("< 5ms", 1, "a metric is missing"),
        ("ok >= 99.9%, p99 ~ 5ms", 18, "is no comparison"), ("ok >= 99.9%,", 13, "nothing is expected"),
        ("ok >= 5ms", 7, "give a part"), ("rss < 5", 7, "give a size"), ("p101 < 5ms", 1, "is nothing that a bench"),
        ("rps > 5 6", 9, "is no amount"), ("edge.p98x < 5ms", 1, "is nothing that a bench"),
    ])
    func `what cannot be read is told with its column and a remedy`(text: String, column: Int, part: String) {
        do {
            _ = try BenchExpectation.list(text, option: "--expect")
            Issue.record("\(text) was read")
        } catch {
            #expect(error.description.hasPrefix("--expect '\(text)': column \(column): "), "\(error)")
            #expect(error.description.contains(part), "\(error)")
            #expect(error.advice != nil)
        }
    }
}

@Suite struct RankTestTests {
    private typealias Case = (a: [Double], b: [Double], probability: Double)
    private static let cases: [Case] = [
        ([1, 2, 3], [4, 5, 6], 0.1), ([1, 2, 3, 4], [5, 6, 7, 8], 2.0 / 70),
        ([1, 2, 3, 4, 5], [6, 7, 8, 9, 10], 2.0 / 252), ([1, 3, 5], [2, 4, 6], 0.7),
        ([5, 5, 5, 5], [5, 5, 5, 5], 1), ([1], [2], 1),
        // Of the 10 choices of 2 out of the ranks 1.5, 1.5, 3, 4.5, 4.5 two sums lie as far from the middle as 3.
        ([1, 1], [2, 3, 3], 0.2),
    ]

    @Test(arguments: cases)
    func `small samples are exact, with ties`(a: [Double], b: [Double], probability: Double) {
        #expect(abs(RankTest(a, b).probability - probability) < 1e-12, "\(RankTest(a, b))")
        #expect(abs(RankTest(b, a).probability - probability) < 1e-12)
    }

    @Test func `what three rounds against three can tell is nothing`() {
        #expect(RankTest([1, 2, 3], [100, 200, 300]).isTooSmall(for: 0.05))
        #expect(!RankTest([1, 2, 3, 4], [100, 200, 300, 400]).isTooSmall(for: 0.05))
        #expect(RankTest([1, 2, 3], [4, 5, 6]).least == 0.1)
    }

    @Test func `large samples are close to exact ones`() {
        // The exact test of 60 values and the normal approximation of 62, on alike samples.
        let small = RankTest((0..<30).map { Double($0) }, (0..<30).map { Double($0) + 7.5 })
        let large = RankTest((0..<31).map { Double($0) }, (0..<31).map { Double($0) + 7.5 })
        #expect(abs(small.probability - large.probability) < 0.02, "\(small) \(large)")
        #expect(large.probability > 0.001 && large.probability < 0.05)
    }

    @Test func `a spread has a middle`() {
        #expect(Spread([3, 1, 2])?.median == 2)
        #expect(Spread([4, 1, 2, 3])?.median == 2.5)
        #expect(Spread([]) == nil)
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing
import World

@Suite struct RandomStreamTests {
    /// Ten draws of a stream.
    private func draws(_ streams: RandomStreams, _ name: String) -> [UInt64] {
        var stream = streams.stream(name)
        return (0..<10).map { _ in stream.next() }
    }

    @Test func `a draw depends on seed, name and place only, not on other streams`() {
        let streams = RandomStreams(seed: 42)
        let alone = draws(streams, "mock api-1")
        var first = streams.stream("mock api-1")
        var other = streams.stream("load users")
        var mixed: [UInt64] = []
        for _ in 0..<10 {
            _ = other.next()
            mixed.append(first.next())
            _ = other.chance(0.5)
        }
        #expect(mixed == alone)
    }

    @Test func `streams of different names or seeds have nothing in common`() {
        let names = (0..<100).map { "stream \($0)" } + ["", "a", "b", "ab", "ba", "a b"]
        let all =
            names.flatMap { draws(RandomStreams(seed: 1), $0) } + names.flatMap { draws(RandomStreams(seed: 2), $0) }
        #expect(Set(all).count == all.count)
    }

    /// As an implementation of its own (in Python) has them too: a change of these numbers changes what every seed that
    /// anyone has kept means.
    @Test func `the numbers of a seed stay as they are for ever`() {
        #expect(draws(RandomStreams(seed: 0), "").prefix(3) == Self.ofNothing[...])
        #expect(draws(RandomStreams(seed: 42), "mock api-1").prefix(3) == Self.ofMock[...])
        var stream = RandomStreams(seed: 42).stream("request ids")
        #expect(stream.hexadecimal(bytes: 16) == Self.hexadecimal)
        #expect(stream.uuid() == Self.uuid)
    }

    private static let ofNothing: [UInt64] = [
        11_296_684_499_013_932_303, 5_462_630_147_671_051_304, 10_632_555_814_743_183_507,
    ]
    private static let ofMock: [UInt64] = [
        11_982_118_852_218_459_456, 4_079_723_854_578_858_371, 2_514_780_843_880_016_771,
    ]
    private static let hexadecimal = "137c4b93446d357b741ecc97d47c4415"
    private static let uuid = "232bd881-0896-4feb-8ff0-5902a678e488"

    @Test func `a uuid is of version 4 and variant 10`() throws {
        var stream = RandomStreams(seed: 7).stream("ids")
        var seen: Set<String> = []
        for _ in 0..<1000 {
            let uuid = stream.uuid()
            #expect(
                try /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/.wholeMatch(in: uuid) != nil)
            seen.insert(uuid)
        }
        #expect(seen.count == 1000)
        #expect(Set(seen.map { $0[$0.index($0.startIndex, offsetBy: 19)] }) == ["8", "9", "a", "b"])
    }

    @Test(arguments: [0, 1, 2, 3, 8, 16, 33])
    func `hexadecimal digits are two a byte`(count: Int) {
        var stream = RandomStreams(seed: 7).stream("ids")
        let digits = stream.hexadecimal(bytes: count)
        #expect(digits.count == 2 * count)
        #expect(digits.allSatisfy { $0.isHexDigit && !$0.isUppercase })
    }

    @Test func `draws below a bound are even`() {
        var stream = RandomStreams(seed: 3).stream("dice")
        var counts = [Int](repeating: 0, count: 6)
        for _ in 0..<60_000 { counts[Int(stream.below(6))] += 1 }
        // Five standard deviations of a binomial of 60,000 and 1/6 are 456.
        #expect(counts.allSatisfy { abs($0 - 10_000) < 456 })
        #expect(stream.below(1) == 0)
    }

    @Test func `chance never happens at 0 and always at 1`() {
        var stream = RandomStreams(seed: 3).stream("chance")
        let never = (0..<1000).contains { _ in stream.chance(0) }
        let always = (0..<1000).allSatisfy { _ in stream.chance(1) }
        #expect(!never)
        #expect(always)
    }

    @Test func `distributions have their means`() {
        var stream = RandomStreams(seed: 3).stream("distributions")
        let count = 100_000
        let exponential = (0..<count).reduce(0.0) { sum, _ in sum + stream.exponential(mean: 10) } / Double(count)
        let normals = (0..<count).map { _ in stream.normal() }
        let mean = normals.reduce(0, +) / Double(count)
        let variance = normals.reduce(0) { $0 + $1 * $1 } / Double(count)
        let unit = (0..<count).reduce(0.0) { sum, _ in sum + stream.unit() } / Double(count)
        #expect(abs(exponential - 10) < 0.2)
        #expect(abs(mean) < 0.02)
        #expect(abs(variance - 1) < 0.03)
        #expect(abs(unit - 0.5) < 0.005)
    }
}

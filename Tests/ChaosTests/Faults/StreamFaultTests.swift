// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import NIOCore
import Testing
import World

/// Every fault on bytes in virtual time, to the nanosecond.
@Suite struct StreamFaultTests {
    // MARK: Bandwidth

    @Test func `a slow line passes byte after byte`() {
        var bench = FaultBench(.bandwidth(BandwidthToxic(bytesPerSecond: 100)))
        bench.push("abc", at: 0)
        bench.close(at: 0)
        bench.runToEnd()
        #expect(bench.out == [#"10ms: "a""#, #"20ms: "b""#, #"30ms: "c""#, "30ms: finished"])
    }

    /// Bytes a second, bytes in all, and bytes of a chunk.
    @Test(
        arguments: [
            (10_000, 1_000_000, 1460), (1_000_000, 3_000_000, 65_536), (64 * 1024, 1_000_003, 777),
            (1_000_000_000, 50_000_000, 65_536),
        ] as [(Int64, Int, Int)])
    func `the last byte leaves when the rate says, to the nanosecond`(rate: Int64, total: Int, chunk: Int) {
        var bench = FaultBench(.bandwidth(BandwidthToxic(bytesPerSecond: rate)))
        var left = total
        // All of it is there at once: the line is never idle.
        while left > 0 {
            bench.push(ByteBuffer(repeating: 0x78, count: min(chunk, left)), at: FaultBench.at(0))
            left -= min(chunk, left)
        }
        bench.runToEnd()
        #expect(bench.bytes.readableBytes == total)
        let expected = (Double(total) * 1e9 / Double(rate)).rounded(.up)
        #expect(bench.instant == .uptimeNanoseconds(UInt64(expected)))
    }

    @Test func `a line that was idle does not make up for it`() {
        var bench = FaultBench(.bandwidth(BandwidthToxic(bytesPerSecond: 1000)))
        bench.push("aaaaaaaaaa", at: 0)
        bench.push("b", at: 500)
        bench.runToEnd()
        #expect(bench.out == [#"10ms: "aaaaaaaaaa""#, #"501ms: "b""#])
    }

    @Test func `at rate zero nothing passes until the fault is gone`() {
        var bench = FaultBench(.bandwidth(BandwidthToxic(bytesPerSecond: 0)))
        bench.push("held", at: 0)
        bench.close(at: 1)
        #expect(bench.nextDeadline == nil)
        #expect(bench.heldBytes == 4)
        bench.remove(at: 9)
        #expect(bench.out == [#"9ms: "held""#, "9ms: finished"])
    }

    // MARK: Loss

    @Test func `a lost segment comes a timeout later and holds up what follows`() {
        // Everything is lost fifteen times: 200 ms doubled up to 120 s, then it passes.
        var bench = FaultBench(.loss(LossToxic(rate: 1)))
        bench.push("a", at: 0)
        bench.push("b", at: 1)
        bench.runToEnd()
        let sum = (0..<15).reduce(0.0) { $0 + min(200 * Double(1 << $1), 120_000) }
        #expect(bench.out == ["\(Int(sum))ms: \"a\"", "\(Int(sum) + 1)ms: \"b\""])
    }

    @Test func `without loss nothing is late`() {
        var bench = FaultBench(.loss(LossToxic(rate: 0, correlation: 0.9)))
        for number in 0..<100 { bench.push("x", at: Double(number)) }
        #expect(bench.out == (0..<100).map { "\($0)ms: \"x\"" })
    }

    @Test(arguments: [(0.1, 0.0), (0.1, 0.5), (0.5, 0.0)])
    func `so many segments are lost as the rate says, in bursts when they correlate`(rate: Double, correlation: Double)
    {
        var machine = LossMachine(
            LossToxic(rate: rate, correlation: correlation), random: RandomStream(seed: 7, name: "loss"))
        var (late, pairs, previous) = (0, 0, false)
        let count = 20_000
        for number in 0..<count {
            // Far enough apart that no segment waits for the one before.
            let now = NIODeadline.uptimeNanoseconds(0) + .hours(Int64(number))
            let isLate = machine.push(ByteBuffer(string: "x"), at: now).isEmpty
            _ = machine.advance(to: now + .minutes(59))
            late += isLate ? 1 : 0
            pairs += isLate && previous ? 1 : 0
            previous = isLate
        }
        let share = Double(late) / Double(count)
        #expect(abs(share - rate) < (correlation == 0 ? 0.01 : 0.02))
        // The share of losses behind a loss.
        let expected = rate * (1 - correlation) + correlation
        #expect(abs(Double(pairs) / Double(max(1, late)) - expected) < 0.04)
    }

    // MARK: Slicer

    @Test func `slices are of the size and so far apart`() {
        var bench = FaultBench(.slicer(SlicerToxic(size: 2, delay: .milliseconds(5))))
        bench.push("abcde", at: 0)
        bench.push("f", at: 1)
        bench.close(at: 2)
        bench.runToEnd()
        #expect(bench.out == [#"0ms: "ab""#, #"5ms: "cd""#, #"10ms: "e""#, #"15ms: "f""#, "20ms: finished"])
    }

    @Test func `sizes vary within their bounds`() {
        var bench = FaultBench(.slicer(SlicerToxic(size: 10, variation: 3)))
        bench.push(String(repeating: "x", count: 10_000), at: 0)
        let sizes = bench.out.dropLast().map { $0.count - 7 }
        #expect(sizes.allSatisfy { (7...13).contains($0) })
        #expect(Set(sizes).count == 7)
        #expect(bench.bytes.readableBytes == 10_000)
    }

    // MARK: Timeout, black hole

    @Test func `a timeout swallows everything and closes after silence`() {
        var bench = FaultBench(.timeout(TimeoutToxic(after: .milliseconds(100))))
        bench.push("lost", at: 60)
        bench.run(to: 159)
        #expect(bench.out == [])
        bench.run(to: 160)
        #expect(bench.out == ["160ms: severed"])
    }

    @Test func `a timeout of zero holds for ever, and its removal closes`() {
        var bench = FaultBench(.timeout(TimeoutToxic(after: .zero)))
        bench.push("lost", at: 1)
        #expect(bench.nextDeadline == nil)
        bench.remove(at: 9)
        #expect(bench.out == ["9ms: severed"])
    }

    @Test func `other settings do not close a timeout`() {
        var bench = FaultBench(.timeout(TimeoutToxic(after: .zero)))
        bench.replace(.timeout(TimeoutToxic(after: .milliseconds(5))))
        #expect(bench.out == [])
        bench.run(to: 10)
        #expect(bench.out == ["5ms: severed"])
    }

    @Test func `what a black hole swallowed arrives when it is closed`() {
        var bench = FaultBench(.blackhole(BlackholeToxic(stage: .data)))
        bench.push("a", at: 0)
        bench.push("b", at: 1)
        bench.close(at: 2)
        bench.run(to: 1_000_000)
        #expect(bench.out == [])
        #expect(bench.heldBytes == 2)
        bench.remove(at: 1_000_001)
        #expect(bench.bytes == ByteBuffer(string: "ab"))
        #expect(bench.ends == [.finished])
    }

    // MARK: Ends

    @Test func `a reset comes at once, on connections that are open as well`() {
        #expect(FaultBench(.reset(ResetToxic())).out == ["0ms: reset"])
    }

    @Test func `a reset after a time`() {
        var bench = FaultBench(.reset(ResetToxic(after: .milliseconds(30))))
        bench.push("a", at: 10)
        bench.run(to: 30)
        bench.push("lost", at: 31)
        #expect(bench.out == [#"10ms: "a""#, "30ms: reset"])
    }

    /// `bytes`, what is pushed, and what passes before the reset.
    @Test(arguments: [(0, ["abc"], ""), (2, ["abc"], "ab"), (3, ["abc"], "abc"), (4, ["abc", "def"], "abcd")])
    func `a reset behind so many bytes`(limit: Int, chunks: [String], passed: String) {
        var bench = FaultBench(.reset(ResetToxic(bytes: limit)))
        for chunk in chunks { bench.push(chunk, at: 1) }
        #expect(String(buffer: bench.bytes) == passed)
        #expect(bench.ends == [.reset])
    }

    @Test func `a reset a while behind so many bytes`() {
        var bench = FaultBench(.reset(ResetToxic(after: .milliseconds(50), bytes: 2)))
        bench.push("abc", at: 10)
        bench.push("more", at: 20)
        bench.run(to: 100)
        #expect(bench.out == [#"10ms: "ab""#, "60ms: reset"])
    }

    @Test(arguments: [(0, ""), (3, "abc"), (4, "abcd"), (100, "abcdef")])
    func `a limit passes exactly so many bytes`(limit: Int, passed: String) {
        var bench = FaultBench(.limitData(LimitDataToxic(bytes: limit)))
        bench.push("abc", at: 0)
        bench.push("def", at: 1)
        #expect(String(buffer: bench.bytes) == passed)
        #expect(bench.ends == (limit < 6 ? [.severed] : []))
    }

    @Test func `a limit that is changed goes on counting`() {
        var bench = FaultBench(.limitData(LimitDataToxic(bytes: 100)))
        bench.push("abcd", at: 0)
        bench.replace(.limitData(LimitDataToxic(bytes: 6)))
        bench.push("efgh", at: 1)
        #expect(bench.out == [#"0ms: "abcd""#, #"1ms: "ef""#, "1ms: severed"])
    }

    @Test func `half-close tells one side alone`() {
        let toxic = Toxic.halfClose(HalfCloseToxic(side: .client))
        #expect(FaultBench(toxic, .down).out == ["0ms: finished"])
        var up = FaultBench(toxic, .up)
        up.push("goes on", at: 1)
        #expect(up.out == [#"1ms: "goes on""#])
    }

    @Test func `half-open loses the server, and its removal resets`() {
        var up = FaultBench(.halfOpen, .up)
        up.push("into the void", at: 1)
        up.remove(at: 9)
        #expect(up.out == ["0ms: lost", "9ms: reset"])
        #expect(FaultBench(.halfOpen, .down).out == [])
    }

    @Test func `the end comes late, bytes do not`() {
        var bench = FaultBench(.slowClose(SlowCloseToxic(delay: .milliseconds(40))))
        bench.push("a", at: 1)
        bench.close(at: 2)
        bench.run(to: 100)
        #expect(bench.out == [#"1ms: "a""#, "42ms: finished"])
    }

    @Test func `a reset of the peer is not held up by a slow close`() {
        var bench = FaultBench(.slowClose(SlowCloseToxic(delay: .milliseconds(40))))
        bench.close(.reset, at: 2)
        #expect(bench.out == ["2ms: reset"])
    }

    // MARK: Stall, corrupt

    @Test func `a stall stops at its byte and goes on`() {
        var bench = FaultBench(.stall(StallToxic(atByte: 3, length: .milliseconds(20))))
        bench.push("abcdef", at: 0)
        bench.push("ghi", at: 5)
        bench.close(at: 6)
        bench.run(to: 100)
        #expect(bench.out == [#"0ms: "abc""#, #"20ms: "def""#, #"20ms: "ghi""#, "20ms: finished"])
    }

    @Test func `a stall comes again so many times`() {
        var bench = FaultBench(.stall(StallToxic(atByte: 2, length: .milliseconds(10), times: 2)))
        bench.push("abcdefg", at: 0)
        bench.run(to: 100)
        #expect(bench.out == [#"0ms: "ab""#, #"10ms: "cd""#, #"20ms: "efg""#])
    }

    @Test func `a stall without an end waits for its removal`() {
        var bench = FaultBench(.stall(StallToxic(atByte: 1, length: nil)))
        bench.push("ab", at: 0)
        #expect(bench.nextDeadline == nil)
        bench.remove(at: 5)
        #expect(bench.out == [#"0ms: "a""#, #"5ms: "b""#])
    }

    @Test(arguments: [0.0, 0.01, 0.5, 1])
    func `one bit of so many bytes is flipped, and none is lost`(rate: Double) {
        let total = 100_000
        var bench = FaultBench(.corrupt(CorruptToxic(rate: rate)))
        for _ in 0..<100 { bench.push(ByteBuffer(repeating: 0x55, count: total / 100), at: FaultBench.at(0)) }
        let changed = bench.bytes.readableBytesView.filter { $0 != 0x55 }
        #expect(bench.bytes.readableBytes == total)
        #expect(changed.allSatisfy { ($0 ^ 0x55).nonzeroBitCount == 1 })
        #expect(abs(Double(changed.count) / Double(total) - rate) < 0.01)
    }

    // MARK: Together

    @Test func `several faults on a stream follow each other`() {
        var bench = FaultBench(.latency(LatencyToxic(.constant(.milliseconds(10)))))
        bench.put(.slicer(SlicerToxic(size: 2, delay: .milliseconds(1))), name: "slices")
        bench.put(.limitData(LimitDataToxic(bytes: 5)), name: "limit")
        bench.push("abcdefgh", at: 0)
        bench.runToEnd()
        #expect(bench.out == [#"10ms: "ab""#, #"11ms: "cd""#, #"12ms: "e""#, "12ms: severed"])
    }

    @Test func `what comes behind an end is lost`() {
        var bench = FaultBench(.limitData(LimitDataToxic(bytes: 1)))
        bench.push("ab", at: 0)
        bench.push("cd", at: 1)
        bench.close(at: 2)
        #expect(bench.out == [#"0ms: "a""#, "0ms: severed"])
    }
}

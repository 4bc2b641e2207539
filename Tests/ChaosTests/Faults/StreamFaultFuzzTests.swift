// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import NIOCore
import Testing
import World

/// Whatever comes in whatever pieces: faults that destroy nothing lose, double and reorder nothing.
@Suite struct StreamFaultFuzzTests {
    private static let harmless: [Toxic] = [
        .latency(LatencyToxic(.uniform(middle: .milliseconds(5), jitter: .milliseconds(5)))),
        .latency(LatencyToxic(.lognormal(median: .milliseconds(2), sigma: 1))),
        .bandwidth(BandwidthToxic(bytesPerSecond: 50_000)), .loss(LossToxic(rate: 0.1, correlation: 0.3)),
        .slicer(SlicerToxic(size: 7, variation: 6, delay: .microseconds(100))),
        .stall(StallToxic(atByte: 100, length: .milliseconds(3), times: 5)),
        .slowClose(SlowCloseToxic(delay: .milliseconds(20))), .blackhole(BlackholeToxic(stage: .data)),
    ]

    @Test(arguments: 1...300)
    func `bytes arrive whole and in order through any faults`(seed: UInt64) {
        var random = RandomStream(seed: seed, name: "fuzz")
        func toxic() -> Toxic { Self.harmless[Int(random.below(UInt64(Self.harmless.count)))] }
        var bench = FaultBench(toxic(), seed: seed)
        var names = ["x"]
        var (sent, time) = (ByteBuffer(), 0.0)
        for number in 0..<Int(random.below(40)) + 1 {
            time += random.unit() * 4
            switch random.below(10) {
            case 0:
                names.append("more \(number)")
                bench.run(to: time)
                bench.put(toxic(), seed: seed, name: names[names.count - 1])
            case 1 where !names.isEmpty:
                bench.remove(names.remove(at: Int(random.below(UInt64(names.count)))), at: time)
            default:
                var chunk = ByteBuffer()
                for _ in 0..<random.below(200) + 1 { chunk.writeInteger(UInt8(truncatingIfNeeded: random.next())) }
                sent.writeImmutableBuffer(chunk)
                bench.push(chunk, at: FaultBench.at(time))
            }
        }
        bench.close(at: time + 1)
        bench.runToEnd()
        // Black holes give back what they swallowed.
        for name in names {
            bench.remove(name, at: Double(bench.instant.uptimeNanoseconds) / 1e6)
            bench.runToEnd()
        }
        #expect(bench.bytes == sent)
        #expect(bench.ends == [.finished])
        #expect(bench.heldBytes == 0)
    }
}

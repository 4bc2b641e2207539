// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import NIOCore
import Testing
import World

@Suite struct ToxicTests {
    private let slow = Toxic.latency(LatencyToxic(.constant(.milliseconds(10))))
    private let random = RandomStreams(seed: 42)
    private func at(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .milliseconds(milliseconds) }

    @Test(arguments: [(ToxicStream.up, true, false), (.down, false, true), (.both, true, true)])
    func `a toxic works on the streams it names`(stream: ToxicStream, up: Bool, down: Bool) {
        let decision = InstalledToxic(name: "slow", toxic: slow, stream: stream)
            .decision(link: "wire", connection: 1, random: random)
        #expect((decision.up != nil) == up)
        #expect((decision.down != nil) == down)
    }

    private func hits(_ toxic: InstalledToxic, _ numbers: some Sequence<Int>) -> [Int] {
        numbers.filter { toxic.hits(place: $0, draw: $0, link: "wire", random: random) }
    }

    @Test(arguments: [(0.0, 0...0), (0.3, 260...340), (1, 1000...1000)])
    func `toxicity is the share of connections`(toxicity: Double, expected: ClosedRange<Int>) {
        let toxic = InstalledToxic(name: "some", toxic: slow, toxicity: toxicity)
        #expect(expected.contains(hits(toxic, 1...1000).count))
    }

    @Test func `what happens to a connection depends on its number, not on when it is asked`() {
        let toxic = InstalledToxic(name: "some", toxic: slow, toxicity: 0.5)
        #expect(Set(hits(toxic, 1...100)) == Set(hits(toxic, (1...100).reversed())))
        let other = InstalledToxic(name: "another", toxic: slow, toxicity: 0.5)
        #expect(hits(other, 1...100) != hits(toxic, 1...100), "two faults draw from streams of their own")
    }

    /// `nth`, `count` and which of the first ten are hit.
    @Test(
        arguments: [
            (nil, nil, Array(1...10)), (3, nil, [3]), (nil, 2, [1, 2]), (4, 3, [4, 5, 6]),
        ] as [(Int?, Int?, [Int])])
    func `nth and count say which ones`(nth: Int?, count: Int?, expected: [Int]) {
        let toxic = InstalledToxic(name: "some", toxic: slow, nth: nth, count: count)
        #expect(hits(toxic, 1...10) == expected)
    }

    @Test func `the rate of a status is a share of its own, beside toxicity`() {
        func count(_ rate: Double, _ toxicity: Double) -> Int {
            let status = InstalledToxic(
                name: "s", toxic: .status(StatusToxic(code: 503, rate: rate)), toxicity: toxicity)
            return hits(status, 1...2000).count
        }
        #expect((900...1100).contains(count(0.5, 1)))
        #expect((400...600).contains(count(0.5, 0.5)))
        #expect(count(0, 1) == 0)
    }

    @Test func `what happens at the start of a connection`() {
        func admission(_ toxic: Toxic) -> Toxic.Admission {
            InstalledToxic(name: "x", toxic: toxic).decision(link: "wire", connection: 1, random: random).admission
        }
        let second = DelayDistribution.constant(.seconds(1))
        #expect(admission(.latency(LatencyToxic(second))) == .accept)
        #expect(admission(.latency(LatencyToxic(second, delaysConnect: true))) == .delay(.seconds(1)))
        #expect(admission(.refuse) == .refuse)
        #expect(admission(.blackhole(BlackholeToxic(stage: .connect))) == .hang)
        #expect(admission(.blackhole(BlackholeToxic(stage: .data))) == .accept)
    }

    @Test func `faults on one stream follow each other`() {
        var chain = ToxicChain()
        let machine = LatencyMachine(
            LatencyToxic(.constant(.milliseconds(10))), random: RandomStream(seed: 1, name: "test"))
        _ = chain.install(machine, name: "first", at: at(0))
        _ = chain.install(machine, name: "second", at: at(0))
        let chunk = ByteBuffer(string: "x")
        #expect(chain.push(chunk, at: at(0)) == [])
        #expect(chain.advance(to: at(10)) == [])
        #expect(chain.nextDeadline == at(20))
        #expect(chain.advance(to: at(20)) == [.bytes(chunk)])
    }

    @Test func `what a removed fault held goes through the faults behind it, in order`() {
        var chain = ToxicChain()
        func install(_ milliseconds: Int64, _ name: String) {
            let latency = LatencyToxic(.constant(.milliseconds(milliseconds)))
            _ = chain.install(LatencyMachine(latency, random: RandomStream(seed: 1, name: name)), name: name, at: at(0))
        }
        install(1000, "first")
        install(10, "second")
        let (one, two) = (ByteBuffer(string: "1"), ByteBuffer(string: "2"))
        _ = chain.push(one, at: at(0))
        #expect(chain.remove("first", at: at(5)) == [])
        #expect(chain.heldBytes == 1)
        _ = chain.push(two, at: at(6))
        #expect(chain.advance(to: at(15)) == [.bytes(one)])
        #expect(chain.remove("second", at: at(15)) == [.bytes(two)])
        #expect(chain.isEmpty)
        #expect(chain.push(one, at: at(20)) == [.bytes(one)])
    }
}

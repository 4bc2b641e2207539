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
            .decide(link: "wire", connection: 1, random: random)
        #expect((decision?.up != nil) == up)
        #expect((decision?.down != nil) == down)
    }

    @Test(arguments: [(0.0, 0...0), (0.3, 260...340), (1, 1000...1000)])
    func `toxicity is the share of connections`(toxicity: Double, expected: ClosedRange<Int>) {
        let toxic = InstalledToxic(name: "some", toxic: slow, toxicity: toxicity)
        let hit = (1...1000).filter { toxic.decide(link: "wire", connection: $0, random: random) != nil }
        #expect(expected.contains(hit.count))
    }

    @Test func `what happens to a connection depends on its number, not on when it is asked`() {
        let toxic = InstalledToxic(name: "some", toxic: slow, toxicity: 0.5)
        func hit(_ numbers: [Int]) -> Set<Int> {
            Set(numbers.filter { toxic.decide(link: "wire", connection: $0, random: random) != nil })
        }
        #expect(hit(Array(1...100)) == hit((1...100).reversed()))
        let other = InstalledToxic(name: "another", toxic: slow, toxicity: 0.5)
        let others = (1...100).filter { other.decide(link: "wire", connection: $0, random: random) != nil }
        #expect(Set(others) != hit(Array(1...100)), "two faults draw from streams of their own")
    }

    @Test func `a latency delays connecting only when asked`() {
        func admission(_ delaysConnect: Bool) -> Toxic.Admission? {
            let latency = LatencyToxic(.constant(.seconds(1)), delaysConnect: delaysConnect)
            return InstalledToxic(name: "slow", toxic: .latency(latency))
                .decide(link: "wire", connection: 1, random: random)?.admission
        }
        #expect(admission(false) == .accept)
        #expect(admission(true) == .delay(.seconds(1)))
        #expect(
            InstalledToxic(name: "no", toxic: .refuse).decide(link: "wire", connection: 1, random: random)?.admission
                == .refuse)
    }

    @Test func `faults on one stream follow each other`() {
        var chain = ToxicChain()
        let machine = LatencyMachine(
            LatencyToxic(.constant(.milliseconds(10))), random: RandomStream(seed: 1, name: "test"))
        chain.install(machine, name: "first")
        chain.install(machine, name: "second")
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
            chain.install(LatencyMachine(latency, random: RandomStream(seed: 1, name: name)), name: name)
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

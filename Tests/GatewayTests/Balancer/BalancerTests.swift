// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Testing
import World

@Suite struct BalancerTests {
    private let rig = MonitorRig()
    private let now = NIODeadline.uptimeNanoseconds(0)

    private func balancer(
        _ algorithm: String, _ targets: [(String, weight: Int)], threshold: Double = 0, slots: Int = 10_000,
        seed: UInt64 = 1
    ) -> Balancer {
        let upstream = makeUpstream(algorithm: algorithm, slots: slots) {
            $0.watchTraffic(failures: 1, successes: 1)
            $0.threshold = threshold
        }
        let set = rig.monitor.apply([resolve(upstream, targets)])[0]
        return Balancer(set, random: RandomStreams(seed: seed).stream("balancer orders"))
    }

    private func eject(_ port: Int, of balancer: Balancer) {
        for address in balancer.set.addresses where address.port == port {
            rig.report(.timeout, of: address)
        }
    }

    private func recover(_ port: Int, of balancer: Balancer) {
        for address in balancer.set.addresses where address.port == port {
            rig.report(.httpStatus(200), of: address)
        }
    }

    // MARK: Round robin

    @Test func `one turn of the wheel is exact`() {
        let balancer = balancer("round-robin", [("a:1", weight: 50), ("b:2", weight: 25), ("c:3", weight: 100)])
        for _ in 0..<3 {
            var counts: [Int: Int] = [:]
            for _ in 0..<7 { counts[balancer.pick(now: now)?.port ?? 0, default: 0] += 1 }
            #expect(counts == [1: 2, 2: 1, 3: 4])
        }
    }

    @Test func `the order comes from the seed`() {
        func order(_ seed: UInt64) -> [Int?] {
            let balancer = balancer("round-robin", (1...20).map { ("t\($0):\($0)", weight: 1) }, seed: seed)
            return (0..<20).map { _ in balancer.pick(now: now)?.port }
        }
        #expect(order(1) == order(1))
        #expect(order(1) != order(2))
        #expect(order(1) != (1...20).map { $0 })
    }

    @Test func `an ejected address is skipped and comes back`() {
        let balancer = balancer("round-robin", [("a:1", weight: 1), ("b:2", weight: 1)])
        eject(1, of: balancer)
        #expect((0..<4).map { _ in balancer.pick(now: now)?.port } == [2, 2, 2, 2])
        recover(1, of: balancer)
        #expect(Set((0..<2).map { _ in balancer.pick(now: now)?.port }) == [1, 2])
    }

    @Test func `weight 0 gets nothing, and all weights 0 pick nothing`() {
        let some = balancer("round-robin", [("a:1", weight: 0), ("b:2", weight: 7)])
        #expect((0..<5).map { _ in some.pick(now: now)?.port } == [2, 2, 2, 2, 2])
        for algorithm in ["round-robin", "consistent-hashing", "least-connections", "latency"] {
            #expect(balancer(algorithm, [("a:1", weight: 0)]).pick(now: now) == nil)
            #expect(balancer(algorithm, []).pick(now: now) == nil)
        }
    }

    @Test func `weights without a common divisor make no endless wheel`() {
        let balancer = balancer("round-robin", (0..<100).map { ("t\($0):\($0 + 1)", weight: 65_535 - $0) })
        #expect(balancer.pick(now: now) != nil)
    }

    // MARK: The upstream as a whole

    @Test(arguments: ["round-robin", "consistent-hashing", "least-connections", "latency"])
    func `below the threshold nothing is picked, and recovery is seen at once`(algorithm: String) {
        let balancer = balancer(algorithm, (1...5).map { ("t\($0):\($0)", weight: 100) }, threshold: 55)
        eject(1, of: balancer)
        eject(2, of: balancer)
        let picked = balancer.pick(now: now)
        #expect(picked != nil)
        #expect(picked.map { $0.port > 2 } == true)
        eject(3, of: balancer)
        #expect(balancer.pick(now: now) == nil)
        recover(1, of: balancer)
        #expect(balancer.pick(now: now) != nil)
    }

    // MARK: Consistent hashing

    @Test func `the same hash finds the same address, and another only while that is away`() {
        let balancer = balancer("consistent-hashing", (1...4).map { ("t\($0):\($0)", weight: 100) })
        let hashes = (0..<200).map { XXHash32.hash("client-\($0)") }
        let before = hashes.map { balancer.pick(hash: $0, now: now)?.port }
        #expect(Set(before) == [1, 2, 3, 4])
        eject(2, of: balancer)
        let during = hashes.map { balancer.pick(hash: $0, now: now)?.port }
        for (old, new) in zip(before, during) { #expect(old == 2 ? new != 2 : new == old) }
        recover(2, of: balancer)
        #expect(hashes.map { balancer.pick(hash: $0, now: now)?.port } == before)
    }

    @Test func `the order of the targets does not matter and shares follow the weights`() {
        let targets = (1...4).map { ("t\($0):\($0)", weight: $0 * 50) }
        let first = balancer("consistent-hashing", targets, slots: 60_000)
        let second = balancer("consistent-hashing", targets.reversed(), slots: 60_000)
        var counts: [Int: Int] = [:]
        for number in 0..<20_000 {
            let hash = XXHash32.hash("client-\(number)")
            let port = first.pick(hash: hash, now: now)?.port
            #expect(second.pick(hash: hash, now: now)?.port == port)
            counts[port ?? 0, default: 0] += 1
        }
        for port in 1...4 {
            let share = Double(counts[port] ?? 0) / 20_000
            #expect(abs(share - Double(port) / 10) < 0.05, "share of weight \(port * 50)")
        }
    }

    // MARK: Least connections

    @Test func `the fewest connections by weight are served next`() {
        let balancer = balancer("least-connections", [("a:1", weight: 1), ("b:2", weight: 3)])
        let picked = (0..<8).compactMap { _ in balancer.pick(now: now) }
        #expect(picked.count { $0.port == 1 } == 2)
        #expect(picked.count { $0.port == 2 } == 6)
        for address in picked where address.port == 2 { balancer.ended(address, took: nil, now: now) }
        #expect((0..<6).map { _ in balancer.pick(now: now)?.port } == [2, 2, 2, 2, 2, 2])
    }

    @Test func `idle addresses of equal weight take turns`() {
        let balancer = balancer("least-connections", [("a:1", weight: 1), ("b:2", weight: 1)])
        var ports: [Int] = []
        for _ in 0..<4 {
            guard let address = balancer.pick(now: now) else { continue }
            ports.append(address.port)
            balancer.ended(address, took: nil, now: now)
        }
        #expect(ports == [1, 2, 1, 2])
    }

    @Test func `a retry goes elsewhere until everywhere was tried`() throws {
        let balancer = balancer("least-connections", [("a:1", weight: 1), ("b:2", weight: 100)])
        let first = try #require(balancer.pick(now: now))
        #expect(first.port == 2)
        let second = try #require(balancer.pick(tried: [first], now: now))
        #expect(second.port == 1)
        #expect(balancer.pick(tried: [first, second], now: now)?.port == 2)
    }

    // MARK: Latency

    @Test func `the quickest by weight is served next, and old slowness fades`() {
        let balancer = balancer("latency", [("a:1", weight: 1), ("b:2", weight: 1)])
        for address in balancer.set.addresses {
            balancer.ended(address, took: .milliseconds(address.port == 1 ? 500 : 10), now: now + .seconds(100))
        }
        #expect((0..<3).map { _ in balancer.pick(now: now + .seconds(100))?.port } == [2, 2, 2])
        // Only b is measured for a minute, and it has become slower than what is left of a's average.
        balancer.ended(balancer.set.addresses[1], took: .milliseconds(50), now: now + .seconds(160))
        #expect(balancer.pick(now: now + .seconds(160))?.port == 1)
    }

    @Test func `latency tries no address twice`() {
        let balancer = balancer("latency", [("a:1", weight: 1), ("b:2", weight: 1)])
        #expect(balancer.pick(tried: [balancer.set.addresses[0]], now: now)?.port == 2)
        #expect(balancer.pick(tried: balancer.set.addresses, now: now) == nil)
    }

    // MARK: xxHash

    @Test(
        arguments: [
            // From the specification and the reference implementation's self test.
            ("", 0, 0x02CC_5D05), ("", 2_654_435_761, 0x36B7_8AE7), ("a", 0, 0x550D_7456), ("abc", 0, 0x32D1_53FF),
            ("Nobody inspects the spammish repetition", 0, 0xE229_3B2F),
        ] as [(String, UInt32, UInt32)])
    func `xxHash32 agrees with the published vectors`(text: String, seed: UInt32, hash: UInt32) {
        #expect(XXHash32.hash(text, seed: seed) == hash)
    }
}

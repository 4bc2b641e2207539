// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Testing

@Suite struct HealthMonitorProbeTests {
    @Test func `probes start at exact multiples of the interval, none at once`() {
        let rig = MonitorRig()
        _ = rig.monitor.apply([resolve(makeUpstream { $0.probeEvery(healthy: .seconds(5)) }, "api:8080")])
        rig.run(.milliseconds(4999))
        #expect(rig.probes.isEmpty)
        rig.run(.seconds(60))
        #expect(rig.probes.map(\.milliseconds) == (1...12).map { Int64($0) * 5000 })
    }

    @Test func `each mode probes its own addresses at its own interval`() {
        let rig = MonitorRig()
        let upstream = makeUpstream { $0.probeEvery(healthy: .seconds(3), unhealthy: .seconds(1), failures: 2) }
        _ = rig.monitor.apply([resolve(upstream, "good:1", "bad:2")])
        rig.answers[2] = .status(500)
        for port in 1...2 { rig.delays[port] = .milliseconds(1) }
        rig.run(.milliseconds(6001))
        // Both are healthy until the second failure at 6 s.
        #expect(rig.probes.map { "\($0.milliseconds) \($0.port)" } == ["3000 1", "3000 2", "6000 1", "6000 2"])
        rig.probes = []
        rig.run(.milliseconds(3000))
        #expect(rig.probes.map { "\($0.milliseconds) \($0.port)" } == ["7000 2", "8000 2", "9000 1", "9000 2"])
        rig.answers[2] = .status(200)
        rig.run(.seconds(1))
        #expect(rig.steps == ["healthy→mostly_healthy", "mostly_healthy→unhealthy", "unhealthy→healthy"])
        #expect(rig.healthEvents.allSatisfy { $0.cause == .active && $0.target == "bad:2" })
        #expect(rig.healthEvents.map(\.status) == [500, 500, 200])
    }

    @Test func `a pass that takes longer than the interval delays no multiple`() {
        let rig = MonitorRig()
        _ = rig.monitor.apply([resolve(makeUpstream { $0.probeEvery(healthy: .seconds(1)) }, "slow:1")])
        rig.delays[1] = .milliseconds(1500)
        rig.run(.seconds(7))
        #expect(rig.probes.map(\.milliseconds) == [1000, 3000, 5000, 7000])
    }

    @Test func `packages run side by side and their items one after the other`() {
        let rig = MonitorRig()
        let upstream = makeUpstream {
            $0.probeEvery(healthy: .seconds(10))
            $0.active.concurrency = 2
        }
        _ = rig.monitor.apply([resolve(upstream, "a:1", "b:2", "c:3", "d:4", "e:5")])
        for port in 1...5 { rig.delays[port] = .milliseconds(100) }
        rig.run(.seconds(11))
        #expect(
            rig.probes.map { "\($0.milliseconds) \($0.port)" }
                == ["10000 1", "10000 2", "10100 3", "10100 4", "10200 5"])
        #expect(rig.underWay.most == 2)
    }

    @Test func `type tcp counts as switched on and sends nothing`() {
        let rig = MonitorRig()
        let sets = rig.monitor.apply([
            resolve(
                makeUpstream {
                    $0.probeEvery(healthy: .seconds(1), unhealthy: .seconds(1))
                    $0.active.type = .tcp
                }, "api:1")
        ])
        rig.run(.seconds(100))
        #expect(rig.probes.isEmpty)
        #expect(sets[0].checksOn)
        #expect(rig.monitor.health(ofUpstream: "id-of-orders")?.targets[0].health == .healthy)
    }

    struct Quirk: CustomTestStringConvertible, Sendable {
        var name: String
        var change: @Sendable (inout HealthChecks) -> Void
        var testDescription: String { name }
    }

    @Test(arguments: [
        Quirk(name: "successes 255") { $0.active.healthy.successes = 255 },
        Quirk(name: "passive timeouts 255") { $0.passive.unhealthy.timeouts = 255 },
        Quirk(name: "grpc") { $0.active.type = .grpc },
        Quirk(name: "passive grpcs") { $0.passive.type = .grpcs },
    ])
    func `what Kong's library refuses runs without checks`(quirk: Quirk) {
        let rig = MonitorRig()
        let upstream = makeUpstream {
            $0.probeEvery(healthy: .seconds(1), unhealthy: .seconds(1))
            $0.watchTraffic(failures: 1)
            quirk.change(&$0)
        }
        let set = rig.monitor.apply([resolve(upstream, "api:1")])[0]
        rig.report(.tcpFailure, of: set.addresses[0])
        rig.run(.seconds(10))
        #expect(rig.probes.isEmpty)
        #expect(rig.events.isEmpty)
        #expect(set.isHealthy && set.addresses[0].isAvailable)
        #expect(rig.monitor.health(ofUpstream: upstream.id) == nil)
        #expect(
            rig.monitor.setHealth(false, upstream: upstream.id, target: "id-of-api:1", address: nil) == .noChecker)
    }

    @Test(arguments: [
        (answer: ProbeAnswer.status(200), result: ProbeEvent.Result.success, to: "healthy"),
        (answer: .status(500), result: .httpFailure, to: "unhealthy"),
        (answer: .status(0), result: .httpFailure, to: "unhealthy"),
        (answer: .status(404), result: .httpFailure, to: "unhealthy"),
        (answer: .status(418), result: .ignored, to: "healthy"),
        (answer: .tcpFailure("refused"), result: .tcpFailure, to: "unhealthy"),
        (answer: .timeout("receiving"), result: .timeout, to: "unhealthy"),
        (answer: .connected, result: .success, to: "healthy"),
    ])
    func `an answer becomes the report of its kind`(answer: ProbeAnswer, result: ProbeEvent.Result, to: String) {
        let rig = MonitorRig()
        let set = rig.monitor.apply([resolve(makeUpstream { $0.probeEvery(healthy: .seconds(1)) }, "api:1")])[0]
        rig.answers[1] = answer
        rig.run(.seconds(1))
        guard case .probe(let probe)? = rig.events.first else {
            Issue.record("no probe event: \(rig.events)")
            return
        }
        #expect(probe.result == result)
        #expect(probe.mode == .healthy)
        #expect(probe.started == rig.start + .seconds(1))
        #expect(set.addresses[0].isAvailable == (to == "healthy"))
        #expect(rig.events.count == (to == "healthy" ? 1 : 2))
    }

    @Test func `an address of weight 0 is neither probed nor counted`() {
        let rig = MonitorRig()
        let upstream = makeUpstream { $0.probeEvery(healthy: .seconds(1)) }
        _ = rig.monitor.apply([resolve(upstream, [("a:1", weight: 0), ("b:2", weight: 1)])])
        rig.run(.seconds(2))
        #expect(rig.probes.map(\.port) == [2, 2])
        #expect(rig.monitor.health(ofUpstream: upstream.id)?.targets.map(\.health) == [.checksOff, .healthy])
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Testing

@Suite struct HealthMonitorStateTests {
    private let rig = MonitorRig()

    private func watched(_ name: String = "orders", failures: Int = 1) -> Upstream {
        makeUpstream(name) { $0.watchTraffic(failures: failures, successes: 1) }
    }

    // MARK: Passive reports

    @Test func `a passive failure is seen by the very next pick`() {
        let set = rig.monitor.apply([resolve(watched(failures: 2), "a:1", "b:2")])[0]
        rig.report(.httpStatus(500), of: set.addresses[0]) { AttemptLabel(request: "r1", chaos: "users-1") }
        #expect(set.addresses[0].isAvailable && !set.addresses[0].health.ignoresSuccess)
        rig.report(.httpStatus(503), of: set.addresses[0])
        #expect(!set.addresses[0].isAvailable)
        #expect(set.addresses[1].isAvailable)
        #expect(rig.steps == ["healthy→mostly_healthy", "mostly_healthy→unhealthy"])
        #expect(rig.healthEvents.map(\.cause) == [.passive, .passive])
        #expect(
            rig.events.first
                == .attempt(
                    AttemptEvent(
                        upstream: "orders", target: "a:1", address: "127.0.0.1:1",
                        label: AttemptLabel(request: "r1", chaos: "users-1"), outcome: .httpStatus(500))))
        #expect(rig.events.count == 3)
    }

    @Test func `the kinds of passive failures are counted apart`() {
        let set = rig.monitor.apply([resolve(watched(failures: 2), "a:1")])[0]
        for outcome in [PassiveOutcome.httpStatus(500), .tcpFailure, .timeout] {
            rig.report(outcome, of: set.addresses[0])
        }
        #expect(set.addresses[0].isAvailable)
        #expect(rig.healthEvents.last?.change.counters == .init(http: 1, tcp: 1, timeout: 1))
    }

    @Test func `what cannot matter asks for no label`() {
        let set = rig.monitor.apply([resolve(watched(), "a:1")])[0]
        for outcome in [PassiveOutcome.httpStatus(200), .httpStatus(502), .httpStatus(404)] {
            rig.report(outcome, of: set.addresses[0]) {
                Issue.record("asked for a label")
                return nil
            }
        }
        #expect(rig.events.isEmpty)
    }

    // MARK: Manual orders

    @Test func `an order by hand holds until the next report`() {
        let upstream = makeUpstream { $0.probeEvery(healthy: .seconds(1), unhealthy: .seconds(1)) }
        let set = rig.monitor.apply([resolve(upstream, "a:1", "b:2")])[0]
        #expect(rig.monitor.setHealth(false, upstream: upstream.id, target: "id-of-a:1", address: nil) == .done)
        #expect(!set.addresses[0].isAvailable && set.addresses[1].isAvailable)
        rig.run(.seconds(1))
        #expect(set.addresses[0].isAvailable)
        #expect(rig.healthEvents.map(\.cause) == [.manual, .active])
        #expect(rig.healthEvents[0].change.limit == nil)
    }

    @Test(arguments: [
        (upstream: "id-of-orders", address: "127.0.0.1:1" as String?, result: ManualHealthResult.done),
        (upstream: "id-of-orders", address: nil, result: .done),
        (upstream: "id-of-orders", address: "127.0.0.1:9", result: .unknownAddress),
        (upstream: "another", address: nil, result: .noBalancer),
        (upstream: "id-of-unchecked", address: nil, result: .noChecker),
    ])
    func `an order by hand says why it cannot be carried out`(
        upstream: String, address: String?, result: ManualHealthResult
    ) {
        _ = rig.monitor.apply([resolve(watched(), "a:1"), resolve(makeUpstream("unchecked"), "a:1")])
        #expect(rig.monitor.setHealth(false, upstream: upstream, target: "id-of-a:1", address: address) == result)
    }

    // MARK: Changes of configuration

    @Test func `changed limits keep the counters and are not applied to the past`() {
        let before = rig.monitor.apply([resolve(watched(failures: 5), "a:1")])[0]
        for _ in 0..<3 { rig.report(.tcpFailure, of: before.addresses[0]) }
        let after = rig.monitor.apply([resolve(watched(failures: 2), "a:1")])[0]
        #expect(after !== before)
        #expect(after.addresses[0].isAvailable)
        rig.report(.tcpFailure, of: after.addresses[0])
        #expect(!after.addresses[0].isAvailable)
        #expect(!before.addresses[0].isAvailable)
        #expect(rig.healthEvents.last?.change.counters.tcp == 4)
    }

    @Test func `an unchanged upstream keeps its set and the rhythm of its probes`() {
        let upstream = makeUpstream { $0.probeEvery(healthy: .seconds(5)) }
        let before = rig.monitor.apply([resolve(upstream, "a:1")])[0]
        rig.run(.seconds(3))
        let after = rig.monitor.apply([resolve(makeUpstream("other"), "b:2"), resolve(upstream, "a:1")])[1]
        #expect(after === before)
        rig.run(.seconds(7))
        #expect(rig.probes.map(\.milliseconds) == [5000, 10000])
    }

    /// `created_at` is that of the reading, so that every entity of the file is another one to the second.
    @Test func `a file that is read again faster than the interval does not silence the probes`() throws {
        let text = """
            _format_version: "3.0"
            upstreams:
            - name: orders
              targets: [{target: "a:1"}, {target: "b:2"}]
              healthchecks: {active: {healthy: {interval: 5, successes: 1}}}
            """
        var sets: [TargetSet] = []
        for second in 1..<11 {
            let store = try DeclarativeFile.read(
                text, file: "kong.yml", acceptsServiceHealthChecks: false, now: Int64(second) * 1_000_000_000)
            let configuration = store.configuration()
            let upstream = try #require(configuration.upstreams.first)
            #expect(upstream.createdAt == second && configuration.targets.count == 2)
            sets += rig.monitor.apply([
                ResolvedUpstream(
                    upstream: upstream,
                    targets: configuration.targets.map { ResolvedTarget(target: $0, addresses: [loopback($0.port)]) })
            ])
            rig.run(.seconds(1))
        }
        #expect(sets.count == 10 && sets.allSatisfy { $0 === sets[0] })
        #expect(rig.probes.map(\.milliseconds) == [5000, 5000, 10000, 10000])
    }

    @Test func `a changed upstream starts its intervals again`() {
        let upstream = makeUpstream { $0.probeEvery(healthy: .seconds(5)) }
        _ = rig.monitor.apply([resolve(upstream, "a:1")])
        rig.run(.seconds(3))
        _ = rig.monitor.apply([resolve(upstream, "a:1", "b:2")])
        rig.run(.seconds(7))
        #expect(rig.probes.map(\.milliseconds) == [8000, 8000])
    }

    @Test(arguments: [(away: 299, remembered: true), (away: 301, remembered: false)])
    func `a removed target is remembered for 300 seconds`(away: Int64, remembered: Bool) {
        let upstream = watched()
        let set = rig.monitor.apply([resolve(upstream, "a:1", "b:2")])[0]
        rig.report(.timeout, of: set.addresses[0])
        _ = rig.monitor.apply([resolve(upstream, "b:2")])
        rig.run(.seconds(away))
        let back = rig.monitor.apply([resolve(upstream, "a:1", "b:2")])[0]
        #expect(back.addresses[0].isAvailable == !remembered)
        #expect(back.addresses[1].isAvailable)
    }

    @Test(arguments: [(away: 299, remembered: true), (away: 301, remembered: false)])
    func `an upstream of the same name finds the states of the deleted one`(away: Int64, remembered: Bool) {
        let set = rig.monitor.apply([resolve(watched(), "a:1")])[0]
        rig.report(.timeout, of: set.addresses[0])
        _ = rig.monitor.apply([])
        #expect(rig.monitor.health(ofUpstream: "id-of-orders") == nil)
        rig.run(.seconds(away))
        let again = makeUpstream("orders", id: "another id") { $0.watchTraffic(failures: 1) }
        #expect(rig.monitor.apply([resolve(again, "a:1")])[0].addresses[0].isAvailable == !remembered)
    }

    @Test func `checks that are switched off free the address, and on again within 300 s find its state`() {
        let before = rig.monitor.apply([resolve(watched(), "a:1")])[0]
        rig.report(.timeout, of: before.addresses[0])
        let off = rig.monitor.apply([resolve(makeUpstream(), "a:1")])[0]
        #expect(off.addresses[0].isAvailable && !off.checksOn)
        #expect(rig.monitor.health(ofUpstream: "id-of-orders")?.targets[0].health == .checksOff)
        #expect(!rig.monitor.apply([resolve(watched(), "a:1")])[0].addresses[0].isAvailable)
    }

    @Test func `a name that resolves to the same address under another host is another address`() {
        let set = rig.monitor.apply([resolve(watched(), "a:1", "b:1")])[0]
        rig.report(.timeout, of: set.addresses[0])
        #expect(set.addresses.map(\.isAvailable) == [false, true])
    }

    // MARK: The upstream as a whole

    @Test(arguments: [
        (threshold: 55.0, down: 2, healthy: true), (threshold: 55, down: 3, healthy: false),
        (threshold: 60, down: 2, healthy: false), (threshold: 0, down: 4, healthy: true),
        (threshold: 0, down: 5, healthy: false), (threshold: 100, down: 0, healthy: false),
    ])
    func `the available share must exceed the threshold`(threshold: Double, down: Int, healthy: Bool) {
        let upstream = makeUpstream {
            $0.watchTraffic(failures: 1)
            $0.threshold = threshold
        }
        let set = rig.monitor.apply([resolve(upstream, "a:1", "b:2", "c:3", "d:4", "e:5")])[0]
        for address in set.addresses.prefix(down) { rig.report(.timeout, of: address) }
        #expect(set.isHealthy == healthy)
        let health = rig.monitor.health(ofUpstream: upstream.id)
        #expect(health?.isHealthy == healthy)
        #expect(
            health?.weight == HealthWeight(total: 500, available: 500 - down * 100, unavailable: down * 100))
    }

    @Test func `no weight at all is unhealthy, and so is a name that does not resolve`() {
        let upstream = makeUpstream()
        #expect(!rig.monitor.apply([resolve(upstream, [("a:1", weight: 0)])])[0].isHealthy)
        let nowhere = ResolvedTarget(target: makeTarget("a:1", of: upstream), dns: "dns server error", addresses: [])
        #expect(!rig.monitor.apply([ResolvedUpstream(upstream: upstream, targets: [nowhere])])[0].isHealthy)
        #expect(rig.monitor.health(ofUpstream: upstream.id)?.targets[0].health == .dnsError)
    }

    @Test func `each address of a name has the whole weight of the target`() throws {
        let upstream = watched()
        let target = ResolvedTarget(
            target: makeTarget("api:80", of: upstream, weight: 10),
            addresses: [try SocketAddress(ipAddress: "10.0.0.1", port: 80), loopback(80), loopback(80)])
        let set = rig.monitor.apply([ResolvedUpstream(upstream: upstream, targets: [target])])[0]
        #expect(set.addresses.map(\.text) == ["10.0.0.1:80", "127.0.0.1:80"])
        #expect(set.totalWeight == 20)
        rig.report(.timeout, of: set.addresses[0])
        let health = try #require(rig.monitor.health(ofUpstream: upstream.id)?.targets.first)
        #expect(health.health == .healthy)
        #expect(health.addresses.map(\.health) == [.unhealthy, .healthy])
        #expect(health.nodeWeight == 10 && health.dns == "A")
        #expect(health.weight == HealthWeight(total: 20, available: 10, unavailable: 10))
    }

    @Test func `an event is written with the names that readers know`() {
        let set = rig.monitor.apply([resolve(watched(failures: 3), "api:8080")])[0]
        rig.report(.httpStatus(500), of: set.addresses[0])
        #expect(
            rig.events[0].json(t: 5, seq: 1).description
                == #"{"t":5,"seq":1,"kind":"health","upstream":"orders","target":"api:8080","#
                + #""address":"127.0.0.1:8080","from":"healthy","to":"mostly_healthy","cause":"passive","#
                + #""report":"http_failure","status":500,"counters":{"success":0,"http":1,"tcp":0,"timeout":0},"#
                + #""limit":3,"routable":true}"#)
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway
import Testing

@Suite struct AdminHealthTests {
    /// The health of an upstream with one target of one address.
    static func oneTarget(_ target: Target, _ health: HealthStatus) -> UpstreamHealth {
        let weight = HealthWeight(
            total: 100, available: health == .unhealthy ? 0 : 100, unavailable: health == .unhealthy ? 100 : 0)
        let address = AddressHealthView(
            ip: "127.0.0.1", port: target.port, weight: 100, health: health, isAvailable: health != .unhealthy)
        return UpstreamHealth(
            checksOn: health != .checksOff, isHealthy: health != .unhealthy, weight: weight,
            targets: [
                TargetHealth(
                    targetID: target.id, host: target.host, port: target.port, dns: "A", nodeWeight: 100,
                    weight: weight, addresses: [address], health: health)
            ])
    }

    private func admin() throws -> (AdminHarness, Target) {
        let admin = try AdminHarness()
        admin.form("POST", "/upstreams", "name=orders-up")
        admin.form("POST", "/upstreams/orders-up/targets", "target=api:8080")
        return (admin, try #require(admin.configuration.targets.first))
    }

    @Test func `the health of an upstream is Kong's`() throws {
        let (admin, target) = try admin()
        admin.control.healths[target.upstreamID] = Self.oneTarget(target, .healthy)
        let answer = admin.get("/upstreams/orders-up/health")
        let expected = parsedJSON(
            """
            {"host":"api","port":8080,"dns":"A","nodeWeight":100,
            "weight":{"total":100,"available":100,"unavailable":0},
            "addresses":[{"ip":"127.0.0.1","port":8080,"weight":100,"health":"HEALTHY"}]}
            """)
        let row = try #require(answer["data"]?.arrayValue?.first)
        #expect(inKeyOrder(row["data"]) == inKeyOrder(expected))
        #expect(row["health"] == "HEALTHY")
        #expect(row["weight"] == 100)
    }

    @Test func `the health of the balancer is Kong's`() throws {
        let (admin, target) = try admin()
        admin.control.healths[target.upstreamID] = Self.oneTarget(target, .unhealthy)
        let answer = admin.get("/upstreams/orders-up/health?balancer_health=1")
        let expected = parsedJSON(
            """
            {"health":"UNHEALTHY","balancer_health":"UNHEALTHY","id":"\(target.upstreamID)","details":{"healthy":false,
            "weight":{"total":100,"available":0,"unavailable":100},"hosts":[{"host":"api","port":8080,"dns":"A",
            "nodeWeight":100,"weight":{"total":100,"available":0,"unavailable":100},
            "addresses":[{"ip":"127.0.0.1","port":8080,"weight":100,"healthy":false}]}]}}
            """)
        #expect(inKeyOrder(answer["data"]) == inKeyOrder(expected))
        #expect(answer["next"] == .null)
    }

    @Test func `without checks the health is off although the balancer is healthy`() throws {
        let (admin, target) = try admin()
        admin.control.healths[target.upstreamID] = Self.oneTarget(target, .checksOff)
        let answer = admin.get("/upstreams/orders-up/health?balancer_health=1")
        #expect(answer["data"]?["health"] == "HEALTHCHECKS_OFF")
        #expect(answer["data"]?["balancer_health"] == "HEALTHY")
    }

    @Test func `a target the balancer does not know is a DNS error, an upstream without balancer has no health`() throws
    {
        let (admin, target) = try admin()
        #expect(admin.get("/upstreams/orders-up/health")["data"]?.arrayValue?.first?["health"] == nil)
        var health = Self.oneTarget(target, .healthy)
        health.targets = []
        admin.control.healths[target.upstreamID] = health
        #expect(admin.get("/upstreams/orders-up/health")["data"]?.arrayValue?.first?["health"] == "DNS_ERROR")
    }

    @Test(arguments: [
        ("/upstreams/orders-up/targets/api:8080/healthy", "true", "all"),
        ("/upstreams/orders-up/targets/api:8080/unhealthy", "false", "all"),
        ("/upstreams/orders-up/targets/api%3A8080/127.0.0.1:8080/unhealthy", "false", "127.0.0.1:8080"),
        // No port is port 8000.
        ("/upstreams/orders-up/targets/api:8080/127.0.0.1/healthy", "true", "127.0.0.1:8000"),
    ]) func `health is set by hand`(path: String, healthy: String, address: String) throws {
        let (admin, target) = try admin()
        let answer = admin.send("PUT", path)
        #expect(answer.status == 204)
        #expect(answer.body == .empty)
        #expect(admin.control.manual == ["\(healthy) \(target.upstreamID) \(target.id) \(address)"])
        #expect(admin.send("POST", path).status == 405)
    }

    @Test(arguments: [
        (ManualHealthResult.noBalancer, "Upstream orders-up has no balancer"),
        (.noChecker, "no healthchecker found for orders-up"),
    ]) func `health cannot be set by hand without checks`(result: ManualHealthResult, message: String) throws {
        let (admin, _) = try admin()
        admin.control.manualResult = result
        let answer = admin.send("PUT", "/upstreams/orders-up/targets/api:8080/healthy")
        #expect(answer.status == 400)
        #expect(answer.json == ["message": .string(message)])
    }

    @Test func `an unknown target is not found`() throws {
        let (admin, _) = try admin()
        admin.form("POST", "/upstreams", "name=other")
        for path in ["orders-up/targets/b:1", "other/targets/api:8080", "none/targets/api:8080"] {
            #expect(admin.send("PUT", "/upstreams/\(path)/healthy").status == 404)
        }
        #expect(admin.control.manual.isEmpty)
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import NIOCore
import Testing

@testable import Gateway

/// The walk-through's commands, word for word.
private enum Article {
    static let service = """
        curl -i -X POST \\
          --url http://localhost:8001/services/ \\
          --data 'name=mock-api' \\
          --data 'url=http://mock-api:5000'
        """
    static let route = """
        curl -i -X POST \\
          --url http://localhost:8001/services/mock-api/routes \\
          --data 'paths[]=/hello' \\
          --data 'name=mock-api-route'
        """
    static let checks = """
        curl -i -X PATCH \\
          --url http://localhost:8001/services/mock-api \\
          --data 'healthchecks.active.https_path=/health' \\
          --data 'healthchecks.active.https_verify_certificate=false' \\
          --data 'healthchecks.active.unhealthy.http_statuses[]=500' \\
          --data 'healthchecks.active.timeout=2' \\
          --data 'healthchecks.active.interval=5' \\
          --data 'healthchecks.active.healthy.successes=3' \\
          --data 'healthchecks.active.unhealthy.failures=3' \\
          --data 'healthchecks.passive.unhealthy.http_statuses[]=500' \\
          --data 'healthchecks.passive.healthy.http_statuses[]=200' \\
          --data 'healthchecks.passive.unhealthy.timeouts=3' \\
          --data 'healthchecks.passive.unhealthy.tcp_failures=3' \\
          --data 'healthchecks.passive.unhealthy.http_failures=3' \\
          --data 'healthchecks.passive.healthy.interval=5'
        """
    static let echo = """
        {"active":{"https_path":"/health","https_verify_certificate":false,"timeout":2,"interval":5,
        "healthy":{"successes":3},"unhealthy":{"http_statuses":[500],"failures":3}},
        "passive":{"healthy":{"http_statuses":[200],"interval":5},
        "unhealthy":{"http_statuses":[500],"timeouts":3,"tcp_failures":3,"http_failures":3}}}
        """
}

@Suite struct ArticleTests {
    private func walkedThrough(strict: Bool = false) throws -> AdminHarness {
        let admin = try AdminHarness(strict: strict)
        #expect(admin.curl(Article.service).status == 201)
        #expect(admin.curl(Article.route).status == 201)
        return admin
    }

    @Test func `the commands of the walk-through give 201, 201 and 200`() throws {
        let admin = try walkedThrough()
        let answer = admin.curl(Article.checks)
        #expect(answer.status == 200)
        #expect(answer.json?["warnings"]?.arrayValue?.count == 1)
        #expect(answer.json?["warnings"]?.arrayValue?.first?.stringValue?.contains("passive.healthy.interval") == true)
        let service = admin.get("/services/mock-api")
        #expect(inKeyOrder(service["healthchecks"]) == inKeyOrder(parsedJSON(Article.echo)))
        #expect(service["warnings"] == nil)
        #expect(service["host"] == "mock-api")
        #expect(service["port"] == 5000)
    }

    @Test func `health checks on a service become an upstream with one target`() throws {
        let admin = try walkedThrough()
        admin.curl(Article.checks)
        let configuration = admin.configuration
        let service = try #require(configuration.services.first)
        let upstream = try #require(configuration.upstreams.first)
        let target = try #require(configuration.targets.first)
        #expect(upstream.name == "mock-api")
        #expect(upstream.serviceID == service.id)
        #expect(service.upstreamID == upstream.id)
        #expect(service.healthchecks == upstream.healthchecks)
        #expect((target.host, target.port, target.target) == ("mock-api", 5000, "mock-api:5000"))
        #expect(target.upstreamID == upstream.id)

        let active = upstream.healthchecks.active
        #expect(active.type == .http)
        #expect(active.httpPath == "/health")
        #expect(active.timeout == .seconds(2))
        #expect(!active.httpsVerifyCertificate)
        #expect(active.healthy == .init(interval: .seconds(5), httpStatuses: [200, 302], successes: 3))
        #expect(
            active.unhealthy
                == .init(
                    interval: .seconds(5), httpStatuses: [500], tcpFailures: 3, timeouts: 3, httpFailures: 3))
        let passive = upstream.healthchecks.passive
        #expect(passive.healthy == .init(httpStatuses: [200], successes: 1))
        #expect(
            passive.unhealthy == .init(httpStatuses: [500], tcpFailures: 3, timeouts: 3, httpFailures: 3))
    }

    @Test func `the implicit upstream keeps its ids and is not listed`() throws {
        let admin = try walkedThrough()
        admin.curl(Article.checks)
        let before = admin.configuration
        admin.form("PATCH", "/services/mock-api", "healthchecks.active.healthy.successes=2")
        let after = admin.configuration
        #expect(after.upstreams.map(\.id) == before.upstreams.map(\.id))
        #expect(after.targets.map(\.id) == before.targets.map(\.id))
        #expect(after.upstreams.first?.healthchecks.active.healthy.successes == 2)
        #expect(after.upstreams.first?.healthchecks.active.unhealthy.httpFailures == 3)
        #expect(admin.get("/upstreams")["data"] == [])
        #expect(admin.send("GET", "/upstreams/mock-api").status == 404)
    }

    @Test func `the health of such a service has the shape of an upstream's`() throws {
        let admin = try walkedThrough()
        #expect(admin.send("GET", "/services/mock-api/health").status == 404)
        admin.curl(Article.checks)
        let target = try #require(admin.configuration.targets.first)
        admin.control.healths[target.upstreamID] = AdminHealthTests.oneTarget(target, .unhealthy)
        let answer = admin.get("/services/mock-api/health")
        let row = try #require(answer["data"]?.arrayValue?.first)
        #expect(row["target"] == "mock-api:5000")
        #expect(row["health"] == "UNHEALTHY")
        #expect(row["data"]?["addresses"]?.arrayValue?.first?["health"] == "UNHEALTHY")
        #expect(answer["next"] == .null)
        #expect(answer["node_id"]?.stringValue?.count == 36)
    }

    @Test func `a strict gateway answers as Kong and changes nothing`() throws {
        let admin = try walkedThrough(strict: true)
        let answer = admin.curl(Article.checks)
        #expect(answer.status == 400)
        #expect(
            inKeyOrder(answer.json)
                == inKeyOrder(
                    parsedJSON(
                        """
                        {"code":2,"name":"schema violation","message":"schema violation (healthchecks: unknown field)",
                        "fields":{"healthchecks":"unknown field"}}
                        """)))
        #expect(admin.get("/services/mock-api")["healthchecks"] == nil)
        #expect(admin.send("GET", "/services/mock-api/health").status == 404)
        #expect(admin.control.applied.count == 2)
    }

    @Test(arguments: [
        // What is sent beside a service of http, and the type and path of the probe that it makes.
        ("http://api", "active.http_path=/a", HealthChecks.Kind.http, "/a"),
        ("http://api", "active.https_path=/b&healthchecks.active.http_path=/a", .http, "/a"),
        ("https://api", "active.https_path=/b&healthchecks.active.http_path=/a", .https, "/b"),
        ("https://api", "active.http_path=/a", .https, "/a"),
        ("http://api", "active.type=https&healthchecks.active.https_path=/b", .https, "/b"),
        ("http://api", "active.interval=1", .http, "/"),
    ]) func `the probe's scheme and path`(url: String, keys: String, kind: HealthChecks.Kind, path: String) throws {
        let admin = try AdminHarness()
        let answer = admin.form("POST", "/services", "url=\(url)&name=s&healthchecks.\(keys)")
        #expect(answer.status == 201, "\(answer)")
        let active = try #require(admin.configuration.upstreams.first?.healthchecks.active)
        #expect(active.type == kind)
        #expect(active.httpPath == path)
    }

    @Test func `what an upstream's words say wins over the short form`() throws {
        let admin = try AdminHarness()
        admin.form(
            "POST", "/services",
            "url=http://api&name=s&healthchecks.active.interval=5&healthchecks.active.healthy.interval=1"
                + "&healthchecks.active.unhealthy.failures=3&healthchecks.active.unhealthy.timeouts=9")
        let active = try #require(admin.configuration.upstreams.first?.healthchecks.active)
        #expect(active.healthy.interval == .seconds(1))
        #expect(active.unhealthy.interval == .seconds(5))
        #expect((active.unhealthy.timeouts, active.unhealthy.tcpFailures) == (9, 3))
    }

    @Test func `health checks on a service are validated`() throws {
        let admin = try walkedThrough()
        let answer = admin.form(
            "PATCH", "/services/mock-api",
            "healthchecks.active.intervall=5&healthchecks.active.unhealthy.failures=300"
                + "&healthchecks.passive.unhealthy.interval=1")
        #expect(answer.status == 400)
        #expect(
            inKeyOrder(answer.json?["fields"])
                == inKeyOrder(
                    parsedJSON(
                        """
                        {"healthchecks":{"active":{"intervall":"unknown field",
                        "unhealthy":{"failures":"value should be between 0 and 255"}},
                        "passive":{"unhealthy":{"interval":"unknown field"}}}}
                        """)))
    }

    @Test func `null takes the health checks of a service away`() throws {
        let admin = try walkedThrough()
        admin.curl(Article.checks)
        #expect(admin.json("PATCH", "/services/mock-api", #"{"healthchecks":null}"#).status == 200)
        #expect(admin.configuration.upstreams.isEmpty)
        #expect(admin.configuration.services.first?.upstreamID == nil)
        #expect(admin.get("/services/mock-api")["healthchecks"] == nil)
    }

    @Test func `checks that never let a target return are warned about`() throws {
        let admin = try walkedThrough()
        let answer = admin.form(
            "PATCH", "/services/mock-api", "healthchecks.passive.unhealthy.http_failures=3")
        let warnings = (answer.json?["warnings"]?.arrayValue ?? []).compactMap(\.stringValue)
        #expect(warnings.contains { $0.contains("nothing brings it back") })
        #expect(warnings.contains { $0.contains("no success clears them") })
    }

    @Test func `an upstream of the service's name does not mix with the implicit one`() throws {
        let admin = try walkedThrough()
        admin.curl(Article.checks)
        #expect(admin.form("POST", "/upstreams", "name=mock-api").status == 201)
        let service = try #require(admin.configuration.services.first)
        let implicit = try #require(admin.configuration.upstreams.first { $0.serviceID != nil })
        #expect(service.upstreamID == implicit.id)
        #expect(Set(admin.configuration.upstreams.map(\.name)).count == 2)
    }
}

/// Objects with their keys in order, so that two are equal when they hold the same.
func inKeyOrder(_ value: JSONValue?) -> JSONValue {
    switch value {
    case .object(let members):
        .object(
            .init(
                members.elements.sorted { $0.key < $1.key }.map { ($0.key, inKeyOrder($0.value)) },
                uniquingKeysWith: { first, _ in first }))
    case .array(let items): .array(items.map { inKeyOrder($0) })
    default: value ?? .null
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway
import NIOCore
import Testing

@Suite struct DeclarativeFileTests {
    private func read(_ text: String, strict: Bool = false) throws -> EntityStore {
        try DeclarativeFile.read(
            text, file: "kong.yml", acceptsServiceHealthChecks: !strict, now: 1_700_000_000_000_000_000)
    }

    /// The lines a person sees.
    private func lines(_ text: String, strict: Bool = false) -> [String] {
        do {
            _ = try read(text, strict: strict)
            return []
        } catch let error as DeclarativeError {
            return error.problems.sorted.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    private static let nested = """
        _format_version: "3.0"
        services:
          - name: orders
            url: http://orders-up/v1
            routes:
              - name: orders-route
                paths: [/orders]
        upstreams:
          - name: orders-up
            healthchecks:
              active:
                healthy: {interval: 0.5, successes: 2}
            targets:
              - target: api-1:8080
              - target: api-2:8080
                weight: 50
        """
    private static let flat = """
        {"_format_version": "3.0", "_transform": true, "_comment": "x", "_ignore": [{"a": 1}],
         "routes": [{"name": "orders-route", "paths": ["/orders"], "service": "orders"}],
         "services": [{"name": "orders", "url": "http://orders-up/v1"}],
         "upstreams": [{"name": "orders-up",
                        "healthchecks": {"active": {"healthy": {"interval": 0.5, "successes": 2}}}}],
         "targets": [{"target": "api-1:8080", "upstream": {"name": "orders-up"}},
                     {"target": "api-2:8080", "upstream": {"name": "orders-up"}, "weight": 50}]}
        """

    @Test(arguments: [nested, flat]) func `nested and flat files are read`(text: String) throws {
        let configuration = try read(text).configuration()
        let service = try #require(configuration.services.first)
        let upstream = try #require(configuration.upstreams.first)
        #expect(
            (service.name, service.host, service.path, service.createdAt) == (
                "orders", "orders-up", "/v1", 1_700_000_000
            ))
        #expect(service.upstreamID == upstream.id)
        #expect(configuration.routes.first?.serviceID == service.id)
        #expect(upstream.healthchecks.active.healthy.interval == .milliseconds(500))
        #expect(configuration.targets.map(\.target) == ["api-1:8080", "api-2:8080"])
        #expect(configuration.targets.map(\.weight) == [100, 50])
        #expect(configuration.targets.allSatisfy { $0.upstreamID == upstream.id })
    }

    @Test func `the same file gives the same ids, and these are Kong's`() throws {
        let one = try read(Self.nested).configuration()
        #expect(try read(Self.nested).configuration() == one)
        let namespace = UUIDs.version5(namespace: "fd02801f-0957-4a15-a55a-c8d9606f30b5", name: "services")
        #expect(one.services.first?.id == UUIDs.version5(namespace: namespace, name: "orders:*"))
        let other = try read(Self.nested.replacing("/v1", with: "/v2")).configuration()
        #expect(other.services.map(\.id) == one.services.map(\.id))
        #expect(other.hash != one.hash)
    }

    @Test func `all mistakes of a file are told at once with their place`() {
        let text = """
            _format_version: "3.0"
            services:
              - name: orders
                host: orders.example.com
                port: "80"
                retrys: 3
                routes:
                  - name: r
                    paths: [orders]
              - name: billing
                url: http:///x
            targets:
              - target: api:80
                upstream: orders-up
            """
        #expect(
            lines(text) == [
                "kong.yml:5:11: services[0].port: expected an integer; write it without quotes",
                "kong.yml:6:5: services[0].retrys: unknown field; did you mean 'retries'?",
                "kong.yml:9:17: services[0].routes[0].paths[0]: should start with: / (fixed path) or ~/ (regex path)",
                "kong.yml:11:10: services[1].host: required field missing; correct the url",
                "kong.yml:14:15: targets[0].upstream: invalid reference 'upstream: orders-up' (no such entry in "
                    + "'upstreams')",
            ])
    }

    @Test(arguments: [
        ("services: []", "kong.yml:1:1: _format_version: required field missing; add _format_version: \"3.0\""),
        ("_format_version: '4'", "kong.yml:1:18: _format_version: expected one of: 1.1, 2.1, 3.0; write \"3.0\""),
        ("- a", "kong.yml:1:1: expected an object; write _format_version: \"3.0\" first"),
        (
            "_format_version: '3.0'\nservice: []",
            "kong.yml:2:1: service: unknown field; did you mean 'services'?"
        ),
        (
            "_format_version: '3.0'\nplugins: []",
            "kong.yml:2:1: plugins: unknown field; this gateway has no plugins; remove it"
        ),
        (
            "_format_version: '3.0'\n_info: {}",
            "kong.yml:2:1: _info: unknown field; decK writes it, Kong does not read it; remove it"
        ),
        (
            "_format_version: '3.0'\nservices: {name: a}",
            "kong.yml:2:11: services: expected an array; begin each entity with a dash"
        ),
        (
            "_format_version: '3.0'\nservices: [a]",
            "kong.yml:2:12: services[0]: expected a record; write its fields as key: value"
        ),
        (
            "_format_version: '3.0'\nservices:\n- {name: a, host: h}\n- {name: a, host: h}",
            "kong.yml:4:10: services[1].name: uniqueness violation: 'services' entity with name set to 'a' already "
                + "declared; choose another name"
        ),
        (
            "_format_version: '3.0'\nservices:\n- {name: ordering, host: h}\nroutes:\n- {paths: [/], service: orderin}",
            "kong.yml:5:25: routes[0].service: invalid reference 'service: orderin' (no such entry in 'services'); "
                + "did you mean 'ordering'?"
        ),
        (
            "_format_version: '3.0'\nservices:\n- name: a\n  host: h\n  routes:\n  - name: r",
            "kong.yml:6:5: services[0].routes[0]: must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when "
                + "'protocols' is 'https'"
        ),
        (
            "_format_version: '3.0'\nupstreams:\n- name: u\n  healthchecks:\n    active:\n      intervall: 5",
            "kong.yml:6:7: upstreams[0].healthchecks.active.intervall: unknown field; known are: type, timeout, "
                + "concurrency, http_path, https_sni, https_verify_certificate, headers, healthy, unhealthy"
        ),
        (
            "_format_version: '3.0'\nservices:\n- {host: h, protocol: tcp, path: /a}",
            "kong.yml:3:34: services[0].path: value must be null"
        ),
        (
            "_format_version: '3.0'\nservices:\n- {host: h, id: abc}",
            "kong.yml:3:17: services[0].id: expected a valid UUID; found 'abc'; leave it out to get one"
        ),
        ("a: [", "kong.yml:2:1: not valid YAML: did not find expected node content"),
    ]) func `a mistake is one line that says where and what to do`(text: String, line: String) {
        #expect(lines(text) == [line])
    }

    @Test func `a child of an entity with a mistake is not a mistake too`() {
        let text = """
            _format_version: "3.0"
            services:
              - {name: a, host: h, port: x}
            routes:
              - {paths: [/], service: a}
            """
        #expect(lines(text) == ["kong.yml:3:30: services[0].port: expected an integer; found 'x'"])
    }

    @Test func `health checks on a service are refused by a strict gateway only`() throws {
        let text = """
            _format_version: "3.0"
            services:
              - name: a
                url: http://h:5000
                healthchecks: {active: {interval: 5, unhealthy: {failures: 3}}}
            """
        #expect(try read(text).configuration().upstreams.first?.healthchecks.active.unhealthy.timeouts == 3)
        #expect(lines(text, strict: true) == ["kong.yml:5:5: services[0].healthchecks: unknown field; remove it"])
    }

    @Test func `paths of old files that look like expressions become some`() throws {
        let text = """
            _format_version: "2.1"
            routes:
              - {name: a, paths: ["/a/\\\\d+", /plain]}
            """
        #expect(try read(text).configuration().routes.first?.paths == ["~/a/\\d+", "/plain"])
    }

    @Test func `a gateway with a file refuses writes and answers the rest`() throws {
        let admin = try AdminHarness(file: Self.nested)
        for (method, path, verb, kind) in [
            ("POST", "/services", "create", "services"), ("PUT", "/routes/x", "create or update", "routes"),
            ("PATCH", "/upstreams/orders-up", "update", "upstreams"),
            ("DELETE", "/services/orders", "remove", "services"),
            ("POST", "/upstreams/orders-up/targets", "create", "targets"),
        ] {
            let answer = admin.form(method, path, "host=h")
            #expect(answer.status == 405)
            #expect(answer.json?["code"] == 12)
            #expect(answer.json?["name"] == "operation unsupported")
            #expect(answer.message == "cannot \(verb) '\(kind)' entities when not using a database")
        }
        #expect(admin.get("/services/orders")["host"] == "orders-up")
        #expect(admin.send("PUT", "/upstreams/orders-up/targets/api-1:8080/healthy").status == 204)
        #expect(admin.get("/status")["configuration_hash"]?.stringValue?.count == 32)
        #expect(admin.get("/status")["database"] == nil)
    }

    @Test func `POST config replaces everything or nothing`() throws {
        let admin = try AdminHarness(file: Self.nested)
        let bad = admin.json("POST", "/config", #"{"_format_version":"3.0","services":[{"host":"h"},{"port":true}]}"#)
        #expect(bad.status == 400)
        #expect(bad.json?["code"] == 14)
        #expect(bad.json?["name"] == "invalid declarative configuration")
        let fields = #"{"services":[null,{"port":"expected an integer","host":"required field missing"}]}"#
        #expect(inKeyOrder(bad.json?["fields"]) == inKeyOrder(parsedJSON(fields)))
        #expect(admin.control.applied.isEmpty)

        let yaml = "_format_version: '3.0'\nservices:\n- {name: only, host: h}\n"
        let good = admin.send("POST", "/config", type: "text/yaml", body: yaml)
        #expect(good.status == 201)
        #expect(good.json?["services"]?.objectValue?.values.first?["name"] == "only")
        #expect(good.json?["upstreams"] == nil)
        #expect(admin.configuration.services.map(\.name) == ["only"])
        #expect(admin.send("POST", "/config?check_hash=1", type: "text/yaml", body: yaml).status == 304)

        let exported = try #require(admin.get("/config")["config"]?.stringValue)
        #expect(try read(exported).hash == admin.api.store.hash)
        #expect(admin.send("POST", "/config").message == "expected a declarative configuration")
    }

    @Test func `config is for gateways without a database`() throws {
        let message = "this endpoint is only available when Kong is configured to not use a database"
        #expect(try AdminHarness().json("POST", "/config", "{}").message == message)
    }
}

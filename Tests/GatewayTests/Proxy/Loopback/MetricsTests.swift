// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Foundation
import Gateway
import NIOCore
import Testing

extension LoopbackTests {
    /// What a gateway counts, read as Prometheus reads it.
    @Suite struct MetricsTests {
        @Test func `requests are counted by service, route, status and source, with their bytes and times`() throws {
            let upstream = try ScriptedUpstream { connection in
                while let request = try connection.request() {
                    let isBad = request.path.hasPrefix("/bad")
                    try connection.socket.send(
                        isBad ? "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n" : ScriptedUpstream.ok)
                }
            }
            let gateway = try RunningGateway(
                serviceYAML(port: upstream.port, routes: "{name: all, paths: [/api], strip_path: true}"))
            for path in ["/api", "/api", "/api/bad", "/nowhere"] { _ = try gateway.get(path) }
            let metrics = try Scrape(gateway)
            let route = #"service="api",route="all""#
            let rest = #"workspace="default",consumer="""#
            #expect(metrics[#"kong_http_requests_total{\#(route),code="200",source="service",\#(rest)}"#] == 2)
            #expect(metrics[#"kong_http_requests_total{\#(route),code="500",source="service",\#(rest)}"#] == 1)
            #expect(
                metrics[#"kong_http_requests_total{service="",route="",code="404",source="kong",\#(rest)}"#] == 1)
            let request = "GET /api HTTP/1.1\r\nHost: a.example\r\n\r\n".utf8.count
            let bad = "GET /api/bad HTTP/1.1\r\nHost: a.example\r\n\r\n".utf8.count
            #expect(metrics[#"kong_bandwidth_bytes{\#(route),direction="ingress",\#(rest)}"#] == 2 * request + bad)
            #expect((metrics[#"kong_bandwidth_bytes{\#(route),direction="egress",\#(rest)}"#] ?? 0) > 300)
            for name in ["kong_kong_latency_ms", "kong_upstream_latency_ms", "kong_request_latency_ms"] {
                #expect(metrics["\(name)_count{\(route),workspace=\"default\"}"] == 3, "\(name)")
                #expect(metrics["\(name)_bucket{\(route),workspace=\"default\",le=\"+Inf\"}"] == 3, "\(name)")
            }
            #expect(metrics["kong_nginx_requests_total"] == 4)
            #expect(metrics["kong_node_info"] == 1)
            #expect(metrics["kong_datastore_reachable"] == 1)
        }

        @Test func `a body counts, and a client that leaves counts as 499`() throws {
            let upstream = try ScriptedUpstream { connection in
                while let request = try connection.request() {
                    if request.path != "/hang" { try connection.socket.send(ScriptedUpstream.ok) }
                }
            }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port, routes: "{name: all, paths: [/]}"))
            let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
            _ = try gateway.request(head + String(repeating: "x", count: 1000))
            var metrics = try Scrape(gateway)
            let labels = #"service="api",route="all",direction="ingress",workspace="default",consumer="""#
            #expect(metrics["kong_bandwidth_bytes{\(labels)}"] == head.utf8.count + 1000)

            let client = try gateway.connect()
            try client.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(eventually(within: 5000) { upstream.requests.contains { $0.path == "/hang" } })
            client.close()
            let gone = Scrape.requests("499", source: "kong")
            #expect(
                try eventually(within: 5000) {
                    metrics = try Scrape(gateway)
                    return metrics[gone] == 1
                })
        }

        @Test func `the health of targets is that of the balancer`() throws {
            let (up, down) = (try ScriptedUpstream(), try ScriptedUpstream())
            let gateway = try RunningGateway(
                upstreamYAML(ports: [up.port, down.port], passive: "unhealthy: {http_failures: 1}"))
            try gateway.admin("PUT", "/upstreams/up/targets/127.0.0.1:\(down.port)/unhealthy")
            let metrics = try Scrape(gateway)
            func state(_ port: Int, _ state: String) -> Int? {
                let address = "127.0.0.1:\(port)"
                let labels = #"upstream="up",target="\#(address)",address="\#(address)",state="\#(state)""#
                return metrics[#"kong_upstream_target_health{\#(labels),subsystem="http"}"#]
            }
            #expect(state(up.port, "healthy") == 1)
            #expect(state(up.port, "unhealthy") == 0)
            #expect(state(down.port, "healthy") == 0)
            #expect(state(down.port, "unhealthy") == 1)
            #expect(state(down.port, "dns_error") == 0)
        }

        @Test func `two workers' counts are one, and a reload loses none`() throws {
            let upstream = try ScriptedUpstream()
            let yaml = serviceYAML(port: upstream.port, routes: "{name: all, paths: [/]}")
            let gateway = try RunningGateway(yaml, workers: 2)
            for _ in 0..<10 { _ = try gateway.get("/") }
            try gateway.gateway.reload(yaml + "- {name: other, url: \"http://127.0.0.1:1\"}\n", file: "kong.yml").wait()
            for _ in 0..<10 { _ = try gateway.get("/") }
            let counted = Scrape.requests("200", source: "service")
            #expect(try eventually(within: 2000) { try Scrape(gateway)[counted] == 20 })
        }

        @Test func `the status listener knows metrics, status and readiness, and nothing else`() throws {
            let gateway = try RunningGateway { settings in
                settings.statusListen = .loopback(port: 0)
                settings.isDeclarative = true
            }
            let port = try #require(gateway.gateway.statusAddress?.port)
            func get(_ path: String) throws -> RawMessage {
                try RawSocket.connect(port: port).exchange("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
            }
            let metrics = try get("/metrics")
            #expect(metrics.status == 200)
            #expect(metrics["Content-Type"] == "text/plain; charset=UTF-8")
            #expect(try JSONValue(parsing: get("/status").body)["server"]?["total_requests"] == 0)
            #expect(try get("/status/ready").status == 503)
            #expect(try get("/services").status == 404)
            #expect(try get("/").status == 404)
            try gateway.gateway.reload(serviceYAML(port: 1), file: "kong.yml").wait()
            #expect(try get("/status/ready").status == 200)
            #expect(try gateway.admin("GET", "/status/ready").status == 404)
        }

        @Test func `the default status port that is taken is gone without, one that was asked for is not`() throws {
            let taken = try ScriptedUpstream()
            let gateway = try RunningGateway { settings in
                settings.statusListen = .loopback(port: taken.port)
                settings.statusMayBeMissing = true
            }
            #expect(gateway.gateway.statusAddress == nil)
            #expect(gateway.gateway.statusProblem?.contains("\(taken.port)") == true)
            #expect(throws: (any Error).self) {
                try RunningGateway { $0.statusListen = .loopback(port: taken.port) }
            }
        }
    }
}

/// A scrape of the Admin API's `/metrics`.
private struct Scrape {
    private var samples: [String: Int] = [:]

    /// The series of the answers of route `all` with a status.
    static func requests(_ code: String, source: String) -> String {
        let labels = #"service="api",route="all",code="\#(code)",source="\#(source)""#
        return #"kong_http_requests_total{\#(labels),workspace="default",consumer=""}"#
    }

    init(_ gateway: RunningGateway) throws {
        let answer = try gateway.admin("GET", "/metrics")
        for line in String(decoding: answer.body, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " ") else { continue }
            samples[String(line[..<space])] = Int(line[line.index(after: space)...])
        }
    }

    /// The value of a series, by name and labels as they are written; of the only one of a name when given that alone.
    subscript(series: String) -> Int? {
        if let exact = samples[series] { return exact }
        let named = samples.filter { $0.key.hasPrefix(series + "{") }
        return named.count == 1 ? named.first?.value : nil
    }
}

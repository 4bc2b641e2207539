// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway
import NIOCore
import Testing

extension LoopbackTests {
    /// Another configuration while requests are under way, and several workers.
    @Suite struct ReloadTests {
        /// Holds each request until the test says how it ends.
        private static func hanging() throws -> ScriptedUpstream {
            try ScriptedUpstream { connection in
                while try connection.request() != nil {}
            }
        }

        @Test func `a retry after its upstream was taken away goes on where it began`() throws {
            let first = try Self.hanging()
            let gateway = try RunningGateway(
                """
                _format_version: "3.0"
                services:
                - {name: other, host: aaa, routes: [{paths: [/other]}]}
                - {name: api, host: zzz, retries: 1, routes: [{paths: [/]}]}
                upstreams:
                - {name: aaa, targets: [{target: "127.0.0.1:9"}]}
                - {name: zzz, algorithm: least-connections, targets: [{target: "127.0.0.1:\(first.port)"}]}

                """)
            let client = try gateway.connect()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(eventually { first.requests.count == 1 })
            try gateway.gateway.reload("_format_version: \"3.0\"\n", file: "empty.yml").wait()
            first.stop()
            // The listener is gone too, so the second try is refused.
            #expect(try client.message()?.status == 502)
            #expect(try gateway.get("/").status == 404)
        }

        @Test func `a request outlives its route, its service and its target`() throws {
            let upstream = try ScriptedUpstream { connection in
                guard try connection.request() != nil else { return }
                _ = eventually(within: 300) { false }
                try connection.socket.send(ScriptedUpstream.ok)
            }
            let gateway = try RunningGateway(
                upstreamYAML(
                    ports: [upstream.port], passive: "healthy: {successes: 1}, unhealthy: {http_failures: 1}",
                    upstream: "algorithm: least-connections"))
            let client = try gateway.connect()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(eventually { upstream.requests.count == 1 })
            try gateway.gateway.reload("_format_version: \"3.0\"\n", file: "empty.yml").wait()
            #expect(try client.message()?.status == 200)
            #expect(try gateway.serverStatus()["connections_writing"] == 0)
        }

        @Test func `a bad file changes nothing`() throws {
            let upstream = try ScriptedUpstream()
            let gateway = try RunningGateway(serviceYAML(port: upstream.port))
            #expect(throws: Problems.self) {
                try gateway.gateway.reload("_format_version: \"3.0\"\nservices: 1\n", file: "bad.yml").wait()
            }
            #expect(try gateway.get("/").status == 200)
        }

        @Test func `two workers share the port, the configuration and what is known of targets`() throws {
            let bad = try ScriptedUpstream { try $0.answerAll("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n") }
            let gateway = try RunningGateway(
                upstreamYAML(ports: [bad.port], passive: "unhealthy: {http_failures: 3, http_statuses: [500]}"),
                workers: 2)
            let clients = try (0..<32).map { _ in try gateway.connect() }
            var statuses: [Int] = []
            for client in clients {
                statuses.append(try client.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status)
            }
            // The report of another loop takes a moment; one more request may slip through.
            #expect(statuses.prefix(3) == [500, 500, 500])
            #expect(statuses.suffix(20).allSatisfy { $0 == 503 })
            #expect(try gateway.serverStatus()["total_requests"] == 32)
            #expect(try gateway.serverStatus()["connections_active"] == 32)
            try gateway.gateway.reload(serviceYAML(port: bad.port), file: "next.yml").wait()
            // The other worker takes it over a moment after the reload is done.
            for client in clients {
                #expect(try eventually { try client.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 500 })
            }
            for client in clients { client.close() }
            #expect(try eventually { try gateway.serverStatus()["connections_active"] == 0 })
        }

        @Test func `stopping finishes the request under way and closes the idle ones`() throws {
            let upstream = try ScriptedUpstream { connection in
                guard try connection.request() != nil else { return }
                _ = eventually(within: 300) { false }
                try connection.socket.send(ScriptedUpstream.ok)
                _ = try connection.request()
            }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port))
            let (idle, busy) = (try gateway.connect(), try gateway.connect())
            try busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(eventually { upstream.requests.count == 1 })
            let stopping = gateway.gateway.stop()
            #expect(idle.ends(within: 1000))
            let answer = try busy.message()
            #expect(answer?.status == 200)
            #expect(answer?["Connection"] == "close")
            #expect(busy.ends(within: 1000))
            busy.close()
            try stopping.wait()
            #expect(eventually { upstream.openCount == 0 })
            #expect(throws: RawSocket.Failure.self) { try gateway.connect() }
        }

        @Test func `a request that does not end is cut off when the time to drain is over`() throws {
            let upstream = try Self.hanging()
            let gateway = try RunningGateway(serviceYAML(port: upstream.port)) { $0.drain = .milliseconds(200) }
            let client = try gateway.connect()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(eventually { upstream.requests.count == 1 })
            let took = try elapsed { try gateway.gateway.stop().wait() }
            #expect(took >= 200 && took < 1200, "\(took) ms")
            #expect(client.ends(within: 1000))
            #expect(eventually { upstream.openCount == 0 })
        }
    }
}

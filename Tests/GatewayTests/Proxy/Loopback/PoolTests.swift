// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Testing

extension LoopbackTests {
    /// Connections to upstreams, and who gets the next request.
    @Suite struct PoolTests {
        @Test func `connections are used again, across clients`() throws {
            let upstream = try ScriptedUpstream()
            let gateway = try RunningGateway(serviceYAML(port: upstream.port))
            for number in 0..<20 { #expect(try gateway.get("/\(number)").status == 200) }
            #expect(upstream.requests.count == 20)
            #expect(upstream.connectionCount == 1)
        }

        @Test func `a connection is closed after its number of requests`() throws {
            let upstream = try ScriptedUpstream()
            let gateway = try RunningGateway(serviceYAML(port: upstream.port)) { $0.pool.maximumRequests = 3 }
            for _ in 0..<7 { #expect(try gateway.get("/").status == 200) }
            #expect(upstream.connectionOfRequest == [1, 1, 1, 2, 2, 2, 3])
            #expect(eventually { upstream.openCount == 1 })
        }

        @Test func `an idle connection is closed after its time`() throws {
            let upstream = try ScriptedUpstream()
            let gateway = try RunningGateway(serviceYAML(port: upstream.port)) {
                $0.pool.idleTimeout = .milliseconds(150)
            }
            #expect(try gateway.get("/").status == 200)
            #expect(upstream.openCount == 1)
            let took = elapsed { #expect(eventually { upstream.openCount == 0 }) }
            #expect(took > 100 && took < 1500, "\(took) ms")
            #expect(try gateway.get("/").status == 200)
        }

        @Test func `an upstream that says close is asked on a new connection`() throws {
            let upstream = try ScriptedUpstream {
                try $0.answerAll("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port))
            for _ in 0..<3 { #expect(try gateway.get("/").status == 200) }
            #expect(upstream.connectionOfRequest == [1, 2, 3])
            #expect(eventually { upstream.openCount == 0 })
        }

        @Test func `an answer longer than it said spoils the connection, not the next request`() throws {
            let upstream = try ScriptedUpstream {
                try $0.answerAll("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 Evil\r\n\r\n")
            }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port))
            for _ in 0..<3 {
                let answer = try gateway.get("/")
                #expect(answer.startLine == "HTTP/1.1 200 OK")
                #expect(answer.text == "ok")
            }
            #expect(upstream.connectionCount == 3)
        }

        @Test func `open connections survive a change of the upstream's settings`() throws {
            let upstream = try ScriptedUpstream()
            let gateway = try RunningGateway()
            try gateway.admin("POST", "/upstreams", #"{"name":"up"}"#)
            try gateway.admin("POST", "/upstreams/up/targets", #"{"target":"127.0.0.1:\#(upstream.port)"}"#)
            try gateway.admin("POST", "/services", #"{"name":"api","host":"up"}"#)
            try gateway.admin("POST", "/services/api/routes", #"{"paths":["/"]}"#)
            #expect(try gateway.get("/").status == 200)
            try gateway.admin("PATCH", "/upstreams/up", #"{"healthchecks":{"threshold":1}}"#)
            #expect(try gateway.get("/").status == 200)
            #expect(upstream.connectionCount == 1)
        }

        @Test func `shares are exact over a turn of the wheel`() throws {
            let upstreams = try (0..<3).map { _ in try ScriptedUpstream() }
            let gateway = try RunningGateway(upstreamYAML(ports: upstreams.map(\.port), weights: [500, 300, 200]))
            let client = try gateway.connect()
            for turn in 1...3 {
                for _ in 0..<10 {
                    #expect(try client.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 200)
                }
                #expect(upstreams.map { $0.requests.count } == [5 * turn, 3 * turn, 2 * turn])
            }
        }
    }
}

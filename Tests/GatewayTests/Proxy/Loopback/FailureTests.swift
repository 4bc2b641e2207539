// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Testing

extension LoopbackTests {
    /// Upstreams that refuse, close, hang or talk nonsense: what is tried again, what the client gets, what is
    /// reported.
    @Suite struct FailureTests {
        /// Every failure counts and none ejects.
        static let countsAll = """
            unhealthy: {http_failures: 200, tcp_failures: 200, timeouts: 200, http_statuses: [500, 502, 503, 504]}, \
            healthy: {successes: 1}
            """

        @Test(arguments: [
            // how the upstream ends the connection after the request, method, tries, status, reports
            ("close", "GET", 3, 502, ["tcp_failure", "tcp_failure", "http_status 502"]),
            ("reset", "PUT", 3, 502, ["tcp_failure", "tcp_failure", "http_status 502"]),
            ("half a head", "GET", 3, 502, ["tcp_failure", "tcp_failure", "http_status 502"]),
            ("close", "POST", 1, 502, ["http_status 502"]),
            ("reset", "PATCH", 1, 502, ["http_status 502"]),
            ("close", "LOCK", 1, 502, ["http_status 502"]),
            ("garbage", "GET", 1, 502, ["http_status 502"]),
            ("500", "GET", 1, 500, ["http_status 500"]),
            ("504", "GET", 1, 504, ["timeout"]),
            ("503", "POST", 1, 503, ["http_status 503"]),
        ])
        func `tries and reports`(
            way: String, method: String, tries: Int, status: Int, reports: [String]
        ) throws {
            let upstream = try ScriptedUpstream { connection in
                guard try connection.request() != nil else { return }
                switch way {
                case "close": connection.socket.close()
                case "reset": connection.socket.reset()
                case "half a head": try connection.socket.send("HTTP/1.1 200 OK\r\nContent-")
                case "garbage": try connection.socket.send("SSH-2.0-OpenSSH\r\n\r\n")
                default: try connection.socket.send("HTTP/1.1 \(way) Own words\r\nContent-Length: 2\r\n\r\nno")
                }
            }
            let gateway = try RunningGateway(
                upstreamYAML(ports: [upstream.port], service: "retries: 2", passive: Self.countsAll))
            let hasBody = method == "PUT" || method == "POST"
            let answer = try gateway.request(
                "\(method) /x HTTP/1.1\r\nHost: a\r\n\(hasBody ? "Content-Length: 3\r\n\r\nabc" : "\r\n")")
            #expect(answer.status == status)
            #expect(upstream.requests.count == tries)
            #expect(upstream.requests.allSatisfy { $0.text == (hasBody ? "abc" : "") })
            #expect(try gateway.reports() == reports)
        }

        @Test func `a refused connection is tried on the next target, also for POST`() throws {
            let upstream = try ScriptedUpstream()
            let refusing = try refusingPort()
            let gateway = try RunningGateway(
                upstreamYAML(ports: [refusing, upstream.port], passive: Self.countsAll))
            for _ in 0..<4 {
                let answer = try gateway.request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
                #expect(answer.status == 200)
            }
            #expect(upstream.requests.count == 4)
            // The connection that is open to the next target serves; none is left behind.
            #expect(upstream.connectionCount == 1)
            // The wheel has two places: every other pick is refused and followed by the other.
            let reports = try gateway.reports()
            #expect(reports.allSatisfy { $0 == "tcp_failure" })
            #expect(reports.count == 3 || reports.count == 4)
        }

        @Test(arguments: [0, 1, 5]) func `a dead target is tried retries + 1 times`(retries: Int) throws {
            let gateway = try RunningGateway(
                upstreamYAML(ports: [try refusingPort()], service: "retries: \(retries)", passive: Self.countsAll))
            let answer = try gateway.get("/")
            #expect(answer.status == 502)
            #expect(answer.text.hasPrefix("An invalid response was received from the upstream server\nrequest_id: "))
            #expect(
                try gateway.reports()
                    == Array(repeating: "tcp_failure", count: retries) + ["http_status 502"])
        }

        @Test func `an ejected target is known to the very next request`() throws {
            let upstream = try ScriptedUpstream {
                try $0.answerAll("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
            }
            let gateway = try RunningGateway(
                upstreamYAML(ports: [upstream.port], passive: "unhealthy: {http_failures: 3, http_statuses: [500]}"))
            let client = try gateway.connect()
            let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
            // Sent at once, so that nothing but the gateway decides when the next one is routed.
            try client.send(String(repeating: request, count: 5))
            let answers = try (0..<5).map { _ in try client.message()?.status }
            #expect(answers == [500, 500, 500, 503, 503])
            #expect(upstream.requests.count == 3)
        }

        @Test func `no peer on a second try is nginx's 503`() throws {
            let gateway = try RunningGateway(
                upstreamYAML(ports: [try refusingPort()], passive: "unhealthy: {tcp_failures: 1}"))
            let first = try gateway.get("/")
            #expect(first.status == 503)
            #expect(first.text.hasPrefix("The upstream server is currently unavailable\n"))
            #expect(try gateway.get("/").text.contains("failure to get a peer from the ring-balancer"))
        }

        @Test func `a kept-alive connection that went stale costs no try`() throws {
            let upstream = try ScriptedUpstream { connection in
                guard try connection.request() != nil else { return }
                try connection.socket.send(ScriptedUpstream.ok)
                // The second request on the first connection finds it closed.
                if connection.number == 1 {
                    _ = try connection.request()
                    connection.socket.reset()
                } else {
                    try connection.answerAll()
                }
            }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port, fields: "retries: 0"))
            #expect(try gateway.get("/1").status == 200)
            #expect(try gateway.get("/2").status == 200)
            #expect(upstream.requests.map(\.path) == ["/1", "/2", "/2"])
            #expect(upstream.connectionOfRequest == [1, 1, 2])
        }

        @Test func `a stale connection does not make POST repeatable`() throws {
            let upstream = try ScriptedUpstream { connection in
                guard try connection.request() != nil else { return }
                try connection.socket.send(ScriptedUpstream.ok)
                _ = try connection.request()
                connection.socket.reset()
            }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port))
            #expect(try gateway.get("/1").status == 200)
            let post = "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"
            #expect(try gateway.request(post).status == 502)
            #expect(upstream.requests.count == 2)
        }

        @Test func `an upstream that never answers is a 504 after read_timeout, for every try`() throws {
            let upstream = try ScriptedUpstream { connection in
                while try connection.request() != nil {}
            }
            let gateway = try RunningGateway(
                upstreamYAML(
                    ports: [upstream.port], service: "read_timeout: 200, retries: 1", passive: Self.countsAll
                ))
            var answer: RawMessage?
            let took = try elapsed { answer = try gateway.get("/") }
            #expect(answer?.status == 504)
            #expect(answer?.text.hasPrefix("The upstream server is timing out\n") == true)
            // Never early; late by what a loaded machine adds.
            #expect(took >= 400 && took < 1400, "\(took) ms")
            #expect(try gateway.reports() == ["timeout", "timeout"])
            #expect(eventually { upstream.openCount == 0 })
        }

        @Test func `an upstream that takes nothing is a 504 after write_timeout`() throws {
            let upstream = try ScriptedUpstream { connection in
                // Reads the head only; what follows fills the buffers of the kernel.
                _ = try connection.socket.messageHead()
                _ = connection.socket.ends(within: 0)
                _ = eventually(within: 8000) { connection.number < 0 }
            }
            let gateway = try RunningGateway(
                serviceYAML(port: upstream.port, fields: "write_timeout: 300, retries: 0", routes: unbufferedRoute))
            let client = try gateway.connect()
            try client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
            var sent = 0
            let part = [UInt8](repeating: 0x61, count: 1 << 16)
            let took = elapsed {
                while sent < 100_000_000, client.received.isEmpty {
                    do { try client.send(part) } catch { break }
                    sent += part.count
                    if client.ends(within: 0) { break }
                }
                _ = try? client.message()
            }
            #expect(took >= 300 && took < 3000, "\(took) ms")
        }

        @Test func `a slow client is no slow upstream`() throws {
            let upstream = try ScriptedUpstream()
            let gateway = try RunningGateway(
                serviceYAML(port: upstream.port, fields: "write_timeout: 100, read_timeout: 100, retries: 0"))
            let client = try gateway.connect()
            try client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
            for byte in ["a", "b", "c"] {
                try client.send(byte)
                #expect(!client.ends(within: 200))
            }
            #expect(try client.exchange("d").status == 200)
            #expect(upstream.requests.first?.text == "abcd")
        }

        @Test func `a connect that is not answered is a 504 after connect_timeout`() throws {
            // A listener whose queue is full answers no more connects.
            let full = try FullListener()
            let gateway = try RunningGateway(
                upstreamYAML(
                    ports: [full.port], service: "connect_timeout: 200, retries: 1", passive: Self.countsAll
                ))
            var answer: RawMessage?
            let took = try elapsed { answer = try gateway.get("/") }
            #expect(answer?.status == 504)
            #expect(took >= 400 && took < 1400, "\(took) ms")
            #expect(try gateway.reports() == ["timeout", "timeout"])
        }

        @Test(arguments: [("hangs", 504), ("answers in plain text", 502)])
        func `an upstream that should speak TLS and does not`(way: String, status: Int) throws {
            let upstream = try ScriptedUpstream { connection in
                if way == "hangs" {
                    _ = connection.socket.ends(within: 5000)
                } else {
                    try connection.socket.send("HTTP/1.1 400 Bad Request\r\n\r\n")
                }
            }
            let gateway = try RunningGateway(
                serviceYAML(port: upstream.port, fields: "connect_timeout: 200, retries: 0")
                    .replacing("http://", with: "https://"))
            var answer: RawMessage?
            let took = try elapsed { answer = try gateway.get("/") }
            #expect(answer?.status == status)
            #expect(took < 1200, "\(took) ms")
            #expect(eventually { upstream.openCount == 0 })
        }

        @Test(arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
        ])
        func `a body that breaks off breaks off for the client too`(answer: String) throws {
            let upstream = try ScriptedUpstream { connection in
                _ = try connection.request()
                try connection.socket.send(answer)
            }
            let gateway = try RunningGateway(upstreamYAML(ports: [upstream.port], passive: Self.countsAll))
            let client = try gateway.connect()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.messageHead()?.hasPrefix("HTTP/1.1 200 OK") == true)
            let rest = try client.everything()
            #expect(rest.contains("abc"))
            #expect(!rest.contains("0\r\n\r\n"))
            #expect(upstream.requests.count == 1)
        }

        @Test func `a client that leaves closes the connection to the upstream`() throws {
            let upstream = try ScriptedUpstream { connection in
                while try connection.request() != nil {}
            }
            let gateway = try RunningGateway(upstreamYAML(ports: [upstream.port], passive: Self.countsAll))
            for leave in [RawSocket.close, RawSocket.reset, RawSocket.finish] {
                let client = try gateway.connect()
                try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(eventually { upstream.openCount == 1 && !upstream.requests.isEmpty })
                leave(client)()
                #expect(eventually { upstream.openCount == 0 })
            }
            #expect(try gateway.reports() == [])
            #expect(try gateway.serverStatus()["connections_writing"] == 0)
        }

        @Test func `an early answer during an upload reaches the client`() throws {
            let upstream = try ScriptedUpstream { connection in
                _ = try connection.socket.messageHead()
                try connection.socket.send("HTTP/1.1 413 Too much\r\nContent-Length: 2\r\n\r\nno")
                _ = try connection.socket.drop(1 << 30)
            }
            let gateway = try RunningGateway(serviceYAML(port: upstream.port, routes: unbufferedRoute))
            let client = try gateway.connect()
            try client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n")
            try client.send([UInt8](repeating: 0x61, count: 100_000))
            let answer = try client.message()
            #expect(answer?.status == 413)
            #expect(answer?.text == "no")
            // The rest of the upload is too long to be read for nothing, so the connection ends.
            #expect(client.ends(within: 5000))
        }
    }
}

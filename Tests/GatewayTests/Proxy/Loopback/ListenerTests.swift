// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway
import NIOCore
import Testing

extension LoopbackTests {
    /// Bytes that are no requests, on both listeners; the stream of events.
    @Suite struct ListenerTests {
        @Test(arguments: [
            "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\0\0\0\0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nBad Header: 1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "y", count: 40_000) + "\r\n\r\n",
            String(repeating: "A", count: 100_000),
        ])
        func `garbage gets a proper refusal and a close on both listeners`(text: String) throws {
            let gateway = try RunningGateway()
            for port in [gateway.proxyPort, gateway.adminPort] {
                let client = try RawSocket.connect(port: port, limit: 3000)
                // The refusal may come before all is sent.
                try? client.send(text)
                let answer = try client.message()
                #expect([400, 414, 431, 505].contains(answer?.status ?? 0))
                #expect(answer?["Connection"] == "close")
                #expect(client.ends(within: 1000))
            }
            #expect(try gateway.get("/").status == 404)
        }

        @Test func `a client that sends half a head is told 408 in time`() throws {
            let gateway = try RunningGateway { $0.timeouts.head = .milliseconds(150) }
            let client = try gateway.connect()
            try client.send("GET / HTTP/1.1\r\nHo")
            let answer = try client.message()
            #expect(answer?.status == 408)
            #expect(client.ends(within: 500))
        }

        @Test func `the Admin API takes no body beyond its limit`() throws {
            let gateway = try RunningGateway { $0.adminBodyBytes = 1000 }
            #expect(try gateway.admin("POST", "/services", String(repeating: " ", count: 1001)).status == 413)
            let socket = try RawSocket.connect(port: gateway.adminPort)
            let chunked = "POST /services HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            let body = "400\r\n\(String(repeating: " ", count: 1024))\r\n"
            #expect(try socket.exchange(chunked + body).status == 413)
            #expect(socket.ends(within: 3000))
        }

        @Test func `events come in order, without gaps, and from where one asks`() throws {
            let gateway = try RunningGateway()
            for number in 1...5 { try gateway.admin("POST", "/services", #"{"name":"s\#(number)","host":"h"}"#) }
            let all = try gateway.events()
            #expect(all.count >= 5)
            #expect(all.map { $0["seq"]?.intValue } == (1...all.count).map { $0 })
            let times = all.compactMap { $0["t"]?.intValue }
            #expect(times == times.sorted())
            let socket = try RawSocket.connect(port: gateway.adminPort)
            try socket.send("GET /events?since=\(all.count) HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try socket.messageHead()
            try gateway.admin("POST", "/services", #"{"name":"more","host":"h"}"#)
            for number in [all.count, all.count + 1] {
                _ = try socket.line(endingWith: "\r\n")
                let line = try #require(try socket.line(endingWith: "\n\r\n"))
                #expect(try JSONValue(parsing: Array(line.utf8))["seq"]?.intValue == number)
            }
        }

        @Test func `a reader of events that leaves is noticed without an event`() throws {
            let gateway = try RunningGateway()
            let reader = try RawSocket.connect(port: gateway.adminPort)
            try reader.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try reader.messageHead()
            reader.finish()
            #expect(reader.ends(within: 1000))
        }

        @Test func `a reader of events that does not read is cut off, and the others go on`() throws {
            // Every answer is a change: a failure counts, a success clears it.
            let upstream = try ScriptedUpstream { connection in
                var isGood = false
                while try connection.request() != nil {
                    isGood.toggle()
                    try connection.socket.send("HTTP/1.1 \(isGood ? 200 : 500) Any\r\nContent-Length: 0\r\n\r\n")
                }
            }
            let gateway = try RunningGateway(
                upstreamYAML(
                    ports: [upstream.port],
                    passive: "unhealthy: {http_failures: 2, http_statuses: [500]}, healthy: {successes: 1}")
            ) {
                $0.unreadEventBytes = 64 << 10
                $0.limits.requestsPerConnection = .max
            }
            let slow = try RawSocket.connect(port: gateway.adminPort)
            try slow.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try slow.messageHead()
            let client = try gateway.connect()
            let burst = String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: 100)
            // Far more than the kernel's buffers hold.
            for _ in 0..<150 {
                try client.send(burst)
                for _ in 0..<100 { _ = try client.message() }
            }
            let numbers = try gateway.events().compactMap { $0["seq"]?.intValue }
            #expect(numbers.count == 4096)
            // The first success finds a healthy target and changes nothing.
            #expect(numbers.last == 1 + 14_999 * 2)
            // What was on its way arrives, the end of the stream does not.
            _ = slow.ends(within: 500)
            #expect(!slow.received.hasSuffix("0\r\n\r\n"))
            #expect(slow.ends(within: 500))
        }

        @Test func `a target is set by hand through the API, also by its IPv6 address`() throws {
            let gateway = try RunningGateway()
            let upstream = #"{"name":"up","healthchecks":{"passive":{"unhealthy":{"http_failures":3}}}}"#
            try gateway.admin("POST", "/upstreams", upstream)
            try gateway.admin("POST", "/upstreams/up/targets", #"{"target":"[::1]:9999"}"#)
            try gateway.admin("POST", "/upstreams/up/targets", #"{"target":"127.0.0.1:9998"}"#)
            func healths() throws -> [String?] {
                let list = try JSONValue(parsing: gateway.admin("GET", "/upstreams/up/health").body)
                return (list["data"]?.arrayValue ?? []).sorted {
                    $0["target"]?.stringValue ?? "" < $1["target"]?.stringValue ?? ""
                }
                .map { $0["health"]?.stringValue }
            }
            let full = "[0000:0000:0000:0000:0000:0000:0000:0001]:9999"
            #expect(try healths() == ["HEALTHY", "HEALTHY"])
            let path = "/upstreams/up/targets/\(full)"
            #expect(try gateway.admin("PUT", "\(path)/unhealthy").status == 204)
            #expect(try Set(healths()) == ["HEALTHY", "UNHEALTHY"])
            #expect(try gateway.admin("PUT", "\(path)/healthy").status == 204)
            #expect(try gateway.admin("PUT", "\(path)/[::1]:9999/unhealthy").status == 204)
            #expect(try Set(healths()) == ["HEALTHY", "UNHEALTHY"])
            #expect(try gateway.admin("PUT", "\(path)/\(full)/healthy").status == 204)
            #expect(try healths() == ["HEALTHY", "HEALTHY"])
            #expect(try gateway.events("health").last?["cause"] == "manual")
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import GatewayHarness
import NIOCore
import Testing

/// What is too much, too slow or too often, and whose request it is.
@Suite struct ProxyLimitTests {
    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    private func started(
        _ config: String = memoryYAML(), _ configure: (inout GatewaySettings) -> Void
    ) throws -> (MemoryGateway, MemoryPeer) {
        let gateway = try MemoryGateway(config, configure) { peer in
            peer.onReceive = { peer in
                let requests = peer.text.split(separator: "\r\n\r\n", omittingEmptySubsequences: false).count - 1
                if peer.received.readableBytes > 0, peer.text.hasSuffix("\r\n\r\n") {
                    peer.received.clear()
                    for _ in 0..<requests { peer.send(ScriptedUpstream.ok) }
                }
            }
        }
        return (gateway, try gateway.connect())
    }

    @Test(arguments: [
        ("Content-Length: 10\r\n\r\n0123456789", 0), ("Content-Length: 11\r\n\r\n", 413),
        ("Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n", 0),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n6\r\n567890\r\n", 413),
    ])
    func `a body longer than client_max_body_size is 413 and the connection closes`(rest: String, status: Int) throws {
        for config in [memoryYAML(), unbufferedYAML] {
            let gateway = try MemoryGateway(config, { $0.bodyBytes = 10 }, upstream: { _ in })
            let client = try gateway.connect()
            gateway.send("PUT / HTTP/1.1\r\nHost: a\r\n\(rest)", from: client)
            #expect(client.statuses == (status == 0 ? [] : [status]))
            if status == 0 { continue }
            #expect(client.text.contains("Payload too large"))
            #expect(client.lines.contains("Connection: close"))
            #expect(client.hasEnded)
            // A connection that was being opened meanwhile is there for another request.
            #expect(gateway.upstreams.allSatisfy { $0.isClosed || $0.takenBytes == 0 })
        }
    }

    @Test func `a body that grows too long while the answer is under way breaks it off`() throws {
        let gateway = try MemoryGateway(unbufferedYAML, { $0.bodyBytes = 10 }, upstream: { _ in })
        let client = try gateway.connect()
        gateway.send("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n", from: client)
        gateway.answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
        gateway.send("6\r\n567890\r\n", from: client)
        #expect(client.statuses == [200])
        #expect(client.isClosed && gateway.upstream.isClosed)
    }

    @Test(arguments: [
        ("GET /\(String(repeating: "u", count: 100)) HTTP/1.1\r\nHost: a\r\n\r\n", 414, "URI too long"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "v", count: 100))\r\n\r\n", 400,
            "Request header or cookie"
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X: 123456789\r\n", count: 12))\r\n", 400,
            "Request header or"
        ),
        ("GET / HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X:\r\n", count: 6))\r\n", 400, "Request header or cookie"),
    ])
    func `heads have limits, each with its status`(request: String, status: Int, words: String) throws {
        let (gateway, client) = try started {
            ($0.limits.lineBytes, $0.limits.headBytes, $0.limits.fieldCount) = (64, 128, 6)
        }
        gateway.send(request, from: client)
        #expect(client.statuses == [status])
        #expect(client.text.contains(words))
        #expect(client.hasEnded)
        #expect(gateway.upstreams.isEmpty)
    }

    @Test func `a head that comes drop by drop has its time, however often a drop comes`() throws {
        let (gateway, client) = try started { _ in }
        for letter in "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "1", count: 20))" {
            gateway.send(String(letter), from: client)
            gateway.advance(.seconds(2))
            if client.hasEnded { break }
        }
        #expect(client.statuses == [408])
        #expect(client.hasEnded)
    }

    @Test func `a connection is good for so many requests`() throws {
        let (gateway, client) = try started { $0.limits.requestsPerConnection = 3 }
        gateway.send(Self.get, from: client)
        gateway.send(Self.get, from: client)
        #expect(!client.text.contains("Connection: close"))
        gateway.send(Self.get + Self.get, from: client)
        #expect(client.statuses == [200, 200, 200])
        #expect(client.lines.filter { $0 == "Connection: close" }.count == 1)
        #expect(client.hasEnded)
    }

    @Test func `requests sent ahead are answered in turn, and only so many are taken`() throws {
        let gateway = try MemoryGateway { _ in }
        let client = try gateway.connect()
        for _ in 0..<20_000 { client.send(Self.get) }
        gateway.run()
        #expect(client.deliveredBytes <= 160 << 10)
        #expect(gateway.upstream.text.split(separator: "GET / ").count == 1)
        for _ in 0..<10 { gateway.answer(ScriptedUpstream.ok) }
        #expect(client.statuses == Array(repeating: 200, count: 10))
    }

    @Test func `connections beyond the limit are closed, and one that ends makes room`() throws {
        let (gateway, first) = try started { $0.connectionLimit = 2 }
        _ = try gateway.connect()
        let third = try gateway.connect()
        #expect(third.isClosed)
        first.finish()
        gateway.run()
        gateway.advance(.seconds(3))
        let fourth = try gateway.connect()
        gateway.send(Self.get, from: fourth)
        #expect(fourth.statuses == [200])
    }

    // MARK: Whose request it is

    private func forwarded(
        _ fields: String, from address: String = "10.0.0.1", _ configure: (inout GatewaySettings) -> Void
    ) throws -> [String] {
        let gateway = try MemoryGateway(memoryYAML(), configure, upstream: { _ in })
        let client = try gateway.connect(from: address)
        gateway.send("GET /p HTTP/1.1\r\nHost: h.example\r\n\(fields)\r\n", from: client)
        return gateway.upstream.lines.filter { $0.hasPrefix("X-") }
    }

    private static let told =
        "X-Real-IP: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8, 10.0.0.7\r\nX-Forwarded-Proto: https\r\n"
        + "X-Forwarded-Host: o\r\n"
        + "X-Forwarded-Port: 443\r\nX-Forwarded-Path: /q\r\nX-Forwarded-Prefix: /r\r\n"

    @Test func `a stranger is not believed`() throws {
        let lines = try forwarded(Self.told) { _ in }
        for line in [
            "X-Forwarded-For: 5.6.7.8, 10.0.0.7, 10.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: h.example",
            "X-Forwarded-Port: 8000", "X-Forwarded-Path: /p", "X-Real-IP: 10.0.0.1",
        ] { #expect(lines.contains(line), "\(line) in \(lines)") }
        #expect(lines.allSatisfy { !$0.contains("/r") })
    }

    @Test func `a trusted peer is`() throws {
        let lines = try forwarded(Self.told) { _ = $0.trust.read("10.0.0.0/8") }
        for line in [
            "X-Forwarded-For: 5.6.7.8, 10.0.0.7, 10.0.0.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: o",
            "X-Forwarded-Port: 443", "X-Forwarded-Path: /q", "X-Forwarded-Prefix: /r", "X-Real-IP: 1.2.3.4",
        ] { #expect(lines.contains(line), "\(line) in \(lines)") }
        #expect(lines.filter { $0.hasPrefix("X-Forwarded-Prefix") }.count == 1)
    }

    @Test func `a trusted peer may name the client in X-Forwarded-For, or say nothing`() throws {
        func trust(_ settings: inout GatewaySettings) {
            _ = settings.trust.read("10.0.0.0/8")
            settings.trust.source = .init("X-Forwarded-For")
            settings.trust.isRecursive = true
        }
        #expect(try forwarded(Self.told, trust).contains("X-Real-IP: 5.6.7.8"))
        let silent = try forwarded("", trust)
        #expect(silent.contains("X-Real-IP: 10.0.0.1") && silent.contains("X-Forwarded-For: 10.0.0.1"))
    }

    @Test func `what was said of one request does not hold for the next`() throws {
        let gateway = try MemoryGateway(memoryYAML(), { _ = $0.trust.read("10.0.0.1") }, upstream: { _ in })
        let client = try gateway.connect(from: "10.0.0.1")
        gateway.send("GET / HTTP/1.1\r\nHost: a\r\nX-Real-IP: 1.2.3.4\r\n\r\n", from: client)
        #expect(gateway.upstream.takeText().contains("X-Real-IP: 1.2.3.4"))
        gateway.answer(ScriptedUpstream.ok)
        gateway.send(Self.get, from: client)
        #expect(gateway.upstream.takeText().contains("X-Real-IP: 10.0.0.1"))
    }

    @Test func `a route for TLS only is served when a trusted peer says https`() throws {
        let config = serviceYAML(port: 9000, routes: "{paths: [/], protocols: [https]}")
        for (trusted, status) in [("10.0.0.1", 200), ("10.0.0.2", 426)] {
            let gateway = try MemoryGateway(config, { _ = $0.trust.read(trusted) }) { peer in
                peer.onReceive = { $0.send(ScriptedUpstream.ok) }
            }
            let client = try gateway.connect(from: "10.0.0.1")
            gateway.send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\n\r\n", from: client)
            #expect(client.statuses == [status])
        }
    }

    /// trusted_ips, real_ip_header, strict; the client's address as the upstream gets it.
    @Test(
        arguments: [
            (nil, nil, false, "1.2.3.4"), (nil, nil, true, "10.0.0.1"),
            ("10.0.0.0/8", "proxy_protocol", true, "1.2.3.4"),
            ("10.0.0.0/8", nil, false, "10.0.0.1"), ("11.0.0.0/8", "proxy_protocol", false, "10.0.0.1"),
        ] as [(String?, String?, Bool, String)])
    func `the PROXY protocol names the client`(
        ips: String?, header: String?, isStrict: Bool, address: String
    ) throws {
        let gateway = try MemoryGateway(
            memoryYAML(),
            {
                $0.expectsProxyProtocol = true
                $0.strict = isStrict
                if let ips { _ = $0.trust.read(ips) }
                if let header { $0.trust.source = .init(header) }
            }, upstream: { _ in })
        let client = try gateway.connect(from: "10.0.0.1")
        gateway.send("PROXY TCP4 1.2.3.4 5.6.7.8 1000 80\r\n" + Self.get, from: client)
        #expect(gateway.upstream.text.contains("X-Real-IP: \(address)\r\n"))
        #expect(gateway.upstream.text.contains("X-Forwarded-For: \(address)\r\n"))
        let other = try gateway.connect(from: "10.0.0.1")
        gateway.send(Self.get, from: other)
        #expect(other.isClosed && other.text.isEmpty)
    }
}

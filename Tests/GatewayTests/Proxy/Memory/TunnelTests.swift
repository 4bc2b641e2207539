// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import GatewayHarness
import NIOCore
import Testing

/// WebSockets: 101, then bytes both ways.
@Suite struct TunnelTests {
    private static let offer =
        "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
        + "Sec-WebSocket-Key: x\r\n\r\n"
    private static let accept =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: y\r\n\r\n"

    /// A gateway with an open tunnel.
    private func opened(_ service: String = "") throws -> (MemoryGateway, MemoryPeer) {
        let gateway = try MemoryGateway(memoryYAML(service: service)) { _ in }
        let client = try gateway.connect()
        gateway.send(Self.offer, from: client)
        gateway.answer(Self.accept)
        #expect(client.statuses == [101])
        client.received.clear()
        gateway.upstream.received.clear()
        return (gateway, client)
    }

    @Test func `the offer goes to the upstream and 101 comes back, with Kong's fields`() throws {
        let gateway = try MemoryGateway { _ in }
        let client = try gateway.connect()
        // Bytes sent ahead of the answer belong to the other protocol.
        gateway.send(Self.offer + "early", from: client)
        let request = gateway.upstream.lines
        #expect(request.contains("Connection: keep-alive, Upgrade"))
        #expect(request.contains("Upgrade: websocket"))
        #expect(request.contains("Sec-WebSocket-Key: x"))
        #expect(gateway.upstream.text.hasSuffix("\r\n\r\n"))
        gateway.upstream.received.clear()
        gateway.answer(Self.accept + "\u{1}\u{2}hello")
        #expect(client.lines.first == "HTTP/1.1 101 Switching Protocols")
        for line in ["Upgrade: websocket", "Connection: upgrade", "Sec-WebSocket-Accept: y", "Via: 1.1 kong/3.10.0"] {
            #expect(client.lines.contains(line), "\(line)")
        }
        #expect(!client.text.contains("Content-Length") && !client.text.contains("Transfer-Encoding"))
        #expect(client.text.hasSuffix("\r\n\r\n\u{1}\u{2}hello"))
        #expect(gateway.upstream.text == "early")
    }

    @Test func `bytes pass both ways as they are, through a change of the configuration`() throws {
        let (gateway, client) = try opened()
        gateway.send("GET / HTTP/1.1\r\n\r\n", from: client)
        #expect(gateway.upstream.takeText() == "GET / HTTP/1.1\r\n\r\n")
        gateway.reload("_format_version: \"3.0\"\n")
        gateway.answer("HTTP/1.1 200 OK\r\n\r\n\0")
        #expect(client.takeText() == "HTTP/1.1 200 OK\r\n\r\n\0")
        gateway.send("\0\u{7f}", from: client)
        #expect(gateway.upstream.takeText() == "\0\u{7f}")
        let other = try gateway.connect()
        gateway.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n", from: other)
        #expect(other.statuses == [404])
    }

    @Test func `each side may end first, and the other goes on`() throws {
        for clientFirst in [true, false] {
            let (gateway, client) = try opened()
            let upstream = gateway.upstream
            let (first, second) = clientFirst ? (client, upstream) : (upstream, client)
            first.send("last")
            first.finish()
            gateway.run()
            #expect(second.takeText() == "last")
            #expect(second.hasEnded && !second.isClosed)
            second.send("still there")
            gateway.run()
            #expect(first.takeText() == "still there")
            #expect(!first.isClosed)
            second.finish()
            gateway.run()
            #expect(first.hasEnded)
            gateway.advance(.seconds(3))
            #expect(first.isClosed && second.isClosed, "client first: \(clientFirst)")
        }
    }

    @Test func `a side that does not read stops the other, and is held no more than 256 KiB`() throws {
        for slowClient in [true, false] {
            let (gateway, client) = try opened()
            let (slow, fast) = slowClient ? (client, gateway.upstream) : (gateway.upstream, client)
            slow.appetite = 0
            for _ in 0..<100 { fast.send(String(repeating: "x", count: 50_000)) }
            gateway.run()
            #expect(fast.deliveredBytes - slow.takenBytes <= 257 << 10)
            #expect(fast.unreadBytes > 4_000_000)
            slow.appetite = .max
            fast.finish()
            gateway.run()
            #expect(slow.received.readableBytes == 5_000_000)
            #expect(slow.hasEnded)
        }
    }

    @Test func `it may be idle as long as the service's read_timeout says, in both directions together`() throws {
        let (gateway, client) = try opened("read_timeout: 5000")
        for sender in [client, gateway.upstream, client] {
            gateway.advance(.milliseconds(4900))
            sender.send("ping")
            gateway.run()
            #expect(!client.isClosed)
        }
        gateway.advance(.milliseconds(4999))
        #expect(!client.isClosed)
        gateway.advance(.milliseconds(1))
        #expect(client.isClosed && gateway.upstream.isClosed)
    }

    @Test func `the client's own times do not count in a tunnel`() throws {
        let (gateway, client) = try opened("read_timeout: 10000000")
        gateway.advance(.hours(2))
        #expect(!client.isClosed)
        gateway.send("ping", from: client)
        #expect(gateway.upstream.text == "ping")
    }

    @Test func `a reset of either side ends both`() throws {
        for ofClient in [true, false] {
            let (gateway, client) = try opened()
            (ofClient ? client : gateway.upstream).reset()
            gateway.run()
            #expect(client.isClosed && gateway.upstream.isClosed)
        }
    }

    @Test func `an answer other than 101 is an answer`() throws {
        let gateway = try MemoryGateway { _ in }
        let client = try gateway.connect()
        gateway.send(Self.offer, from: client)
        gateway.answer("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno")
        #expect(client.statuses == [403])
        gateway.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n", from: client)
        gateway.answer(ScriptedUpstream.ok)
        #expect(client.statuses == [403, 200])
    }

    @Test(arguments: [
        "Connection: Upgrade\r\nUpgrade: h2c\r\n", "Upgrade: websocket\r\n", "Connection: Upgrade\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n",
    ])
    func `other offers are taken off, and 101 to them is a 502`(fields: String) throws {
        let gateway = try MemoryGateway { _ in }
        let client = try gateway.connect()
        gateway.send("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n", from: client)
        #expect(!gateway.upstream.text.contains("pgrade"))
        gateway.answer(Self.accept)
        #expect(client.statuses == [502])
        #expect(gateway.upstream.isClosed)
    }

    @Test func `stopping waits for a tunnel as long as it may, then cuts it off`() throws {
        let (gateway, client) = try opened()
        _ = gateway.stop()
        gateway.advance(.seconds(9))
        gateway.send("ping", from: client)
        #expect(gateway.upstream.text == "ping")
        gateway.advance(.seconds(2))
        #expect(client.isClosed && gateway.upstream.isClosed)
    }
}

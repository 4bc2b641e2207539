// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import GatewayHarness
import NIOCore
import Testing

/// connect_timeout, write_timeout and read_timeout of a service, to the nanosecond, and what each try may cost.
@Suite struct TryTimeoutTests {
    private static let step = TimeAmount.nanoseconds(1)

    private func service(_ fields: String) -> String { memoryYAML(service: fields) }

    /// Nothing until just before `moment`, and `status` at it.
    private func expect(
        _ status: Int, at moment: TimeAmount, _ gateway: MemoryGateway, _ client: MemoryPeer,
        _ place: SourceLocation = #_sourceLocation
    ) {
        gateway.advance(moment - Self.step)
        #expect(client.statuses == [], sourceLocation: place)
        gateway.advance(Self.step)
        #expect(client.statuses == [status], sourceLocation: place)
    }

    @Test(arguments: ["GET", "POST"])
    func `a try to connect takes connect_timeout at most, and every method is tried again`(method: String) throws {
        var tries = 0
        let connector = MemoryGateway.Connector { _ in
            tries += 1
            return .silent
        }
        let gateway = try MemoryGateway(service("connect_timeout: 1000, retries: 2"), connector: connector)
        let client = try gateway.connect()
        gateway.send("\(method) / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", from: client)
        expect(504, at: .seconds(3), gateway, client)
        #expect(tries == 3)
    }

    @Test(arguments: [("GET", 3), ("PUT", 3), ("POST", 1), ("PATCH", 1), ("LOCK", 1)])
    func `an answer has read_timeout to begin; what may not be repeated is not`(method: String, tries: Int) throws {
        let gateway = try MemoryGateway(service("read_timeout: 1000, retries: 2")) { _ in }
        let client = try gateway.connect()
        gateway.send("\(method) / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", from: client)
        expect(504, at: .seconds(Int64(tries)), gateway, client)
        #expect(gateway.upstreams.count == tries)
        #expect(gateway.upstreams.allSatisfy { $0.isClosed })
    }

    @Test func `between two reads read_timeout begins anew, and then the answer is cut off`() throws {
        let gateway = try MemoryGateway(service("read_timeout: 1000")) { _ in }
        let client = try gateway.connect()
        gateway.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n", from: client)
        for part in ["HTTP/1.1 200 OK\r\n", "Content-Length: 100\r\n", "\r\n", "some", "more"] {
            gateway.advance(.milliseconds(999))
            gateway.answer(part)
        }
        gateway.advance(.seconds(1) - Self.step)
        #expect(!client.isClosed)
        gateway.advance(Self.step)
        #expect(client.isClosed)
        #expect(client.text.hasSuffix("somemore"))
    }

    @Test func `a client that is slow to read costs the upstream no time`() throws {
        let gateway = try MemoryGateway(service("read_timeout: 1000")) { _ in }
        let client = try gateway.connect()
        client.appetite = 0
        gateway.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n", from: client)
        gateway.answer("HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n" + String(repeating: "x", count: 400_000))
        gateway.advance(.seconds(30))
        #expect(!client.isClosed)
        client.appetite = .max
        gateway.run()
        #expect(client.received.readableBytes > 400_000)
    }

    @Test(arguments: [true, false])
    func `an upstream that takes nothing has write_timeout`(isBuffered: Bool) throws {
        let fields = "write_timeout: 1000, read_timeout: 60000, retries: 0"
        let gateway = try MemoryGateway(
            memoryYAML(route: "request_buffering: \(isBuffered)", service: fields)
        ) { $0.appetite = 0 }
        let client = try gateway.connect()
        client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        client.send(String(repeating: "x", count: 1_000_000))
        gateway.run()
        expect(504, at: .seconds(1), gateway, client)
    }

    @Test func `a client that is slow to send costs the upstream no time`() throws {
        let gateway = try MemoryGateway(
            memoryYAML(route: "request_buffering: false", service: "write_timeout: 1000, read_timeout: 1000")
        ) { _ in }
        let client = try gateway.connect()
        gateway.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n", from: client)
        for letter in ["a", "b", "c", "d"] {
            gateway.advance(.seconds(50))
            gateway.send(letter, from: client)
        }
        expect(504, at: .seconds(1), gateway, client)
    }

    @Test func `a kept connection that turns out closed is a try for nothing`() throws {
        let gateway = try MemoryGateway(service("retries: 0")) { peer in
            peer.onReceive = { peer in
                if peer.number == 1, peer.text.split(separator: "GET /").count > 1 { return peer.reset() }
                peer.send(ScriptedUpstream.ok)
            }
        }
        let client = try gateway.connect()
        gateway.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n", from: client)
        gateway.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n", from: client)
        #expect(client.statuses == [200, 200])
        #expect(gateway.upstreams.count == 2)
        // A fresh one that breaks off is one.
        let other = try MemoryGateway(service("retries: 0")) { $0.onReceive = { $0.reset() } }
        let second = try other.connect()
        other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n", from: second)
        #expect(second.statuses == [502])
    }

    @Test func `a full pool lets the longest idle connection go`() throws {
        let gateway = try MemoryGateway(memoryYAML(), { $0.pool.size = 1 }, upstream: { _ in })
        let clients = try (0..<2).map { _ in try gateway.connect() }
        for client in clients { gateway.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n", from: client) }
        for upstream in gateway.upstreams {
            upstream.send(ScriptedUpstream.ok)
            gateway.run()
        }
        #expect(gateway.upstreams.map(\.isClosed) == [true, false])
    }

    @Test func `pools may keep nothing, or keep it for ever`() throws {
        for (size, timeout, isClosed) in [(0, TimeAmount.seconds(60), true), (512, nil, false)]
            as [(Int, TimeAmount?, Bool)]
        {
            let gateway = try MemoryGateway(
                memoryYAML(),
                {
                    ($0.pool.size, $0.pool.idleTimeout) = (size, timeout)
                }, upstream: { _ in })
            let client = try gateway.connect()
            gateway.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n", from: client)
            gateway.answer(ScriptedUpstream.ok)
            #expect(client.statuses == [200])
            #expect(gateway.upstream.isClosed == isClosed)
            gateway.advance(.hours(1))
            #expect(gateway.upstream.isClosed == isClosed)
        }
    }
}

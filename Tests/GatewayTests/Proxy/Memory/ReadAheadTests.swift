// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import GatewayHarness
import NIOCore
import Testing

/// `response_buffering`: what is read of a response while its client takes nothing.
@Suite struct ReadAheadTests {
    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    /// Bytes that show where they stand.
    private static func body(_ count: Int) -> String {
        var bytes: [UInt8] = []
        for place in 0..<count {
            let letter: Int = (31 * place + place / 256) % 26
            bytes.append(UInt8(ascii: "a") + UInt8(letter))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func gateway(
        isBuffered: Bool, _ configure: (inout GatewaySettings) -> Void = { _ in }
    ) throws -> MemoryGateway {
        try MemoryGateway(memoryYAML(route: "response_buffering: \(isBuffered)"), configure) { _ in }
    }

    @Test(arguments: [true, false])
    func `a slow client keeps an upstream for itself only without response_buffering`(isBuffered: Bool) throws {
        let gateway = try gateway(isBuffered: isBuffered)
        let slow = try gateway.connect()
        slow.appetite = 0
        gateway.send(Self.get, from: slow)
        let body = Self.body(150_000)
        gateway.answer("HTTP/1.1 200 OK\r\nContent-Length: 150000\r\n\r\n")
        for part in 0..<3 { gateway.upstream.send(String(body.dropFirst(part * 50_000).prefix(50_000))) }
        gateway.run()
        #expect(slow.takenBytes == 0)
        #expect(gateway.upstream.unreadBytes == (isBuffered ? 0 : 50_000))
        let other = try gateway.connect()
        gateway.send(Self.get, from: other)
        #expect(gateway.upstreams.count == (isBuffered ? 1 : 2))
        gateway.upstreams[gateway.upstreams.count - 1].send(ScriptedUpstream.ok)
        gateway.run()
        #expect(other.statuses == [200])
        // The slow one gets all of it all the same.
        slow.appetite = .max
        gateway.run()
        #expect(slow.statuses == [200])
        #expect(slow.text.hasSuffix("\r\n\r\n" + body))
    }

    @Test(
        arguments: [
            // buffering, its limit, the fewest and the most that is read before reading stops, all in KiB
            (true, 64, 128, 140), (true, 16, 80, 92), (true, 128, 176, 200), (true, 0, 64, 76), (false, 64, 64, 72),
        ] as [(Bool, Int, Int, Int)])
    func `no more is read ahead than the limit`(isBuffered: Bool, limit: Int, least: Int, most: Int) throws {
        let gateway = try gateway(isBuffered: isBuffered) { $0.responseBufferBytes = limit * 1024 }
        let client = try gateway.connect()
        client.appetite = 0
        gateway.send(Self.get, from: client)
        gateway.answer("HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n")
        let body = Self.body(400_000)
        for part in 0..<100 { gateway.upstream.send(String(body.dropFirst(part * 4000).prefix(4000))) }
        gateway.run()
        let delivered = gateway.upstream.deliveredBytes
        #expect(delivered >= least * 1024 && delivered <= most * 1024, "\(delivered)")
        // It goes on as the client takes something, and nothing is lost or in another order.
        while client.takenBytes < 400_000 {
            let taken = client.takenBytes
            client.appetite = 7000
            gateway.run()
            try #require(client.takenBytes > taken)
            #expect(gateway.upstream.deliveredBytes - client.takenBytes <= 256 << 10)
        }
        client.appetite = .max
        gateway.run()
        #expect(client.text.hasSuffix("\r\n\r\n" + body))
    }

    @Test(arguments: [100, 5000, 20_000, 64 << 10])
    func `chunks and trailers keep their meaning, however slowly they are taken`(appetite: Int) throws {
        let gateway = try gateway(isBuffered: true)
        let client = try gateway.connect()
        client.appetite = 0
        gateway.send("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n" + Self.get, from: client)
        let body = Self.body(100_000)
        gateway.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n")
        for part in 0..<10 {
            gateway.upstream.send("2710\r\n\(body.dropFirst(part * 10_000).prefix(10_000))\r\n")
        }
        gateway.upstream.send("0\r\nX-Sum: 9\r\n\r\n")
        gateway.run()
        #expect(gateway.upstream.unreadBytes == 0)
        while true {
            let taken = client.takenBytes
            client.appetite = appetite
            gateway.run()
            if client.takenBytes == taken { break }
        }
        let bytes = Array(client.received.readableBytesView)
        var rest = bytes[try #require(bytes.firstRange(of: Array("\r\n\r\n".utf8))).upperBound...]
        var received: [UInt8] = []
        while let line = rest.firstRange(of: Array("\r\n".utf8)),
            let size = Int(String(decoding: rest[..<line.lowerBound], as: UTF8.self), radix: 16), size > 0
        {
            received += rest[line.upperBound...].prefix(size)
            rest = rest[line.upperBound...].dropFirst(size + 2)
        }
        #expect(received.elementsEqual(body.utf8))
        #expect(rest.elementsEqual("0\r\nX-Sum: 9\r\n\r\n".utf8))
        // Only now comes the turn of the request that was sent ahead.
        gateway.answer(ScriptedUpstream.ok)
        client.appetite = .max
        gateway.run()
        #expect(client.statuses == [200, 200])
    }

    @Test func `a response that fills the connection and ends with one read is sent all the same`() throws {
        let gateway = try gateway(isBuffered: true)
        let client = try gateway.connect()
        gateway.send(Self.get, from: client)
        // The first chunk fills the connection, so the second one is read ahead; all of it is one read of 64 KiB.
        let (first, second) = (Self.body(65_300), "the rest")
        let chunks = "ff14\r\n\(first)\r\n8\r\n\(second)\r\n0\r\n\r\n"
        let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)"
        #expect(answer.utf8.count <= 64 << 10)
        gateway.answer(answer)
        #expect(client.takenBytes > 65_536)
        #expect(client.text.hasSuffix("8\r\nthe rest\r\n0\r\n\r\n"))
        // The connection goes on.
        gateway.send(Self.get, from: client)
        gateway.answer(ScriptedUpstream.ok)
        #expect(client.statuses == [200, 200])
    }

    @Test func `a client that leaves what was read ahead for it leaves nothing behind`() throws {
        let gateway = try gateway(isBuffered: true)
        let slow = try gateway.connect()
        slow.appetite = 0
        gateway.send(Self.get, from: slow)
        gateway.answer("HTTP/1.1 200 OK\r\nContent-Length: 150000\r\n\r\n")
        for _ in 0..<3 { gateway.upstream.send(Self.body(50_000)) }
        gateway.run()
        #expect(gateway.upstream.unreadBytes == 0)
        slow.reset()
        gateway.run()
        let other = try gateway.connect()
        gateway.send(Self.get, from: other)
        gateway.answer(ScriptedUpstream.ok)
        #expect(other.statuses == [200])
        #expect(other.text.hasSuffix("\r\n\r\nok"))
    }

    @Test func `an upstream that breaks off ends the connection of a client that is behind`() throws {
        let gateway = try gateway(isBuffered: true)
        let slow = try gateway.connect()
        slow.appetite = 0
        gateway.send(Self.get, from: slow)
        gateway.answer("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n")
        for _ in 0..<3 { gateway.upstream.send(Self.body(50_000)) }
        gateway.run()
        gateway.upstream.reset()
        gateway.run()
        slow.appetite = .max
        gateway.run()
        #expect(slow.hasEnded)
        #expect(slow.takenBytes < 200_000)
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation
import Gateway
import GatewayHarness
import NIOCore
import Testing
import World

/// Bodies, read whole or passed on as they come; to the byte, without sockets.
@Suite struct BufferingTests {
    private static let half = String(repeating: "x", count: 50_000)

    @Test func `a buffered body comes whole before the upstream hears of it, with its length`() throws {
        let gateway = try MemoryGateway { _ in }
        let client = try gateway.connect()
        gateway.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", from: client)
        #expect(gateway.upstreams.isEmpty)
        gateway.send("6\r\n world\r\n", from: client)
        gateway.advance(.seconds(59))
        #expect(gateway.upstreams.isEmpty)
        gateway.send("0\r\n\r\n", from: client)
        let request = gateway.upstream.text
        #expect(request.hasSuffix("Content-Length: 11\r\n\r\nhello world"))
        #expect(!request.contains("chunked"))
        gateway.answer(ScriptedUpstream.ok)
        #expect(client.statuses == [200])
    }

    @Test func `trailers go on with a buffered body, in chunks`() throws {
        let gateway = try MemoryGateway { _ in }
        let client = try gateway.connect()
        gateway.send(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
            from: client)
        #expect(gateway.upstream.text.hasSuffix("chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"))
    }

    @Test func `without buffering each part goes on as it comes, framed as it came`() throws {
        let gateway = try MemoryGateway(unbufferedYAML) { _ in }
        let client = try gateway.connect()
        gateway.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", from: client)
        #expect(gateway.upstream.takeText().hasSuffix("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"))
        gateway.send("6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n", from: client)
        #expect(gateway.upstream.takeText() == "6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n")
    }

    @Test func `a long buffered body goes through a file and arrives byte for byte, also at the second try`() throws {
        var bytes = [UInt8](repeating: 0, count: 3_000_001)
        for place in bytes.indices { bytes[place] = UInt8(truncatingIfNeeded: place &* 31 &+ place >> 9) }
        let directory = FileManager.default.temporaryDirectory.path
        let before = try FileManager.default.contentsOfDirectory(atPath: directory).filter {
            $0.contains("gatecrash-body")
        }
        let gateway = try MemoryGateway(
            memoryYAML(), { $0.spoolDirectory = directory },
            upstream: { peer in
                // The first upstream takes a part of it and breaks off.
                if peer.number == 1 { peer.appetite = 100_000 }
            })
        let client = try gateway.connect()
        client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: \(bytes.count)\r\n\r\n")
        client.send(ByteBuffer(bytes: bytes))
        gateway.run()
        #expect(gateway.upstream.takenBytes == 100_000)
        #expect(gateway.upstream.heldBytes <= 160 << 10)
        gateway.upstream.reset()
        gateway.run()
        #expect(gateway.upstreams.count == 2)
        let request = Array(gateway.upstreams[1].received.readableBytesView)
        let headEnd = try #require(request.firstRange(of: Array("\r\n\r\n".utf8))).upperBound
        #expect(request[headEnd...].elementsEqual(bytes))
        gateway.upstreams[1].send(ScriptedUpstream.ok)
        gateway.run()
        #expect(client.statuses == [200])
        // Its files have no names, so nothing is left behind.
        let after = try FileManager.default.contentsOfDirectory(atPath: directory).filter {
            $0.contains("gatecrash-body")
        }
        #expect(after == before)
    }

    @Test func `a body that cannot be kept is a 500 and closes`() throws {
        let gateway = try MemoryGateway(memoryYAML(), { $0.spoolDirectory = "/nowhere" }, upstream: { _ in })
        let client = try gateway.connect()
        client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n")
        client.send(Self.half + Self.half)
        gateway.run()
        #expect(client.statuses == [500])
        #expect(client.lines.contains("Connection: close"))
        #expect(client.hasEnded)
        #expect(gateway.upstreams.isEmpty)
    }

    @Test(arguments: [true, false])
    func `a slow upstream does not make the gateway hold more than 256 KiB`(isBuffered: Bool) throws {
        let gateway = try MemoryGateway(isBuffered ? memoryYAML() : unbufferedYAML) { $0.appetite = 0 }
        let client = try gateway.connect()
        client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n")
        for _ in 0..<200 { client.send(Self.half) }
        gateway.run()
        let inFile = isBuffered ? client.deliveredBytes : 0
        #expect(client.deliveredBytes - inFile <= 256 << 10)
        #expect(gateway.upstream.heldBytes <= 256 << 10)
        // As it takes more, more comes, and never is more held.
        while gateway.upstream.takenBytes < 10_000_000 {
            let taken = gateway.upstream.takenBytes
            gateway.upstream.appetite = 10_000
            gateway.run()
            gateway.upstream.received.clear()
            try #require(gateway.upstream.takenBytes > taken)
            #expect(gateway.upstream.heldBytes <= 256 << 10)
            #expect(isBuffered || client.deliveredBytes - gateway.upstream.takenBytes <= 256 << 10)
        }
    }

    @Test(arguments: ["Content-Length: 10000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"])
    func `a slow client does not make the gateway hold more than 256 KiB`(framing: String) throws {
        let gateway = try MemoryGateway { _ in }
        let client = try gateway.connect()
        client.appetite = 0
        gateway.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n", from: client)
        gateway.answer("HTTP/1.1 200 OK\r\n\(framing)")
        let part = framing.hasPrefix("C") ? Self.half : "c350\r\n\(Self.half)\r\n"
        for _ in 0..<200 { gateway.upstream.send(part) }
        gateway.run()
        var taken = 0
        while gateway.upstream.unreadBytes > 0 {
            #expect(gateway.upstream.deliveredBytes - client.takenBytes <= 256 << 10)
            client.appetite = 20_000
            gateway.run()
            try #require(client.takenBytes > taken)
            taken = client.takenBytes
            client.received.clear()
        }
    }

    @Test func `an unbuffered body that has gone is not sent again; a buffered one is, of methods that may`() throws {
        for (config, method, expected) in [
            (unbufferedYAML, "PUT", 502), (memoryYAML(), "PUT", 200), (memoryYAML(), "POST", 502),
        ] {
            let gateway = try MemoryGateway(config) { peer in
                peer.onReceive = { peer in
                    guard peer.text.hasSuffix("hello") else { return }
                    if peer.number == 1 { peer.finish() } else { peer.send(ScriptedUpstream.ok) }
                }
            }
            let client = try gateway.connect()
            gateway.send("\(method) / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", from: client)
            #expect(client.statuses == [expected], "\(method)")
        }
    }

    @Test func `a refused connection takes nothing of an unbuffered body away`() throws {
        var count = 0
        let connector = MemoryGateway.Connector { _ in
            count += 1
            if count < 3 { return .refused }
            return .accepted { peer in
                peer.onReceive = { if $0.text.hasSuffix("hello") { $0.send(ScriptedUpstream.ok) } }
            }
        }
        let gateway = try MemoryGateway(unbufferedYAML, connector: connector)
        let client = try gateway.connect()
        gateway.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", from: client)
        #expect(client.statuses == [200])
        #expect(count == 3)
    }
}

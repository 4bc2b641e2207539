// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import Wire

/// Back-pressure both ways: a slow delegate stops reading, a slow peer is told on.
@Suite struct BackpressureTests {
    private static let upload = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"

    @Test func `a delegate that pauses stops the reading`() throws {
        let server = try ServerHarness { $0.onBody = { _, connection in connection.pauseReading() } }
        server.receive(Self.upload)
        for _ in 0..<10 { server.receive(String(repeating: "x", count: 100)) }
        #expect(server.recorder.bodyBytes == 100)
        #expect(server.unread == 900)
        let reads = server.socket.readCount
        server.connection.resumeReading()
        server.pump()
        #expect(server.recorder.bodyBytes == 200)
        #expect(server.socket.readCount == reads + 1)
    }

    @Test func `what was read already waits for the delegate too`() throws {
        let server = try ServerHarness { $0.onBody = { _, connection in connection.pauseReading() } }
        server.receive("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n")
        #expect(server.recorder.requests.map(\.body) == ["a"])
        server.connection.resumeReading()
        #expect(server.recorder.requests.map(\.body) == ["ab"])
        #expect(server.recorder.requests.map(\.isComplete) == [false])
        server.connection.resumeReading()
        #expect(server.statuses == [200])
    }

    @Test func `a delegate may pause and resume within one call`() throws {
        let server = try ServerHarness {
            $0.onBody = { _, connection in
                connection.pauseReading()
                connection.resumeReading()
            }
        }
        server.receive(Self.upload)
        for _ in 0..<10 { server.receive(String(repeating: "x", count: 100)) }
        #expect(server.statuses == [200])
    }

    @Test func `a slow client is told on`() throws {
        let server = try ServerHarness { $0.onEnd = { $0.send(HeadWriter(status: 200), framing: .chunked) } }
        server.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.connection.isWritable)
        server.setWritable(false)
        #expect(!server.connection.isWritable)
        server.setWritable(true)
        #expect(server.recorder.log.suffix(2) == ["writable false", "writable true"])
    }

    @Test func `a slow server is told on, and a slow delegate stops the reading of a response`() throws {
        let client = try ClientHarness()
        client.begin("POST", framing: .chunked)
        client.setWritable(false)
        client.setWritable(true)
        #expect(client.recorder.log == ["writable false", "writable true"])
        client.connection.sendEnd()
        client.recorder.onBody = { _, connection in connection.pauseReading() }
        client.receive("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in 0..<10 { client.receive(String(repeating: "x", count: 100)) }
        #expect(client.recorder.bodyBytes == 100)
        #expect(client.unread == 900)
        client.recorder.onBody = { _, _ in }
        client.connection.resumeReading()
        client.pump()
        #expect(client.recorder.response?.isComplete == true)
    }

    @Test func `64 MiB in chunks pass in the memory of one read`() throws {
        let server = try ServerHarness {
            $0.keepsBodies = false
            $0.onHead = { _, connection in connection.send(HeadWriter(status: 200), framing: .chunked) }
            $0.onBody = { body, connection in
                connection.send(body: body)
                connection.flush()
            }
            $0.onEnd = { $0.sendEnd() }
        }
        server.receive("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        // Chunks of 60,000 bytes in reads of 64 KiB, so that every boundary falls somewhere else.
        var stream = ByteBuffer()
        var sent = 0
        var largest = 0
        while sent < 64 << 20 {
            stream.writeString("ea60\r\n")
            stream.writeRepeatingByte(0x78, count: 60_000)
            stream.writeString("\r\n")
            sent += 60_000
            while let read = stream.readSlice(length: 65_536) { server.receive(read) }
            stream.discardReadBytes()
            largest = max(largest, server.socket.output.readableBytes)
            server.socket.output.clear()
        }
        server.receive(stream)
        server.receive("0\r\n\r\n")
        #expect(server.recorder.bodyBytes == sent)
        #expect(largest < 200_000)
        #expect(server.output.hasSuffix("0\r\n\r\n"))
        #expect(server.connection.isIdle)
    }

    // MARK: Reads that end within a line, all of them

    private static let extendedChunk = ";\(String(repeating: "a", count: 4000))\r\nx\r\n1"

    @Test func `what was read of a request goes, though something is always left`() throws {
        let server = try ServerHarness()
        server.receive("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1")
        for _ in 0..<1000 { server.receive(Self.extendedChunk) }
        #expect(server.connection.inbound.storageCapacity < 64 << 10)
        #expect(server.recorder.bodyBytes == 1000)
    }

    @Test func `what was read of pipelined requests goes, though something is always left`() throws {
        let server = try ServerHarness()
        let rest = "ET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "b", count: 4000))\r\n\r\nG"
        server.receive("G")
        for _ in 0..<1000 { server.receive(rest) }
        #expect(server.connection.inbound.storageCapacity < 64 << 10)
        #expect(server.recorder.requests.count { $0.isComplete } == 1000)
    }

    @Test func `what was read of a response goes, though something is always left`() throws {
        let client = try ClientHarness()
        client.request()
        client.receive("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1")
        for _ in 0..<1000 { client.receive(Self.extendedChunk) }
        #expect(client.connection.inbound.storageCapacity < 64 << 10)
        #expect(client.recorder.bodyBytes == 1000)
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import Wire

/// A server connection's times, exact to the nanosecond in virtual time.
@Suite struct ServerTimeoutTests {
    private static let nanosecond = TimeAmount.nanoseconds(1)
    private let defaults = ServerTimeouts()

    /// Advances to just before `timeout` and then to it; tells whether the connection ended exactly there.
    private func endsExactly(_ server: ServerHarness, after timeout: TimeAmount) -> Bool {
        server.advance(timeout - Self.nanosecond)
        if server.hasEnded { return false }
        server.advance(Self.nanosecond)
        return server.hasEnded
    }

    @Test func `a connection on which nothing comes closes without a word`() throws {
        let server = try ServerHarness()
        #expect(endsExactly(server, after: defaults.idle))
        #expect(server.output == "")
        #expect(server.recorder.log == ["closed"])
    }

    @Test func `a kept connection closes when it was idle long enough since its last response`() throws {
        let server = try ServerHarness { $0.onEnd = { _ in } }
        server.advance(.seconds(50))
        server.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.advance(.hours(1))
        #expect(!server.hasEnded)
        server.connection.respond(HeadWriter(status: 200), body: ByteBuffer())
        #expect(endsExactly(server, after: defaults.idle))
    }

    @Test func `the time for a head runs from its first byte and is not prolonged`() throws {
        let server = try ServerHarness()
        server.advance(.seconds(70))
        for byte in "GET / HTTP/1.1\r\nHost: a\r\n".utf8.prefix(20) {
            server.receive(ByteBuffer(bytes: [byte]))
            server.advance(.seconds(2))
        }
        #expect(!server.hasEnded)
        #expect(endsExactly(server, after: defaults.head - .seconds(40)))
        #expect(server.statuses == [408])
        #expect(server.recorder.refusals.map(\.status) == [408])
        #expect(server.recorder.refusals.map(\.error) == [nil])
        #expect(server.recorder.requests.isEmpty)
    }

    @Test func `the time for the next head runs from the end of the exchange when it was sent ahead`() throws {
        let server = try ServerHarness { $0.onEnd = { _ in } }
        server.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2")
        server.advance(.seconds(100))
        server.connection.respond(HeadWriter(status: 204), body: ByteBuffer())
        #expect(endsExactly(server, after: defaults.head))
        #expect(server.statuses == [204, 408])
    }

    @Test func `a body may pause between reads, but not too long`() throws {
        let server = try ServerHarness()
        server.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
        for _ in 0..<5 {
            server.advance(defaults.body - Self.nanosecond)
            server.receive("x")
        }
        #expect(endsExactly(server, after: defaults.body))
        #expect(server.statuses == [408])
    }

    @Test func `the time for a body does not run while the delegate has paused`() throws {
        let server = try ServerHarness()
        server.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
        server.connection.pauseReading()
        server.receive("x")
        server.advance(.hours(1))
        #expect(!server.hasEnded)
        server.connection.resumeReading()
        #expect(endsExactly(server, after: defaults.body))
    }

    @Test func `a response under way is cut off when the rest of the request does not come`() throws {
        let server = try ServerHarness {
            $0.onHead = { _, connection in connection.send(HeadWriter(status: 200), framing: .chunked) }
        }
        server.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nx")
        #expect(endsExactly(server, after: defaults.body))
        #expect(server.recorder.refusals.isEmpty)
        #expect(server.isClosed)
    }

    @Test func `lingering ends`() throws {
        let server = try ServerHarness()
        server.receive("GET / HTTP/1.0\r\n\r\n")
        #expect(server.hasEnded && !server.isClosed)
        server.advance(defaults.linger - Self.nanosecond)
        #expect(!server.isClosed)
        server.advance(Self.nanosecond)
        #expect(server.isClosed)
        #expect(server.recorder.log.last == "closed")
    }

    @Test func `lingering begins when the response has left`() throws {
        let server = try ServerHarness()
        server.socket.holdsWrites = true
        server.receive("GET / HTTP/1.0\r\n\r\n")
        server.advance(.seconds(50))
        #expect(!server.isClosed)
        server.socket.releaseWrites()
        server.advance(defaults.linger - Self.nanosecond)
        #expect(!server.isClosed)
        server.advance(Self.nanosecond)
        #expect(server.isClosed)
    }

    @Test func `a client that takes nothing of its last response is given up`() throws {
        let server = try ServerHarness()
        server.socket.holdsWrites = true
        server.receive("GET / HTTP/1.0\r\n\r\n")
        server.advance(defaults.send - Self.nanosecond)
        #expect(!server.isClosed)
        server.advance(Self.nanosecond)
        #expect(server.isClosed)
    }

    @Test func `a client that takes nothing while a response is under way is given up`() throws {
        let server = try ServerHarness { $0.onEnd = { $0.send(HeadWriter(status: 200), framing: .chunked) } }
        server.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.setWritable(false)
        server.advance(defaults.send - Self.nanosecond)
        server.setWritable(true)
        server.advance(.hours(1))
        #expect(!server.isClosed)
        server.setWritable(false)
        #expect(endsExactly(server, after: defaults.send))
    }

    @Test func `being idle does not close over a response that still waits to be written`() throws {
        var timeouts = ServerTimeouts()
        (timeouts.idle, timeouts.send) = (.seconds(10), .seconds(60))
        let server = try ServerHarness(timeouts: timeouts)
        server.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.setWritable(false)
        server.advance(.seconds(59))
        #expect(!server.isClosed)
        server.setWritable(true)
        server.advance(.seconds(10))
        #expect(server.isClosed)
    }

    @Test func `an exchange that takes long in the delegate's hands times out nowhere`() throws {
        let server = try ServerHarness { $0.onEnd = { _ in } }
        server.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
        server.advance(.hours(24))
        #expect(!server.hasEnded)
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import Wire

/// Early answers, expectations, half-closed clients, closing and draining.
@Suite struct ServerClosingTests {
    private static let slowPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
    private static let expecting = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    private static let goOn = "HTTP/1.1 100 Continue\r\n\r\n"

    private func answerAtHead(_ recorder: ServerRecorder) {
        recorder.onHead = { _, connection in
            connection.respond(HeadWriter(status: 403), body: ByteBuffer(string: "no"))
        }
    }

    // MARK: Expect: 100-continue

    @Test func `a client that waits is told to continue, once`() throws {
        let server = try ServerHarness()
        server.receive(Self.expecting)
        #expect(server.takeOutput() == Self.goOn)
        server.receive("hel")
        server.receive("lo")
        #expect(server.output.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(server.recorder.requests.map(\.body) == ["hello"])
        #expect(!server.hasEnded)
    }

    @Test(arguments: [
        ("the body is there already", Self.expecting + "hello"),
        ("there is no body", "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"),
        ("the version is 1.0", "POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"),
    ])
    func `nobody is told to continue when`(reason: String, bytes: String) throws {
        let server = try ServerHarness()
        server.receive(bytes)
        #expect(server.statuses == [200], "\(reason)")
    }

    @Test func `an answer instead of 100 closes, for whether the body will come is in doubt`() throws {
        let server = try ServerHarness(answerAtHead)
        server.receive(Self.expecting)
        #expect(server.statuses == [403])
        #expect(server.output.contains("Connection: close\r\n"))
        #expect(server.hasEnded)
        server.receive("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.recorder.requests.count == 1)
    }

    @Test func `a head answered later, before anything came, closes too`() throws {
        let server = try ServerHarness { $0.onHead = { _, connection in connection.pauseReading() } }
        server.receive(Self.expecting)
        #expect(server.takeOutput() == Self.goOn)
        server.connection.respond(HeadWriter(status: 503), body: ByteBuffer())
        // It was told to continue, so the body comes and is dropped.
        #expect(server.output.contains("Connection: keep-alive\r\n"))
        server.receive("hello")
        server.receive("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.recorder.requests.map(\.start) == ["POST /", "GET /2"])
    }

    // MARK: Early answers

    @Test func `the short rest of an answered request is dropped and the connection kept`() throws {
        let server = try ServerHarness(answerAtHead)
        server.receive(Self.slowPost + "he")
        #expect(server.statuses == [403])
        #expect(server.output.contains("Connection: keep-alive\r\n"))
        server.receive("lloGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.recorder.requests.map(\.start) == ["POST /", "GET /2"])
        #expect(server.recorder.requests.map(\.body) == ["", ""])
        #expect(server.recorder.log.filter { $0 == "exchange ended" }.count == 2)
    }

    @Test(arguments: ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
    func `the long rest of an answered request is not waited for`(framing: String) throws {
        let server = try ServerHarness(answerAtHead)
        server.receive("POST / HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n")
        #expect(server.output.contains("Connection: close\r\n"))
        #expect(server.hasEnded && !server.isClosed)
        #expect(server.recorder.log == ["head POST /", "exchange ended"])
        server.advance(.seconds(2))
        #expect(server.isClosed)
        #expect(server.recorder.log.last == "closed")
    }

    @Test func `a response that streams beside a long request does not close for it`() throws {
        let server = try ServerHarness {
            $0.onHead = { _, connection in connection.send(HeadWriter(status: 200), framing: .chunked) }
            $0.onEnd = { $0.sendEnd() }
        }
        server.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        server.receive(String(repeating: "x", count: 100_000))
        #expect(server.output.contains("Connection: keep-alive\r\n"))
        #expect(!server.hasEnded)
    }

    @Test func `a streamed response that ends before a long request closes`() throws {
        let server = try ServerHarness {
            $0.onHead = { _, connection in connection.send(HeadWriter(status: 200), framing: .chunked) }
        }
        server.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        server.connection.sendEnd()
        #expect(server.hasEnded && !server.isClosed)
    }

    @Test func `a pause ends with the response`() throws {
        let server = try ServerHarness { $0.onHead = { _, connection in connection.pauseReading() } }
        server.receive(Self.slowPost)
        server.connection.respond(HeadWriter(status: 503), body: ByteBuffer())
        server.receive("hello")
        server.receive("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.recorder.requests.map(\.start) == ["POST /", "GET /2"])
    }

    @Test func `a bad body behind a complete response does not cut the response off`() throws {
        let server = try ServerHarness(answerAtHead)
        server.socket.holdsWrites = true
        server.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n")
        server.receive("hi[[[")
        #expect(!server.isClosed)
        server.socket.releaseWrites()
        #expect(server.statuses == [403, 400])
        #expect(server.hasEnded)
    }

    // MARK: Half-closed clients

    @Test func `a client that closes its side gets all its answers, then the end`() throws {
        let server = try ServerHarness { $0.onEnd = { _ in } }
        server.receive(String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: 3))
        server.endInput()
        for _ in 0..<3 { server.connection.respond(HeadWriter(status: 200), body: ByteBuffer(string: "ok")) }
        #expect(server.statuses == [200, 200, 200])
        #expect(server.output.hasSuffix("Connection: close\r\n\r\nok"))
        #expect(server.isClosed)
        #expect(server.recorder.log.last == "closed")
    }

    @Test func `half a request before the end is no request`() throws {
        let server = try ServerHarness { $0.onEnd = { _ in } }
        server.receive("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HT")
        server.endInput()
        server.connection.respond(HeadWriter(status: 204), body: ByteBuffer())
        #expect(server.statuses == [204])
        #expect(server.isClosed)
    }

    @Test func `what waits to be written outlives a client's end`() throws {
        let server = try ServerHarness()
        server.socket.holdsWrites = true
        server.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.endInput()
        #expect(!server.isClosed)
        server.socket.releaseWrites()
        #expect(server.statuses == [200])
        #expect(server.isClosed)
    }

    @Test func `an end while a closing response is being written loses nothing`() throws {
        let server = try ServerHarness()
        server.socket.holdsWrites = true
        server.receive("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        server.endInput()
        #expect(!server.isClosed)
        server.socket.releaseWrites()
        #expect(server.statuses == [200])
        #expect(server.isClosed)
    }

    @Test func `a client that closes its side is gone, when half-closing is not served`() throws {
        let server = try ServerHarness(servesHalfClosed: false) { $0.onEnd = { _ in } }
        server.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.endInput()
        #expect(server.isClosed)
        #expect(server.recorder.log == ["head GET /", "end", "closed"])
    }

    @Test(arguments: ["", "GET / HT", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe"])
    func `an end between or within requests closes without an answer`(bytes: String) throws {
        let server = try ServerHarness()
        server.receive(bytes)
        server.endInput()
        #expect(server.isClosed)
        #expect(server.output == "")
        #expect(server.recorder.log.last == "closed")
    }

    // MARK: Closing

    @Test func `after close nothing but closed is told`() throws {
        for place in 0..<4 {
            let server = try ServerHarness {
                if place == 0 { $0.onHead = { _, connection in connection.close() } }
                if place == 1 { $0.onBody = { _, connection in connection.close() } }
                if place == 2 { $0.onEnd = { $0.close() } }
                if place == 3 { $0.onExchangeEnded = { $0.close() } }
            }
            let chunked =
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n"
            server.receive(chunked + "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(server.isClosed)
            let whole = ["head POST /", "body 1", "body 1", "end", "exchange ended"]
            let expected = [1, 2, 4, 5][place]
            #expect(server.recorder.log == whole.prefix(expected) + ["closed"])
            server.connection.respond(HeadWriter(status: 200), body: ByteBuffer())
            #expect(server.recorder.log.filter { $0 == "closed" }.count == 1)
        }
    }

    @Test func `a client that disappears abandons the exchange`() throws {
        let server = try ServerHarness { $0.onEnd = { _ in } }
        server.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.disconnect()
        #expect(server.recorder.log == ["head GET /", "end", "closed"])
        server.connection.respond(HeadWriter(status: 200), body: ByteBuffer())
        #expect(server.output == "")
    }

    @Test func `an idle connection drains at once, a busy one after its response`() throws {
        let idle = try ServerHarness()
        idle.connection.drain()
        #expect(idle.hasEnded)
        let busy = try ServerHarness { $0.onEnd = { _ in } }
        busy.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        busy.connection.drain()
        #expect(!busy.hasEnded)
        busy.connection.respond(HeadWriter(status: 200), body: ByteBuffer())
        #expect(busy.output.contains("Connection: close\r\n"))
        #expect(busy.hasEnded)
    }

    @Test func `a refusal after a HEAD request has its body`() throws {
        let server = try ServerHarness()
        server.receive("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = server.takeOutput()
        server.receive("[] / HTTP/1.1\r\n\r\n")
        #expect(server.output.hasSuffix("Content-Length: 2\r\nConnection: close\r\n\r\nno"))
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import Wire

/// Exchanges of a server connection: keeping and closing, order, bodies and their absence, expectations.
@Suite struct ServerConnectionTests {
    @Test func `a request is answered and the connection kept`() throws {
        let server = try ServerHarness()
        server.receive("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.takeOutput() == "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok")
        server.receive("GET /again HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.statuses == [200])
        #expect(server.recorder.requests.map(\.start) == ["GET /hello", "GET /again"])
        #expect(!server.hasEnded)
    }

    @Test(arguments: [
        // What the client says, and whether the connection is kept (RFC 9112 section 9.3).
        ("1.1", "", true),
        ("1.1", "Connection: close\r\n", false),
        ("1.1", "Connection: CLOSE\r\n", false),
        ("1.1", "Connection: x, close\r\n", false),
        ("1.1", "Connection: keep-alive\r\nConnection: close\r\n", false),
        ("1.0", "", false),
        ("1.0", "Connection: keep-alive\r\n", true),
        ("1.0", "Connection: Keep-Alive\r\n", true),
        ("1.0", "Connection: keep-alive, close\r\n", false),
    ])
    func `the connection is kept as the client asks`(version: String, field: String, isKept: Bool) throws {
        let server = try ServerHarness()
        server.receive("GET / HTTP/\(version)\r\nHost: a\r\n\(field)\r\n")
        #expect(server.output.contains(isKept ? "Connection: keep-alive\r\n" : "Connection: close\r\n"))
        #expect(server.output.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(server.hasEnded == !isKept)
        #expect(server.recorder.log == ["head GET /", "end", "exchange ended"])
    }

    @Test func `the next request is not read before the response to this one is complete`() throws {
        let server = try ServerHarness { $0.onEnd = { _ in } }
        server.receive("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.recorder.log == ["head GET /1", "end"])
        server.connection.send(HeadWriter(status: 200), framing: .length(2))
        server.connection.send(body: ByteBuffer(string: "ok"))
        server.connection.flush()
        #expect(server.recorder.log == ["head GET /1", "end"])
        server.connection.sendEnd()
        #expect(server.recorder.log == ["head GET /1", "end", "exchange ended", "head GET /2", "end"])
    }

    @Test func `a thousand requests at once are answered in order, without recursion`() throws {
        let server = try ServerHarness()
        server.receive((1...1000).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
        #expect(server.recorder.requests.map(\.start) == (1...1000).map { "GET /\($0)" })
        #expect(server.statuses.count == 1000)
    }

    @Test func `what is sent far ahead is not read`() throws {
        let server = try ServerHarness { $0.onEnd = { _ in } }
        server.receive("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in 0..<200 { server.receive(String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: 40)) }
        #expect(server.unread > 60 * 1024)
        server.recorder.onEnd = { $0.respond(HeadWriter(status: 204), body: ByteBuffer()) }
        server.connection.respond(HeadWriter(status: 204), body: ByteBuffer())
        server.pump()
        #expect(server.unread == 0)
        #expect(server.recorder.requests.count == 8001)
    }

    @Test(arguments: [
        // Method, status, body as the delegate sends it, and what leaves after the status line.
        ("HEAD", 200, "hello", "Content-Length: 5\r\nConnection: keep-alive\r\n\r\n"),
        ("HEAD", 404, "", "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n"),
        ("GET", 204, "", "Connection: keep-alive\r\n\r\n"),
        ("GET", 204, "hello", "Connection: keep-alive\r\n\r\n"),
        ("GET", 304, "", "Connection: keep-alive\r\n\r\n"),
        ("GET", 200, "", "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n"),
        ("GET", 500, "hello", "Content-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"),
    ])
    func `some responses have no body`(method: String, status: Int, body: String, rest: String) throws {
        let server = try ServerHarness {
            $0.onEnd = { $0.respond(HeadWriter(status: status), body: ByteBuffer(string: body)) }
        }
        server.receive("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.output == "HTTP/1.1 \(status) \(reasonPhrase(of: status))\r\n\(rest)")
    }

    @Test(arguments: [
        ("HEAD", 200, "Content-Length: 7\r\n"), ("GET", 304, "Content-Length: 7\r\n"), ("GET", 204, ""),
    ])
    func `a length that a body would have is told, but no body sent`(method: String, status: Int, field: String) throws
    {
        let server = try ServerHarness {
            $0.onEnd = {
                $0.send(HeadWriter(status: status), framing: .length(7))
                $0.send(body: ByteBuffer(string: "dropped"))
                $0.sendEnd()
            }
        }
        server.receive("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.output.hasSuffix("\r\n\(field)Connection: keep-alive\r\n\r\n"))
        #expect(!server.hasEnded)
    }

    @Test(arguments: [
        // Version, framing as the delegate asks, bytes on the wire behind the status line, kept or not.
        ("1.1", BodyFraming.chunked, "Transfer-Encoding: chunked\r\n|5\r\nhello\r\n0\r\nA: b\r\n\r\n", true),
        ("1.1", .untilClose, "Transfer-Encoding: chunked\r\n|5\r\nhello\r\n0\r\nA: b\r\n\r\n", true),
        ("1.1", .length(5), "Content-Length: 5\r\n|hello", true),
        ("1.0", .chunked, "|hello", false),
        ("1.0", .untilClose, "|hello", false),
        ("1.0", .length(5), "Content-Length: 5\r\n|hello", true),
    ])
    func `a body is framed as the client's version can read it`(
        version: String, framing: BodyFraming, expected: String, isKept: Bool
    ) throws {
        let server = try ServerHarness {
            $0.onEnd = {
                $0.send(HeadWriter(status: 200), framing: framing)
                $0.send(body: ByteBuffer(string: "hello"))
                $0.sendEnd(trailers: Trailers([("A", "b")]))
            }
        }
        server.receive("GET / HTTP/\(version)\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
        let connection = isKept ? "keep-alive" : "close"
        let parts = expected.split(separator: "|", omittingEmptySubsequences: false)
        #expect(server.output == "HTTP/1.1 200 OK\r\n\(parts[0])Connection: \(connection)\r\n\r\n\(parts[1])")
        #expect(server.hasEnded == !isKept)
    }

    @Test func `bytes beyond the announced length are dropped and the connection closes`() throws {
        let server = try ServerHarness {
            $0.onEnd = {
                $0.send(HeadWriter(status: 200), framing: .length(2))
                $0.send(body: ByteBuffer(string: "ok and more"))
                $0.send(body: ByteBuffer(string: "still more"))
                $0.sendEnd()
            }
        }
        server.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.output.hasSuffix("\r\n\r\nok"))
        #expect(server.hasEnded)
    }

    @Test func `a response that falls short of its length ends with the connection`() throws {
        let server = try ServerHarness {
            $0.onEnd = {
                $0.send(HeadWriter(status: 200), framing: .length(5))
                $0.send(body: ByteBuffer(string: "ok"))
                $0.sendEnd()
            }
        }
        server.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.output.hasSuffix("\r\n\r\nok"))
        #expect(server.hasEnded)
    }

    @Test func `a large part of a body keeps its place among small ones`() throws {
        let large = String(repeating: "x", count: 100_000)
        let server = try ServerHarness {
            $0.onEnd = {
                $0.send(HeadWriter(status: 200), framing: .chunked)
                for part in ["a", large, "b"] { $0.send(body: ByteBuffer(string: part)) }
                $0.sendEnd()
            }
        }
        server.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.output.hasSuffix("\r\n\r\n1\r\na\r\n186a0\r\n\(large)\r\n1\r\nb\r\n0\r\n\r\n"))
    }

    @Test func `trailers reach the delegate`() throws {
        let server = try ServerHarness()
        server.receive(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\nC: d\r\n\r\n")
        #expect(server.recorder.requests.map(\.trailers) == [["A: b", "C: d"]])
        #expect(server.recorder.requests.map(\.body) == ["hi"])
    }

    @Test func `nothing that a delegate says in a trailer or a field ends its line`() throws {
        let server = try ServerHarness {
            $0.onEnd = {
                var head = HeadWriter(status: 200)
                head.add("A", "b\r\nInjected: c")
                $0.send(head, framing: .chunked)
                $0.sendEnd(trailers: Trailers([("D", "e\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")]))
            }
        }
        server.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.output.contains("\r\nA: b  Injected: c\r\n"))
        #expect(server.output.hasSuffix("0\r\nD: e    HTTP/1.1 200 OK    \r\n\r\n"))
    }

    @Test(
        arguments: [
            ("GET http://b.example/c?d HTTP/1.1\r\nHost: e", "b.example", "/c", "d"),
            ("GET http://b.example HTTP/1.1\r\nHost: e", "b.example", "/", nil),
            ("GET https://b:1?d HTTP/1.1\r\nHost: e", "b:1", "/", "d"),
            ("GET /c HTTP/1.1\r\nHost: e:2", "e:2", "/c", nil),
            ("GET /c? HTTP/1.1\r\nHost: e:2", "e:2", "/c", ""),
            ("OPTIONS * HTTP/1.1\r\nHost: e", "e", "", nil),
            ("CONNECT b:443 HTTP/1.1\r\nHost: e", "b:443", "", nil),
            ("GET / HTTP/1.0", "", "/", nil),
        ] as [(String, String, String, String?)])
    func `a target has authority, path and query`(
        request: String, authority: String, path: String, query: String?
    ) throws {
        var seen: [String?] = []
        let server = try ServerHarness {
            $0.onHead = { head, _ in seen = [head.text(head.authority), head.pathText, head.queryText] }
        }
        server.receive("\(request)\r\n\r\n")
        #expect(seen == [authority, path, query])
    }
}

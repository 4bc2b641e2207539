// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import Wire

/// A client connection: requests, responses, when it may be used again, how an exchange fails.
@Suite struct ClientConnectionTests {
    @Test(arguments: [
        ("GET", BodyFraming.none, "GET / HTTP/1.1\r\n\r\n"),
        ("POST", .none, "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
        ("PUT", .none, "PUT / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
        ("DELETE", .none, "DELETE / HTTP/1.1\r\n\r\n"),
        ("POST", .length(5), "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"),
        ("POST", .chunked, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n"),
        // A request cannot end with the connection.
        ("POST", .untilClose, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n"),
    ])
    func `a request is framed`(method: String, framing: BodyFraming, expected: String) throws {
        let client = try ClientHarness()
        client.begin(method, framing: framing)
        client.connection.send(body: ByteBuffer(string: "hello"))
        #expect(!client.connection.hasSentAll)
        client.connection.sendEnd(trailers: Trailers([("A", "b")]))
        #expect(client.connection.hasSentAll)
        #expect(client.output == expected)
    }

    @Test(arguments: [2, 8])
    func `a request that is not of its announced length fails and closes`(count: Int) throws {
        let client = try ClientHarness()
        client.begin("POST", framing: .length(5))
        client.connection.send(body: ByteBuffer(string: String(repeating: "x", count: count)))
        client.connection.sendEnd()
        #expect(client.recorder.failure == .cancelled)
        #expect(client.isClosed)
        #expect(!client.output.contains("xxxxxx"))
    }

    @Test(arguments: [
        // What the server answers, and whether another request may follow.
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true),
        ("HTTP/1.1 204 No Content\r\n\r\n", true),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x, Close\r\n\r\nhi", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!", false),
        ("HTTP/1.1 204 No Content\r\n\r\nbody", false),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true),
    ])
    func `a connection is used again only when nothing is in doubt`(response: String, isReusable: Bool) throws {
        let client = try ClientHarness()
        client.request()
        client.receive(response)
        #expect(client.recorder.response?.isComplete == true)
        #expect(client.recorder.log == ["end"])
        #expect(client.recorder.wasReusable == isReusable)
        #expect(client.isClosed == !isReusable)
        #expect(client.closeCount == (isReusable ? 0 : 1))
        guard isReusable else { return }
        client.request()
        client.receive("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        #expect(client.recorder.response?.start == "201")
        #expect(client.connection.requestCount == 2)
    }

    @Test func `an answer before the request was sent makes the connection useless`() throws {
        let client = try ClientHarness()
        client.begin("POST", framing: .chunked)
        client.connection.send(body: ByteBuffer(string: "hello"))
        client.connection.flush()
        client.receive("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        #expect(client.recorder.response?.start == "413")
        #expect(client.recorder.wasReusable == false)
        #expect(client.isClosed)
        client.connection.send(body: ByteBuffer(string: "more"))
        client.connection.sendEnd()
        #expect(client.recorder.log == ["end"])
    }

    @Test func `interim responses are told apart from the final one`() throws {
        let client = try ClientHarness()
        client.request()
        client.receive("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        #expect(client.recorder.interim == [100, 103])
        #expect(client.recorder.response == nil)
        client.receive("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        #expect(client.recorder.response?.body == "hi")
    }

    @Test func `bytes that nobody asked for close an idle connection`() throws {
        for isFresh in [true, false] {
            let client = try ClientHarness()
            if !isFresh {
                client.request()
                client.receive("HTTP/1.1 204 No Content\r\n\r\n")
            }
            client.receive("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
            #expect(client.isClosed)
            #expect(!client.connection.isReusable)
            #expect(client.closeCount == 1)
        }
    }

    @Test(arguments: [true, false])
    func `a body without framing ends with the connection`(isHalfClosed: Bool) throws {
        let client = try ClientHarness()
        client.request()
        client.receive("HTTP/1.1 200 OK\r\n\r\nhel")
        client.receive("lo")
        #expect(client.recorder.response?.isComplete == false)
        if isHalfClosed { client.endInput() } else { client.disconnect() }
        #expect(client.recorder.response?.body == "hello")
        #expect(client.recorder.response?.isComplete == true)
        #expect(client.recorder.log == ["end"])
        #expect(client.recorder.wasReusable == false)
        #expect(client.isClosed)
        #expect(client.closeCount == 1)
    }

    @Test(arguments: [
        "", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
    ])
    func `an early close is a failure`(bytes: String) throws {
        for isHalfClosed in [true, false] {
            let client = try ClientHarness()
            client.request()
            if !bytes.isEmpty { client.receive(bytes) }
            #expect(client.connection.hasResponseBytes == !bytes.isEmpty)
            if isHalfClosed { client.endInput() } else { client.disconnect() }
            #expect(client.recorder.failure == .closed)
            #expect(client.recorder.log == ["failed closed"])
            #expect(client.isClosed)
            #expect(client.closeCount == 1)
        }
    }

    @Test func `a reset is told from a close, also of a body without framing`() throws {
        for response in ["", "HTTP/1.1 200 OK\r\n\r\nhel", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"] {
            let client = try ClientHarness()
            client.request()
            client.receive(response)
            client.channel.pipeline.fireErrorCaught(IOError(errnoCode: 104, reason: "read"))
            client.disconnect()
            #expect(client.recorder.log == ["failed reset"])
        }
    }

    @Test func `an idle connection that the server closes is forgotten`() throws {
        let client = try ClientHarness()
        client.endInput()
        #expect(client.isClosed)
        #expect(client.closeCount == 1)
        #expect(!client.connection.isReusable)
    }

    // MARK: Pausing

    @Test(arguments: [true, false])
    func `a close during a pause is told after what came before it`(isWhole: Bool) throws {
        let client = try ClientHarness()
        client.request()
        client.recorder.onHead = { $0.pauseReading() }
        client.receive("HTTP/1.1 200 OK\r\nContent-Length: \(isWhole ? 5 : 9)\r\n\r\nhello")
        client.disconnect()
        #expect(client.recorder.log.isEmpty)
        #expect(client.recorder.bodyBytes == 0)
        client.connection.resumeReading()
        #expect(client.recorder.response?.body == "hello")
        #expect(client.recorder.log == [isWhole ? "end" : "failed closed"])
        #expect(client.recorder.wasReusable != true)
        #expect(client.closeCount == 1)
    }

    @Test func `a body without framing that ends during a pause is whole`() throws {
        let client = try ClientHarness()
        client.request()
        client.recorder.onHead = { $0.pauseReading() }
        client.receive("HTTP/1.1 200 OK\r\n\r\nhello")
        client.endInput()
        client.connection.resumeReading()
        #expect(client.recorder.response?.body == "hello")
        #expect(client.recorder.log == ["end"])
        #expect(client.isClosed)
    }

    @Test func `a pause ends with its exchange`() throws {
        let client = try ClientHarness()
        client.request()
        client.recorder.onHead = { $0.pauseReading() }
        client.receive("HTTP/1.1 204 No Content\r\n\r\n")
        client.request()
        client.receive("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(client.recorder.log == ["end"])
    }

    @Test func `after close nothing is told`() throws {
        let client = try ClientHarness()
        client.request()
        client.recorder.onBody = { _, connection in
            connection.pauseReading()
            connection.close()
        }
        client.receive("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n")
        client.connection.resumeReading()
        #expect(client.recorder.response?.body == "a")
        #expect(client.recorder.log.isEmpty)
        #expect(client.isClosed)
        #expect(client.closeCount == 1)
    }

    @Test func `a tunnel is not framed by its fields`() throws {
        let client = try ClientHarness()
        client.request("CONNECT")
        client.receive("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello")
        #expect(client.recorder.response?.body == "hello")
        #expect(client.recorder.log.isEmpty)
    }

    @Test func `a whole request goes out as it is, again and again, and nobody but the sender watches its time`() throws
    {
        let client = try ClientHarness()
        let bytes = ByteBuffer(string: "POST /a HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\nhi")
        for _ in 1...2 {
            client.connection.expire(after: .seconds(1))
            let recorder = ClientRecorder()
            client.connection.delegate = recorder
            client.connection.send(whole: bytes, method: .post)
            #expect(client.takeOutput() == String(buffer: bytes))
            client.advance(.hours(1))
            client.receive("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            #expect(recorder.response?.body == "ok" && recorder.response?.isComplete == true)
            #expect(client.connection.isReusable)
        }
        // The next one has timeouts again.
        client.request(read: .seconds(10))
        client.advance(.seconds(10))
        #expect(client.recorder.failure == .readTimedOut)
    }

    // MARK: Time

    @Test func `a response that does not come times out exactly`() throws {
        let client = try ClientHarness()
        client.request(read: .seconds(10))
        client.advance(.seconds(9))
        client.receive("HTTP/1.1 200 OK\r\n")
        client.advance(.nanoseconds(9_999_999_999))
        #expect(client.recorder.log.isEmpty)
        client.advance(.nanoseconds(1))
        #expect(client.recorder.log == ["failed readTimedOut"])
        #expect(client.isClosed)
    }

    @Test func `a server that takes nothing times out exactly`() throws {
        let client = try ClientHarness()
        client.begin("POST", framing: .chunked, read: .seconds(10), write: .seconds(5))
        client.setWritable(false)
        client.advance(.nanoseconds(4_999_999_999))
        #expect(client.recorder.log == ["writable false"])
        client.advance(.nanoseconds(1))
        #expect(client.recorder.log == ["writable false", "failed writeTimedOut"])
    }

    @Test func `waiting for more of the request from the delegate is no one's timeout`() throws {
        let client = try ClientHarness()
        client.begin("POST", framing: .chunked, read: .seconds(10), write: .seconds(5))
        client.connection.flush()
        client.advance(.hours(1))
        #expect(client.recorder.log.isEmpty)
        client.connection.sendEnd()
        client.advance(.seconds(10))
        #expect(client.recorder.log == ["failed readTimedOut"])
    }

    @Test func `a whole request that the server does not take is a write timeout`() throws {
        let client = try ClientHarness()
        client.setWritable(false)
        client.request(read: .seconds(10), write: .seconds(5))
        client.advance(.seconds(5))
        #expect(client.recorder.failure == .writeTimedOut)
    }

    @Test func `the time for reading does not run while the delegate has paused`() throws {
        let client = try ClientHarness()
        client.request(read: .seconds(10))
        client.receive("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
        client.connection.pauseReading()
        client.advance(.hours(1))
        #expect(client.recorder.log.isEmpty)
        client.connection.resumeReading()
        client.advance(.nanoseconds(9_999_999_999))
        #expect(client.recorder.log.isEmpty)
        client.advance(.nanoseconds(1))
        #expect(client.recorder.log == ["failed readTimedOut"])
    }

    @Test func `an idle connection expires, and a request puts that off`() throws {
        let client = try ClientHarness()
        client.connection.expire(after: .seconds(60))
        client.advance(.seconds(59))
        client.request(read: .seconds(600))
        client.advance(.seconds(599))
        #expect(!client.isClosed)
        client.receive("HTTP/1.1 204 No Content\r\n\r\n")
        client.connection.expire(after: .seconds(60))
        client.advance(.nanoseconds(59_999_999_999))
        #expect(!client.isClosed)
        client.advance(.nanoseconds(1))
        #expect(client.isClosed)
        #expect(client.closeCount == 1)
    }
}

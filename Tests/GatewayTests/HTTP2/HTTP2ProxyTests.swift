// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Synchronization
import Testing

/// A gateway whose plain listener takes HTTP/2 with prior knowledge.
func http2Gateway(
    _ config: String? = nil, _ configure: (inout GatewaySettings) -> Void = { _ in }
) throws -> RunningGateway {
    try RunningGateway(config) { settings in
        settings.proxyListeners = [ListenerSettings(.loopback(port: 0), speaksHTTP2: true)]
        configure(&settings)
    }
}

extension RunningGateway {
    func http2(limit: Int32 = 10_000) throws -> RawHTTP2 { try RawHTTP2(client: try connect(limit: limit)) }
}

/// A number that threads add to.
final class Counter: Sendable {
    private let number = Atomic(0)
    var value: Int { number.load(ordering: .relaxed) }
    func add(_ count: Int) { number.wrappingAdd(count, ordering: .relaxed) }
}

extension LoopbackTests {
    /// HTTP/2 towards clients: what is proxied, and how.
    @Suite struct HTTP2ProxyTests {
        @Test func `a stream is proxied as a request of its own`() throws {
            let upstream = try ScriptedUpstream {
                try $0.answerAll(
                    "HTTP/1.1 201 Made\r\nContent-Length: 2\r\nX-Own: A\r\nConnection: keep-alive\r\n\r\nok")
            }
            let gateway = try http2Gateway(serviceYAML(port: upstream.port, path: "/base"))
            let client = try gateway.http2()
            try client.request(
                "PUT", "/x?y=%20", fields: [("x-own", "b"), ("cookie", "a=1"), ("cookie", "b=2")], on: 1, body: "hello")
            let answer = try client.message(1)
            #expect(answer.status == 201)
            #expect(answer["x-own"] == "A")
            #expect(answer["content-length"] == "2")
            #expect(answer.text == "ok")
            #expect(answer["via"] == "1.1 kong/3.10.0")
            #expect(answer["x-kong-proxy-latency"] != nil)
            #expect(answer["x-kong-request-id"]?.utf8.count == 32)
            for name in ["connection", "keep-alive", "transfer-encoding"] { #expect(answer[name] == nil) }
            let request = try #require(upstream.requests.first)
            #expect(request.startLine == "PUT /base/x?y=%20 HTTP/1.1")
            #expect(request["Host"] == "127.0.0.1:\(upstream.port)")
            #expect(request["X-Forwarded-Host"] == "a.example")
            #expect(request["Via"] == "2 kong/3.10.0")
            #expect(request["cookie"] == "a=1; b=2")
            #expect(request["x-own"] == "b")
            // It came whole before it went on.
            #expect(request["Content-Length"] == "5")
            #expect(request.text == "hello")
        }

        @Test func `a body with a length keeps it`() throws {
            let upstream = try ScriptedUpstream()
            let gateway = try http2Gateway(serviceYAML(port: upstream.port))
            let client = try gateway.http2()
            try client.request("POST", fields: [("content-length", "5")], on: 1, end: false)
            try client.send(data: "hel", on: 1)
            try client.send(data: "lo", on: 1, end: true)
            #expect(try client.message(1).status == 200)
            #expect(upstream.requests.first?["Content-Length"] == "5")
            #expect(upstream.requests.first?.text == "hello")
        }

        @Test func `many streams of a connection are under way at the same time`() throws {
            let upstream = try ScriptedUpstream { connection in
                while let request = try connection.request() {
                    // The first one waits until all have come.
                    if request.path == "/0" { _ = connection.socket.ends(within: 300) }
                    try connection.socket.send(ScriptedUpstream.ok)
                }
            }
            let gateway = try http2Gateway(serviceYAML(port: upstream.port))
            let client = try gateway.http2()
            for number in 0..<50 { try client.request("GET", "/\(number)", on: UInt32(2 * number + 1)) }
            var order: [UInt32] = []
            while order.count < 50, let frame = try client.frame() {
                if frame.kind == .headers { #expect(try client.fields(frame).first?.value == "200") }
                if frame.endsStream { order.append(frame.stream) }
            }
            #expect(order.count == 50)
            #expect(order.last == 1)
            #expect(try gateway.serverStatus()["connections_accepted"] == 1)
        }

        @Test(arguments: [("HEAD", 200), ("GET", 204), ("GET", 304), ("GET", 404)])
        func `answers without a body end with their head`(method: String, status: Int) throws {
            let body = method == "HEAD" ? "" : status == 404 ? "Content-Length: 0\r\n" : ""
            let length = method == "HEAD" ? "Content-Length: 10\r\n" : body
            let upstream = try ScriptedUpstream { connection in
                while try connection.request() != nil {
                    try connection.socket.send("HTTP/1.1 \(status) X\r\n\(length)\r\n")
                }
            }
            let gateway = try http2Gateway(serviceYAML(port: upstream.port))
            let client = try gateway.http2()
            for stream in [1, 3] as [UInt32] {
                try client.request(method, on: stream)
                let frame = try #require(try client.frame(of: stream))
                #expect(frame.endsStream)
                let fields = try client.fields(frame)
                #expect(fields.first?.value == "\(status)")
                #expect(
                    fields.first { $0.name == "content-length" }?.value
                        == (method == "HEAD" ? "10" : status == 404 ? "0" : nil))
            }
        }

        @Test func `trailers pass both ways when the client understands them`() throws {
            let upstream = try ScriptedUpstream {
                try $0.answerAll(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-End: 1\r\n\r\n")
            }
            let gateway = try http2Gateway(serviceYAML(port: upstream.port))
            let client = try gateway.http2()
            try client.request("POST", fields: [("te", "trailers")], on: 1, body: "hello", end: false)
            try client.send(headers: [("x-sum", "9")], on: 1, end: true)
            let answer = try client.message(1)
            #expect(answer.text == "ok")
            #expect(answer.trailer("x-end") == "1")
            #expect(upstream.requests.first?.trailers == ["x-sum: 9"])
            #expect(upstream.requests.first?["TE"] == "trailers")
        }

        @Test func `a failed try is made again, and an error page says what the client accepts`() throws {
            let upstream = try ScriptedUpstream { connection in
                if connection.number == 1 { return }
                try connection.answerAll()
            }
            let refusing = try refusingPort()
            let gateway = try http2Gateway(
                """
                _format_version: "3.0"
                services:
                - {name: api, url: "http://127.0.0.1:\(upstream.port)", routes: [{paths: [/good]}]}
                - {name: bad, url: "http://127.0.0.1:\(refusing)", retries: 1, routes: [{paths: [/bad]}]}
                """)
            let client = try gateway.http2()
            try client.request("GET", "/good", on: 1)
            #expect(try client.message(1).status == 200)
            try client.request("GET", "/bad", fields: [("accept", "application/json")], on: 3)
            let answer = try client.message(3)
            #expect(answer.status == 502)
            #expect(answer["content-type"] == "application/json; charset=utf-8")
            #expect(answer.text.contains("An invalid response was received from the upstream server"))
            try client.request("GET", "/none", on: 5)
            #expect(try client.message(5).text.contains("no Route matched with those values"))
        }

        @Test func `a client that resets a stream cancels the request upstream`() throws {
            let upstream = try ScriptedUpstream { connection in
                guard try connection.request() != nil else { return }
                try connection.socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
                _ = try connection.socket.everything()
            }
            let gateway = try http2Gateway(serviceYAML(port: upstream.port))
            let client = try gateway.http2()
            try client.request(on: 1)
            #expect(try client.frame(of: 1)?.kind == .headers)
            #expect(upstream.openCount == 1)
            try client.reset(1)
            #expect(eventually { upstream.openCount == 0 })
            // The connection goes on.
            try client.request("GET", "/none", host: "x", on: 3)
            #expect(try client.frame(of: 3)?.kind == .headers)
        }

        @Test func `an upstream that breaks off resets the stream, not the connection`() throws {
            let upstream = try ScriptedUpstream { connection in
                guard try connection.request() != nil else { return }
                try connection.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel")
            }
            let gateway = try http2Gateway(serviceYAML(port: upstream.port))
            let client = try gateway.http2()
            for stream in [1, 3] as [UInt32] {
                try client.request(on: stream)
                let answer = try client.message(stream)
                #expect(answer.status == 200)
                #expect(answer.text == "hel")
                #expect(answer.resetCode == 2)
            }
        }

        @Test func `an early answer calls off the rest of the request`() throws {
            let upstream = try ScriptedUpstream { connection in
                guard try connection.socket.messageHead() != nil else { return }
                try connection.socket.send("HTTP/1.1 413 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
                _ = try connection.socket.everything()
            }
            let gateway = try http2Gateway(serviceYAML(port: upstream.port, routes: unbufferedRoute))
            let client = try gateway.http2()
            try client.request("POST", on: 1, body: "the beginning", end: false)
            let answer = try client.message(1)
            #expect(answer.status == 413)
            #expect(answer.text == "no")
            let reset = try #require(try client.frame(of: 1))
            #expect(reset.kind == .reset)
            #expect(reset.word(at: 0) == 0)
        }

        @Test func `a body comes only as fast as the client opens its window`() throws {
            let size = 4 * 1024 * 1024
            let upstream = try ScriptedUpstream { connection in
                guard try connection.request() != nil else { return }
                try connection.socket.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                let part = [UInt8](repeating: 0x61, count: 64 * 1024)
                for _ in 0..<(size / part.count) { try connection.socket.send(part) }
            }
            let gateway = try http2Gateway(serviceYAML(port: upstream.port))
            let client = try gateway.http2()
            try client.request(on: 1)
            #expect(try client.frame(of: 1)?.kind == .headers)
            var (received, frames) = (0, 0)
            while received < size, let frame = try client.frame(of: 1) {
                received += frame.payload.count
                frames += 1
                let count = UInt32(frame.payload.count)
                if count == 0 { continue }
                try client.openWindow(count, on: 0)
                if !frame.endsStream { try client.openWindow(count, on: 1) }
            }
            #expect(received == size)
            #expect(frames > size / 16_384)
        }

        @Test func `a client that takes nothing holds its upstream back, and no other stream`() throws {
            let size = 16 * 1024 * 1024
            let sent = Counter()
            let upstream = try ScriptedUpstream { connection in
                guard let request = try connection.request() else { return }
                if request.path == "/small" { return try connection.socket.send(ScriptedUpstream.ok) }
                try connection.socket.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                let part = [UInt8](repeating: 0x61, count: 64 * 1024)
                for _ in 0..<(size / part.count) {
                    try connection.socket.send(part)
                    sent.add(part.count)
                }
            }
            let gateway = try http2Gateway(serviceYAML(port: upstream.port))
            let client = try gateway.http2()
            // The connection has room for another stream; the first one has not.
            try client.openWindow(1 << 20, on: 0)
            try client.request(on: 1)
            #expect(try client.frame(of: 1)?.kind == .headers)
            try client.request("GET", "/small", on: 3)
            #expect(try client.message(3).text == "ok")
            // Kernel buffers of two sockets and 256 KiB of the gateway are all that was taken from the upstream.
            var before = -1
            #expect(
                eventually {
                    defer { before = sent.value }
                    return sent.value > 0 && sent.value == before
                })
            #expect(sent.value < size / 2)
        }

        @Test func `an upload comes only as fast as the upstream takes it`() throws {
            let size = 8 * 1024 * 1024
            let upstream = try ScriptedUpstream { connection in
                guard try connection.socket.messageHead() != nil else { return }
                _ = try connection.socket.drop(size)
                try connection.socket.send(ScriptedUpstream.ok)
            }
            let gateway = try http2Gateway(serviceYAML(port: upstream.port))
            let client = try gateway.http2()
            try client.request("POST", fields: [("content-length", "\(size)")], on: 1, end: false)
            // As much as the windows allow, and no byte beyond: the gateway would end the connection.
            var (left, stream, connection) = (size, 64 * 1024, 65_535)
            let part = 16 * 1024
            while left > 0 {
                while min(stream, connection) < min(part, left) {
                    let update = try client.windowUpdate()
                    if update.stream == 0 { connection += update.count } else { stream += update.count }
                }
                let count = min(part, left)
                try client.send(data: [UInt8](repeating: 0x61, count: count), on: 1, end: count == left)
                (left, stream, connection) = (left - count, stream - count, connection - count)
            }
            #expect(try client.message(1).status == 200)
        }

        @Test func `100-continue is answered before the body comes`() throws {
            let upstream = try ScriptedUpstream()
            let gateway = try http2Gateway(serviceYAML(port: upstream.port))
            let client = try gateway.http2()
            try client.request("POST", fields: [("expect", "100-continue")], on: 1, end: false)
            let interim = try #require(try client.frame(of: 1))
            #expect(try client.fields(interim).first?.value == "100")
            try client.send(data: "hello", on: 1, end: true)
            #expect(try client.message(1).status == 200)
            #expect(upstream.requests.first?["expect"] == nil)
        }

        @Test func `HTTP/1.1 is served on the same port, however its bytes come`() throws {
            let upstream = try ScriptedUpstream()
            let gateway = try http2Gateway(serviceYAML(port: upstream.port))
            #expect(try gateway.get("/").status == 200)
            let socket = try gateway.connect()
            for byte in "PRI / HTTP/1.1\r\nHost: a\r\n\r\n".utf8 { try socket.send([byte]) }
            #expect(try socket.message()?.status == 200)
            #expect(upstream.requests.last?.startLine == "PRI / HTTP/1.1")
            let http2 = try gateway.connect()
            for byte in RawHTTP2.preface.utf8.prefix(20) { try http2.send([byte]) }
            try http2.send(Array(RawHTTP2.preface.utf8.dropFirst(20)) + RawFrame(kind: .settings).bytes)
            let frame = try http2.bytes(9)
            #expect(frame[3] == RawFrame.Kind.settings.rawValue)
        }

        @Test func `a stop lets open streams finish and takes no new ones`() throws {
            let upstream = try ScriptedUpstream { connection in
                guard try connection.request() != nil else { return }
                _ = connection.socket.ends(within: 300)
                try connection.socket.send(ScriptedUpstream.ok)
            }
            let gateway = try http2Gateway(serviceYAML(port: upstream.port))
            let client = try gateway.http2()
            let idle = try gateway.http2()
            try idle.request("GET", "/", host: "x", on: 1)
            #expect(try idle.message(1).status == 200)
            try client.request(on: 1)
            #expect(eventually { upstream.requests.count == 2 })
            let stopped = gateway.gateway.stop()
            let answer = try client.message(1)
            #expect(answer.text == "ok")
            try client.drain()
            #expect(client.goAway?.code == 0)
            #expect(client.goAway?.lastStream == 1)
            try idle.drain()
            #expect(idle.goAway?.code == 0)
            try stopped.wait()
        }

        @Test func `a stop does not wait longer than it may for streams`() throws {
            let upstream = try ScriptedUpstream { connection in
                while let request = try connection.request() {
                    if request.path != "/never" { try connection.socket.send(ScriptedUpstream.ok) }
                }
            }
            let gateway = try http2Gateway(serviceYAML(port: upstream.port)) { $0.drain = .milliseconds(700) }
            let client = try gateway.http2()
            try client.request("GET", "/never", on: 1)
            try client.request("GET", "/now", on: 3)
            #expect(try client.message(3).status == 200)
            #expect(eventually { upstream.requests.count == 2 })
            let took = try elapsed { try gateway.gateway.stop().wait() }
            #expect(took >= 700 && took < 3000, "\(took) ms")
            try client.drain()
            #expect(client.goAway?.code == 0)
            #expect(client.goAway?.lastStream == 3)
        }

        @Test func `a stop ends a stream that is under way both ways, with all of its frames`() throws {
            let upstream = try ScriptedUpstream { connection in
                guard let request = try connection.request() else { return }
                try connection.socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
                _ = connection.socket.ends(within: 200)
                let size = String(request.body.count, radix: 16)
                try connection.socket.send("\(size)\r\n\(request.text)\r\n0\r\n\r\n")
            }
            let gateway = try http2Gateway(serviceYAML(port: upstream.port, routes: unbufferedRoute))
            let client = try gateway.http2()
            try client.request("POST", on: 1, body: "some", end: false)
            // The request is under way; the gateway says that it stops.
            #expect(eventually { upstream.openCount == 1 })
            let stopped = gateway.gateway.stop()
            try client.awaitGoAway()
            // Its rest is still taken, another stream is not.
            try client.request("GET", "/other", on: 3)
            try client.send(data: " more", on: 1, end: true)
            #expect(try client.message(1).text == "oksome more")
            try client.drain()
            #expect(client.goAway?.code == 0)
            #expect(upstream.requests.count == 1)
            try stopped.wait()
        }

        @Test func `a connection without streams ends after its idle time`() throws {
            let gateway = try http2Gateway { $0.timeouts.idle = .milliseconds(100) }
            let client = try gateway.http2()
            try client.request(on: 1)
            #expect(try client.message(1).status == 404)
            try client.drain()
            #expect(client.goAway?.code == 0)
        }
    }
}

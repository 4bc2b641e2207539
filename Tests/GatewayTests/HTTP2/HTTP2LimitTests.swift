// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Testing
import World

extension LoopbackTests {
    /// HTTP/2 clients that break rules or ask for too much: the stream or the connection ends with the right code, and
    /// the gateway goes on.
    @Suite struct HTTP2LimitTests {
        private enum Code {
            static let protocolError: UInt32 = 1
            static let flowControl: UInt32 = 3
            static let frameSize: UInt32 = 6
            static let refusedStream: UInt32 = 7
            static let enhanceYourCalm: UInt32 = 11
        }

        /// The code of GOAWAY after which the connection ended.
        private func end(_ client: RawHTTP2) throws -> UInt32? {
            try client.drain()
            return client.goAway?.code
        }

        /// Whether another client gets its answer.
        private func isServed(_ gateway: RunningGateway, status: Int = 200) throws -> Bool {
            let client = try gateway.http2()
            try client.request(on: 1)
            return try client.message(1).status == status
        }

        @Test func `the limits are announced`() throws {
            let gateway = try http2Gateway { $0.http2.concurrentStreams = 7 }
            let client = try gateway.http2()
            try client.request(on: 1)
            _ = try client.message(1)
            // MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_HEADER_LIST_SIZE.
            #expect(client.settings == [3: 7, 4: 65_536, 6: 65_536])
        }

        /// An upstream that keeps requests of `/held` waiting until `released` says so.
        private func holdingUpstream(_ released: Counter) throws -> ScriptedUpstream {
            try ScriptedUpstream { connection in
                while let request = try connection.request() {
                    if request.path == "/held" { _ = eventually { released.value > 0 } }
                    try connection.socket.send(ScriptedUpstream.ok)
                }
            }
        }

        @Test func `a stream beyond the most is refused, and the connection goes on`() throws {
            let released = Counter()
            let upstream = try holdingUpstream(released)
            let gateway = try http2Gateway(serviceYAML(port: upstream.port)) { $0.http2.concurrentStreams = 3 }
            let client = try gateway.http2()
            try client.settle()
            for stream in [1, 3, 5] as [UInt32] { try client.request("GET", "/held", on: stream) }
            for stream in [7, 9] as [UInt32] {
                try client.request("POST", on: stream, body: "sent before the answer came")
                let answer = try client.message(stream)
                #expect(answer.resetCode == Code.refusedStream)
                #expect(answer.fields.isEmpty)
            }
            released.add(1)
            for stream in [1, 3, 5] as [UInt32] { #expect(try client.message(stream).status == 200) }
            // There is room again.
            try client.request(on: 11)
            #expect(try client.message(11).status == 200)
            #expect(client.goAway == nil)
            #expect(upstream.requests.count == 4)
        }

        @Test func `a flood of streams beyond the most ends the connection`() throws {
            let released = Counter()
            let upstream = try holdingUpstream(released)
            let gateway = try http2Gateway(serviceYAML(port: upstream.port)) {
                $0.http2.concurrentStreams = 1
                $0.http2.resets = 20
            }
            let client = try gateway.http2()
            for stream in stride(from: 1, to: 200, by: 2) as StrideTo<UInt32> {
                try? client.request("GET", "/held", on: stream)
            }
            #expect(try end(client) == Code.enhanceYourCalm)
            released.add(1)
            #expect(try isServed(gateway))
        }

        @Test func `rapid reset ends the connection`() throws {
            let upstream = try ScriptedUpstream()
            let gateway = try http2Gateway(serviceYAML(port: upstream.port)) { $0.http2.resets = 50 }
            let client = try gateway.http2()
            var stream: UInt32 = 1
            // Sending fails when the connection has ended, which is what is wanted.
            while stream < 400 {
                try? client.request(on: stream)
                try? client.reset(stream)
                stream += 2
            }
            #expect(try end(client) == Code.enhanceYourCalm)
            #expect(try isServed(gateway))
        }

        @Test(arguments: ["PING", "SETTINGS", "PRIORITY"])
        func `a flood of control frames ends the connection`(kind: String) throws {
            let gateway = try http2Gateway { $0.http2.controlFrames = 50 }
            let client = try gateway.http2()
            let frame =
                switch kind {
                case "PING": RawFrame(kind: .ping, payload: [UInt8](repeating: 1, count: 8))
                case "SETTINGS": RawFrame(kind: .settings)
                default: RawFrame(kind: .priority, stream: 3, payload: [0, 0, 0, 0, 1])
                }
            for _ in 0..<200 { try? client.send(frame) }
            #expect(try end(client) == Code.enhanceYourCalm)
            #expect(try isServed(gateway, status: 404))
        }

        @Test func `a flood of CONTINUATION ends the connection`() throws {
            let gateway = try http2Gateway()
            let client = try gateway.http2()
            let block = RawHTTP2.block([(":method", "GET"), (":scheme", "http"), (":path", "/")])
            try client.send(RawFrame(kind: .headers, flags: RawFrame.endStream, stream: 1, payload: block))
            for number in 0..<100 {
                let more = RawHTTP2.block([("x-\(number)", "y")])
                try? client.send(RawFrame(kind: .continuation, stream: 1, payload: more))
            }
            #expect(try end(client) == Code.enhanceYourCalm)
            #expect(try isServed(gateway, status: 404))
        }

        @Test func `a flood of empty DATA ends the connection`() throws {
            let upstream = try ScriptedUpstream()
            let gateway = try http2Gateway(serviceYAML(port: upstream.port))
            let client = try gateway.http2()
            try client.request("POST", on: 1, end: false)
            for _ in 0..<50 { try? client.send(data: "", on: 1) }
            #expect(try end(client) == Code.enhanceYourCalm)
        }

        @Test(arguments: [(100, 400), (9000, 400), (200_000, nil)] as [(Int, Int?)])
        func `a head that is too long is refused, one far too long ends the connection`(
            bytes: Int, status: Int?
        ) throws {
            let gateway = try http2Gateway()
            let client = try gateway.http2()
            // Too many fields, one too long, or all together too much.
            var fields: [(String, String)] = []
            if bytes == 100 {
                fields = (0..<120).map { ("x-\($0)", "y") }
            } else if bytes == 9000 {
                fields = [("x-long", String(repeating: "a", count: bytes))]
            } else {
                fields = (0..<25).map { ("x-\($0)", String(repeating: "a", count: 8000)) }
            }
            let all = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")] + fields
            var block = RawHTTP2.block(all)[...]
            var isFirst = true
            while !block.isEmpty {
                let part = Array(block.prefix(16_000))
                block = block.dropFirst(16_000)
                let flags = (block.isEmpty ? RawFrame.endHeaders : 0) | (isFirst ? RawFrame.endStream : 0)
                let kind = isFirst ? RawFrame.Kind.headers : .continuation
                try? client.send(RawFrame(kind: kind, flags: flags, stream: 1, payload: part))
                isFirst = false
            }
            if let status {
                #expect(try client.message(1).status == status)
            } else {
                #expect(try end(client) != nil)
            }
            #expect(try isServed(gateway, status: 404))
        }

        @Test(
            arguments: [
                // frames after the preface, the code that ends the connection
                ("DATA without a stream", RawFrame(kind: .data, stream: 1, payload: [1]), Code.protocolError),
                ("HEADERS on stream 0", RawFrame(kind: .headers, flags: 5, stream: 0, payload: []), Code.protocolError),
                ("HEADERS on an even stream", RawFrame(kind: .headers, flags: 5, stream: 2, payload: []), nil),
                ("a PING that is too short", RawFrame(kind: .ping, payload: [1]), Code.frameSize),
                (
                    "a bad header block", RawFrame(kind: .headers, flags: 5, stream: 1, payload: [0xff, 0xff, 0xff]),
                    nil
                ),
                (
                    "a window that overflows", RawFrame(kind: .windowUpdate, payload: [0x7f, 0xff, 0xff, 0xff]),
                    Code.flowControl
                ),
                ("PUSH_PROMISE", RawFrame(kind: .push, flags: 4, stream: 1, payload: [0, 0, 0, 2]), nil),
            ] as [(String, RawFrame, UInt32?)])
        func `frames that nobody may send end the connection`(name: String, frame: RawFrame, code: UInt32?) throws {
            let gateway = try http2Gateway()
            let client = try gateway.http2()
            try client.send(frame)
            let found = try end(client)
            #expect(found != nil)
            if let code { #expect(found == code, "\(name)") }
            #expect(try isServed(gateway, status: 404))
        }

        @Test(arguments: [
            [(":method", "GET"), (":path", "/")],
            [(":method", "GET"), (":scheme", "http"), (":path", "")],
            [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":path", "/b")],
            [(":method", "GET"), (":scheme", "http"), ("x", "y"), (":path", "/")],
            [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("Upper", "y")],
            [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("connection", "close")],
            [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("transfer-encoding", "chunked")],
            [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("te", "gzip")],
            [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("x", "a\r\nb: c")],
            [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("x\r\nb", "c")],
            [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("x: y\u{0}", "c")],
            [(":method", "GET\r\nx: y"), (":scheme", "http"), (":path", "/")],
            [(":method", "POST"), (":scheme", "http"), (":path", "/"), ("content-length", "5")],
        ])
        func `a malformed request resets its stream and no other`(fields: [(String, String)]) throws {
            let upstream = try ScriptedUpstream()
            let gateway = try http2Gateway(serviceYAML(port: upstream.port))
            let client = try gateway.http2()
            try client.send(headers: fields, on: 1, end: true)
            #expect(try client.message(1).resetCode == Code.protocolError)
            try client.request(on: 3)
            #expect(try client.message(3).status == 200)
            #expect(upstream.requests.count == 1)
        }

        @Test(arguments: [
            // Well-formed for HTTP/2, and yet nothing that could be written as HTTP/1.1 in one way only.
            [(":path", "/ b"), (":authority", "a")], [(":path", "/"), (":authority", "a b")],
            [(":path", "/"), (":authority", "a"), ("host", "b")], [(":path", "/")],
            [(":path", "relative"), (":authority", "a")], [(":path", "/"), (":authority", "a"), ("x", "\u{1}")],
            [(":path", "/"), (":authority", "")],
        ])
        func `a request that HTTP/1.1 could not say is refused`(fields: [(String, String)]) throws {
            let upstream = try ScriptedUpstream()
            let gateway = try http2Gateway(serviceYAML(port: upstream.port))
            let client = try gateway.http2()
            try client.send(headers: [(":method", "GET"), (":scheme", "http")] + fields, on: 1, end: true)
            let answer = try client.message(1)
            #expect(answer.status == 400 || answer.resetCode == Code.protocolError)
            #expect(upstream.requests.isEmpty)
            #expect(try isServed(gateway))
        }

        @Test func `a body that is not as long as it says resets its stream`() throws {
            let upstream = try ScriptedUpstream()
            let gateway = try http2Gateway(serviceYAML(port: upstream.port))
            let client = try gateway.http2()
            try client.request("POST", fields: [("content-length", "3")], on: 1, body: "hello")
            #expect(try client.message(1).resetCode == Code.protocolError)
            try client.request("POST", fields: [("content-length", "30")], on: 3, body: "hello")
            #expect(try client.message(3).resetCode == Code.protocolError)
            #expect(try isServed(gateway))
        }

        @Test func `a client that sends beyond its window ends its connection`() throws {
            let upstream = try ScriptedUpstream { connection in
                _ = try connection.socket.messageHead()
                _ = connection.socket.ends(within: 5000)
            }
            let gateway = try http2Gateway(serviceYAML(port: upstream.port))
            let client = try gateway.http2()
            try client.request("POST", on: 1, end: false)
            let part = [UInt8](repeating: 0x61, count: 16_384)
            for _ in 0..<2000 { try? client.send(data: part, on: 1) }
            while let frame = try client.frame(), frame.kind != .reset {}
            #expect(client.goAway.map { $0.code == Code.flowControl } ?? true)
        }

        @Test func `CONNECT and TRACE are not allowed`() throws {
            let gateway = try http2Gateway()
            let client = try gateway.http2()
            try client.send(headers: [(":method", "CONNECT"), (":authority", "a:1")], on: 1, end: true)
            #expect(try client.message(1).status == 405)
            try client.request("TRACE", on: 3)
            #expect(try client.message(3).status == 405)
        }

        @Test func `random frames never end the gateway`() throws {
            let gateway = try http2Gateway()
            var random = RandomStreams(seed: 42).stream("frames")
            for _ in 0..<150 {
                let client = try gateway.http2(limit: 5000)
                for _ in 0..<6 {
                    let length = Int(random.next() % 40)
                    let frame = RawFrame(
                        kind: RawFrame.Kind(rawValue: UInt8(random.next() % 10)) ?? .data,
                        flags: UInt8(truncatingIfNeeded: random.next()), stream: UInt32(random.next() % 5),
                        payload: (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) })
                    try? client.send(frame)
                }
                client.socket.close()
            }
            #expect(try isServed(gateway, status: 404))
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Synchronization
import Testing

extension LoopbackTests {
    /// gRPC: HTTP/2 on both sides, streams both ways, trailers, errors as gRPC clients read them.
    @Suite struct GRPCTests {
        /// An upstream that speaks HTTP/2 and lets a test serve its connections.
        final class Upstream: Sendable {
            let scripted: ScriptedUpstream
            private let heads = Mutex<[[String: String]]>([])

            init(settings: [UInt8] = [], _ serve: @escaping @Sendable (RawHTTP2, Upstream?) throws -> Void) throws {
                let box = Box()
                scripted = try ScriptedUpstream { connection in
                    guard let http2 = try RawHTTP2(server: connection.socket, settings: settings) else { return }
                    try serve(http2, box.upstream.withLock { $0.value })
                }
                box.upstream.withLock { $0.value = self }
            }

            /// A weak reference that threads share.
            private final class Box: Sendable {
                struct Weak: Sendable { weak var value: Upstream? }
                let upstream = Mutex(Weak())
            }

            var port: Int { scripted.port }
            /// The fields of every request so far.
            var requests: [[String: String]] { heads.withLock { $0 } }
            func note(_ fields: [(name: String, value: String)]) {
                heads.withLock { $0.append(Dictionary(fields.map { ($0.name, $0.value) }) { one, _ in one }) }
            }
        }

        /// Answers each request with a message and the trailers of success once the request has ended.
        static let echo: @Sendable (RawHTTP2, Upstream?) throws -> Void = { http2, upstream in
            var bodies: [UInt32: [UInt8]] = [:]
            while let frame = try http2.frame() {
                switch frame.kind {
                case .headers: upstream?.note(try http2.fields(frame))
                case .data: bodies[frame.stream, default: []] += frame.payload
                default: continue
                }
                guard frame.endsStream else { continue }
                try http2.send(
                    headers: [(":status", "200"), ("content-type", "application/grpc")], on: frame.stream)
                try http2.send(data: bodies[frame.stream] ?? [], on: frame.stream)
                try http2.send(headers: [("grpc-status", "0"), ("x-end", "e")], on: frame.stream, end: true)
            }
        }

        static func config(
            _ port: Int, scheme: String = "grpc", fields: String = "", protocols: String = "grpc, grpcs"
        )
            -> String
        {
            """
            _format_version: "3.0"
            services:
            - name: api
              url: "\(scheme)://127.0.0.1:\(port)"\(fields)
              routes: [{protocols: [\(protocols)], paths: [/]}]
            """
        }

        static let call = [("content-type", "application/grpc"), ("te", "trailers")]
        /// A message of gRPC: not compressed, 5 bytes.
        static let hello = "\u{0}\u{0}\u{0}\u{0}\u{5}hello"

        @Test func `a call passes with its trailers, and calls share a connection`() throws {
            let upstream = try Upstream(Self.echo)
            let gateway = try http2Gateway(Self.config(upstream.port))
            let client = try gateway.http2()
            for stream in [1, 3, 5] as [UInt32] {
                try client.request("POST", "/pkg.Service/Call", fields: Self.call, on: stream, body: Self.hello)
            }
            for stream in [1, 3, 5] as [UInt32] {
                let answer = try client.message(stream)
                #expect(answer.status == 200)
                #expect(answer["content-type"] == "application/grpc")
                #expect(answer.text == Self.hello)
                #expect(answer.trailer("grpc-status") == "0")
                #expect(answer.trailer("x-end") == "e")
            }
            let request = try #require(upstream.requests.first)
            #expect(request[":path"] == "/pkg.Service/Call")
            #expect(request[":scheme"] == "http")
            #expect(request[":authority"] == "127.0.0.1:\(upstream.port)")
            #expect(request["te"] == "trailers")
            #expect(request["via"] == "2 kong/3.10.0")
            #expect(request["connection"] == nil)
            #expect(upstream.scripted.connectionCount == 1)
        }

        @Test func `grpcs is agreed on by ALPN on both sides`() throws {
            let upstream = try Upstream(Self.echo)
            let issued = try TestCertificates.issue(["127.0.0.1"])
            let bridge = try TLSBridge(before: upstream.port, chain: issued.chain, key: issued.key) {
                $0.applicationProtocols = ["h2"]
            }
            let gateway = try tlsGateway(Self.config(bridge.port, scheme: "grpcs"))
            let outer = try TLSBridge(toward: gateway.tlsPort, name: "a") { $0.applicationProtocols = ["h2"] }
            let client = try RawHTTP2(client: try RawSocket.connect(port: outer.port))
            try client.request("POST", fields: Self.call, scheme: "https", on: 1, body: Self.hello)
            #expect(try client.message(1).trailer("grpc-status") == "0")
            #expect(bridge.agreements.first?.applicationProtocol == "h2")
            #expect(upstream.requests.first?[":scheme"] == "https")
            #expect(upstream.requests.first?["x-forwarded-proto"] == "https")
        }

        @Test func `messages stream both ways before either side has ended`() throws {
            let upstream = try Upstream { http2, _ in
                guard let head = try http2.frame() else { return }
                _ = try http2.fields(head)
                try http2.send(headers: [(":status", "200"), ("content-type", "application/grpc")], on: head.stream)
                while let frame = try http2.frame(of: head.stream) {
                    try http2.send(data: frame.payload, on: head.stream)
                    if frame.endsStream { break }
                }
                try http2.send(headers: [("grpc-status", "0")], on: head.stream, end: true)
            }
            let gateway = try http2Gateway(Self.config(upstream.port))
            let client = try gateway.http2()
            try client.request("POST", fields: Self.call, on: 1, end: false)
            #expect(try client.frame(of: 1)?.kind == .headers)
            for number in 0..<5 {
                try client.send(data: "message \(number)", on: 1)
                var echoed = ""
                while echoed.utf8.count < 9, let frame = try client.frame(of: 1) {
                    echoed += String(decoding: frame.payload, as: UTF8.self)
                }
                #expect(echoed == "message \(number)")
            }
            try client.send(data: "", on: 1, end: true)
            var last: RawFrame?
            while let frame = try client.frame(of: 1) {
                last = frame
                if frame.endsStream { break }
            }
            let trailers = try client.fields(try #require(last))
            #expect(trailers.first { $0.name == "grpc-status" }?.value == "0")
        }

        @Test func `an answer of trailers only stays one`() throws {
            let upstream = try Upstream { http2, _ in
                while let frame = try http2.frame() {
                    if frame.kind != .headers { continue }
                    try http2.send(
                        headers: [
                            (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "5"),
                            ("grpc-message", "no such thing"),
                        ], on: frame.stream, end: true)
                }
            }
            let gateway = try http2Gateway(Self.config(upstream.port))
            let client = try gateway.http2()
            try client.request("POST", fields: Self.call, on: 1, body: Self.hello)
            let answer = try client.message(1)
            #expect(answer["grpc-status"] == "5")
            #expect(answer["grpc-message"] == "no such thing")
            #expect(answer.body.isEmpty)
        }

        @Test(
            arguments: [
                // route protocols, scheme of the client, content type, HTTP version, status, grpc-status, words
                ("grpc", "text/plain", true, 415, nil, "Non-gRPC request matched gRPC route"),
                ("grpc", "application/grpc", false, 426, nil, "Please use HTTP2 protocol"),
                ("grpcs", "application/grpc+proto", true, 200, "1", "gRPC request matched gRPCs route"),
                (
                    "grpc", "application/grpc", true, 502, "13",
                    "An invalid response was received from the upstream server"
                ),
            ] as [(String, String, Bool, Int, String?, String)])
        func `what a route cannot take is told in the client's terms`(
            protocols: String, type: String, isHTTP2: Bool, status: Int, grpcStatus: String?, words: String
        ) throws {
            let refusing = try refusingPort()
            let gateway = try http2Gateway(Self.config(refusing, protocols: protocols))
            guard isHTTP2 else {
                let answer = try gateway.request(
                    "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: \(type)\r\nContent-Length: 0\r\n\r\n")
                #expect(answer.status == status)
                #expect(answer["Upgrade"] == "HTTP/2")
                #expect(answer.text.contains(words))
                return
            }
            let client = try gateway.http2()
            try client.request("POST", fields: [("content-type", type)], on: 1, body: "")
            let answer = try client.message(1)
            #expect(answer.status == status)
            #expect(answer["grpc-status"] == grpcStatus)
            if grpcStatus == nil {
                #expect(answer.text.contains(words))
            } else {
                #expect(answer["grpc-message"] == words)
                #expect(answer["content-type"] == "application/grpc")
                #expect(answer.body.isEmpty)
            }
        }

        @Test func `a call to no route at all ends with UNIMPLEMENTED's neighbour NOT_FOUND`() throws {
            let gateway = try http2Gateway()
            let client = try gateway.http2()
            try client.request("POST", fields: Self.call, on: 1, body: Self.hello)
            let answer = try client.message(1)
            #expect(answer.status == 404)
            #expect(answer["grpc-status"] == "5")
            #expect(answer["grpc-message"] == "no Route matched with those values")
        }

        @Test func `an upstream that resets, closes or goes away fails its calls only`() throws {
            let upstream = try Upstream { http2, _ in
                var count = 0
                while let frame = try http2.frame() {
                    if frame.kind != .headers { continue }
                    count += 1
                    _ = try http2.fields(frame)
                    if count == 1 {
                        try http2.reset(frame.stream, code: 2)
                    } else if count == 2 {
                        // GOAWAY: this call ends well, the next one comes on another connection.
                        try http2.send(
                            RawFrame(kind: .goAway, payload: RawFrame.word(frame.stream) + RawFrame.word(0)))
                        try http2.send(
                            headers: [(":status", "200"), ("grpc-status", "0")], on: frame.stream, end: true)
                    } else {
                        return
                    }
                }
            }
            let gateway = try http2Gateway(Self.config(upstream.port, fields: "\n  retries: 0"))
            let client = try gateway.http2()
            func call(_ stream: UInt32) throws -> RawHTTP2.Message {
                try client.request("POST", fields: Self.call, on: stream, body: Self.hello)
                return try client.message(stream)
            }
            let first = try call(1)
            #expect(first.status == 502)
            #expect(first["grpc-status"] == "13")
            #expect(try call(3)["grpc-status"] == "0")
            #expect(eventually { upstream.scripted.connectionCount == 1 })
            // A new connection begins counting anew.
            #expect(try call(5).status == 502)
            #expect(upstream.scripted.connectionCount == 2)
        }

        @Test func `a client that gives up cancels its call upstream`() throws {
            let cancelled = Counter()
            let upstream = try Upstream { http2, _ in
                while let frame = try http2.frame() {
                    if frame.kind == .headers {
                        try http2.send(headers: [(":status", "200")], on: frame.stream)
                    } else if frame.kind == .reset {
                        cancelled.add(Int(frame.word(at: 0)))
                    }
                }
            }
            let gateway = try http2Gateway(Self.config(upstream.port))
            let client = try gateway.http2()
            try client.request("POST", fields: Self.call, on: 1, end: false)
            #expect(try client.frame(of: 1)?.kind == .headers)
            try client.reset(1)
            // CANCEL
            #expect(eventually { cancelled.value == 8 })
        }

        @Test func `an upstream with room for few streams gets another connection`() throws {
            let upstream = try Upstream(settings: [0, 3, 0, 0, 0, 2]) { http2, _ in
                while let frame = try http2.frame(), frame.kind == .headers {
                    _ = try http2.fields(frame)
                    try http2.send(headers: [(":status", "200")], on: frame.stream)
                }
            }
            let gateway = try http2Gateway(Self.config(upstream.port))
            let client = try gateway.http2()
            for stream in [1, 3, 5, 7, 9] as [UInt32] {
                try client.request("POST", fields: Self.call, on: stream, end: false)
                #expect(try client.frame(of: stream)?.kind == .headers)
            }
            #expect(upstream.scripted.connectionCount == 3)
        }

        @Test func `calls are balanced and reported like requests`() throws {
            let upstream = try Upstream { http2, _ in
                while let frame = try http2.frame(), frame.kind == .headers || frame.kind == .data {
                    if frame.kind == .headers { _ = try http2.fields(frame) }
                    if frame.endsStream {
                        try http2.send(headers: [(":status", "503")], on: frame.stream, end: true)
                    }
                }
            }
            let config = """
                _format_version: "3.0"
                services: [{name: api, host: up, protocol: grpc, routes: [{protocols: [grpc], paths: [/]}]}]
                upstreams:
                - name: up
                  targets: [{target: "127.0.0.1:\(upstream.port)"}]
                  healthchecks: {passive: {unhealthy: {http_failures: 2, http_statuses: [503]}}}
                """
            let gateway = try http2Gateway(config)
            let client = try gateway.http2()
            var messages: [String?] = []
            for stream in [1, 3, 5] as [UInt32] {
                try client.request("POST", fields: Self.call, on: stream, body: Self.hello)
                messages.append(try client.message(stream)["grpc-message"])
            }
            #expect(messages == [nil, nil, "failure to get a peer from the ring-balancer"])
            #expect(try gateway.reports() == ["http_status 503", "http_status 503"])
        }

        @Test func `a service for gRPC can be called over HTTP/1.1 by a route for HTTP`() throws {
            let upstream = try Upstream(Self.echo)
            let gateway = try http2Gateway(Self.config(upstream.port, protocols: "http"))
            let answer = try gateway.request(
                "POST /x HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\nContent-Length: 5\r\n\r\nhello")
            #expect(answer.status == 200)
            #expect(answer.text == "hello")
            #expect(answer.trailers.contains("grpc-status: 0"))
        }
    }
}

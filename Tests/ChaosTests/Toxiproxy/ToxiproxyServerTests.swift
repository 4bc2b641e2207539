// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Foundation
import NIOCore
import Testing
import World

@testable import Chaos

/// The server over loopback: what goes beyond Toxiproxy.
@Suite(.timeLimit(.minutes(1))) struct ToxiproxyServerTests {
    /// A server, an upstream behind it that answers each line with itself, and a client of the API.
    private struct Bench {
        let world: World
        let loop: any EventLoop
        let server: ToxiproxyServer
        let upstream: any Channel
        let accepted: AsyncStream<Peer>

        func send(_ method: String, _ path: String, _ body: String? = nil) async throws -> (status: Int, text: String) {
            let peer = try await connect(to: server.localAddress)
            let length = body.map { "Content-Length: \($0.utf8.count)\r\n" } ?? ""
            peer.send("\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(length)\r\n\(body ?? "")")
            let text = await peer.received(.max)
            let status = Int(text.dropFirst(9).prefix(3)) ?? 0
            return (status, text.components(separatedBy: "\r\n\r\n").dropFirst().joined(separator: "\r\n\r\n"))
        }

        func connect(to address: SocketAddress) async throws -> Peer {
            let promise = loop.makePromise(of: Peer.self)
            let channel = world.network.connect(to: address, on: loop, timeout: .seconds(5)) { channel in
                let peer = Peer(channel)
                promise.succeed(peer)
                return channel.pipeline.addHandler(PeerHandler(peer))
            }
            channel.cascadeFailure(to: promise)
            _ = try await channel.get()
            return try await promise.futureResult.get()
        }

        var upstreamText: String { upstream.localAddress?.text ?? "" }

        /// Makes a proxy and says where it listens.
        func proxy(_ more: String = "") async throws -> SocketAddress {
            let body = #"{"name":"p","listen":"127.0.0.1:0","upstream":"\#(upstreamText)"\#(more)}"#
            let answer = try await send("POST", "/proxies", body)
            #expect(answer.status == 201, "\(answer.text)")
            let listen = try JSONValue(parsing: answer.text.utf8)["listen"]?.stringValue ?? ""
            return try #require(SocketAddress(listening: listen))
        }
    }

    private func withServer(
        _ configuration: (String) throws -> String? = { _ in nil },
        _ body: (Bench, inout AsyncStream<Peer>.Iterator) async throws -> Void
    ) async throws {
        try await withRealWorld { world, loop in
            let (stream, continuation) = AsyncStream.makeStream(of: Peer.self)
            let upstream = try await world.network.listen(
                on: .loopback(port: 0), loops: loop, options: ListenOptions()
            ) { channel in
                let peer = Peer(channel)
                return channel.pipeline.addHandler(PeerHandler(peer)).map { _ = continuation.yield(peer) }
            }.get()
            let text = try configuration(upstream.localAddress?.text ?? "")
            let file = try text.map { try ToxiproxyConfiguration(parsing: $0, file: "proxies.json") } ?? .empty
            let server = try await ToxiproxyServer.start(
                world: world, address: .loopback(port: 0), configuration: file
            ).get()
            let bench = Bench(world: world, loop: loop, server: server, upstream: upstream, accepted: stream)
            var accepted = stream.makeAsyncIterator()
            try await body(bench, &accepted)
            try await server.stop().get()
            try await upstream.close().get()
        }
    }

    @Test func `an answer on the wire has the headers of Toxiproxy`() async throws {
        try await withServer { bench, _ in
            let peer = try await bench.connect(to: bench.server.localAddress)
            peer.send("GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let text = await peer.received(.max)
            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=utf-8\r\n"))
            #expect(text.contains(#/X-Toxiproxy-Request-Id: [0-9a-v]{20}\r\n/#))
            #expect(text.hasSuffix("\r\n\r\n{\"version\": \"2.12.0\"}\n"))
        }
    }

    @Test func `bytes pass both ways, and counters move while the connection lives`() async throws {
        try await withServer { bench, accepted in
            let address = try await bench.proxy()
            let client = try await bench.connect(to: address)
            let server = try #require(await accepted.next())
            client.send("hello")
            #expect(await server.received(5) == "hello")
            server.send("you")
            #expect(await client.received(3) == "you")
            let labels = "listener=\"\(address.text)\",proxy=\"p\",upstream=\"\(bench.upstreamText)\""
            let metrics = try await bench.send("GET", "/metrics")
            for line in [
                "toxiproxy_proxy_received_bytes_total{direction=\"upstream\",\(labels)} 5",
                "toxiproxy_proxy_sent_bytes_total{direction=\"upstream\",\(labels)} 5",
                "toxiproxy_proxy_received_bytes_total{direction=\"downstream\",\(labels)} 3",
                "toxiproxy_proxy_sent_bytes_total{direction=\"downstream\",\(labels)} 3",
                "gatecrash_proxy_connections_open{\(labels)} 1", "# TYPE toxiproxy_proxy_sent_bytes_total counter",
            ] {
                #expect(metrics.text.contains(line + "\n"), "\(line)")
            }
        }
    }

    @Test func `a dead upstream is an orderly end, as with Toxiproxy`() async throws {
        try await withServer { bench, _ in
            let reserved = try PortReservation()
            let body = #"{"name":"dead","listen":"127.0.0.1:0","upstream":"127.0.0.1:\#(reserved.port)"}"#
            let answer = try await bench.send("POST", "/proxies", body)
            let listen = try JSONValue(parsing: answer.text.utf8)["listen"]?.stringValue ?? ""
            let client = try await bench.connect(to: try #require(SocketAddress(listening: listen)))
            #expect(await client.next() == .finished)
        }
    }

    @Test func `reset_peer resets a connection that was open before`() async throws {
        try await withServer { bench, accepted in
            let client = try await bench.connect(to: try await bench.proxy())
            let server = try #require(await accepted.next())
            client.send("a")
            #expect(await server.received(1) == "a")
            let body = #"{"type":"reset_peer","attributes":{"timeout":0},"stream":"upstream"}"#
            #expect(try await bench.send("POST", "/proxies/p/toxics", body).status == 200)
            client.send("b")
            #expect(await client.next() == .reset)
            #expect(await server.next() == .reset)
        }
    }

    @Test func `reset_peer with toxicity 0 does nothing`() async throws {
        try await withServer { bench, accepted in
            let address = try await bench.proxy()
            let body = #"{"type":"reset_peer","toxicity":0,"stream":"upstream"}"#
            #expect(try await bench.send("POST", "/proxies/p/toxics", body).status == 200)
            let client = try await bench.connect(to: address)
            let server = try #require(await accepted.next())
            client.send("a")
            #expect(await server.received(1) == "a")
            client.finish()
            #expect(await server.next() == .finished)
        }
    }

    @Test func `a half-close is kept`() async throws {
        try await withServer { bench, accepted in
            let client = try await bench.connect(to: try await bench.proxy())
            let server = try #require(await accepted.next())
            client.send("question")
            client.finish()
            #expect(await server.received(8) == "question")
            #expect(await server.next() == .finished)
            server.send("answer")
            #expect(await client.received(6) == "answer")
        }
    }

    @Test func `toxics in populate and in the file are there before the first connection`() async throws {
        let toxics = #""toxics":[{"type":"limit_data","stream":"upstream","attributes":{"bytes":2}}]"#
        try await withServer({ #"[{"name":"f","listen":"127.0.0.1:0","upstream":"\#($0)",\#(toxics)}]"# }) {
            bench, accepted in
            let body = #"[{"name":"p","listen":"127.0.0.1:0","upstream":"\#(bench.upstreamText)",\#(toxics)}]"#
            #expect(try await bench.send("POST", "/populate", body).status == 201)
            let all = try JSONValue(parsing: try await bench.send("GET", "/proxies").text.utf8)
            for name in ["f", "p"] {
                #expect(all[name]?["toxics"]?.arrayValue?.first?["name"] == "limit_data_upstream")
                let listen = all[name]?["listen"]?.stringValue ?? ""
                let client = try await bench.connect(to: try #require(SocketAddress(listening: listen)))
                let server = try #require(await accepted.next())
                client.send("hello")
                #expect(await server.received(5) == "he")
                #expect(await client.next() == .finished)
            }
            let bad = try await bench.send(
                "POST", "/populate", #"[{"name":"q","upstream":"x:1","toxics":[{"type":"no"}]}]"#)
            #expect(bad.status == 400)
            #expect(bad.text == #"{"error":"invalid toxic type at proxy 1","status":400,"proxies":null}"#)
        }
    }

    @Test func `HTTP toxics work on a connection that was open before`() async throws {
        try await withServer { bench, accepted in
            let client = try await bench.connect(to: try await bench.proxy())
            let server = try #require(await accepted.next())
            let (request, answer) = (
                "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            )
            client.send(request)
            #expect(await server.received(request.utf8.count) == request)
            server.send(answer)
            #expect(await client.received(answer.utf8.count) == answer)
            let toxic = #"{"type":"status","attributes":{"code":503,"body":"no"},"count":1}"#
            #expect(try await bench.send("POST", "/proxies/p/toxics", toxic).status == 200)
            client.send(request)
            #expect(await server.received(request.utf8.count) == request)
            server.send(answer)
            let replaced = await client.received(122)
            #expect(replaced.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"), "\(replaced)")
            #expect(replaced.hasSuffix("\r\n\r\nno"))
            client.send(request)
            #expect(await server.received(request.utf8.count) == request)
            server.send(answer)
            #expect(await client.received(answer.utf8.count) == answer)
            let metrics = try await bench.send("GET", "/metrics").text
            #expect(
                metrics.contains(
                    "gatecrash_toxic_hits_total{proxy=\"p\",toxic=\"status_downstream\",type=\"status\"} 1\n"))
        }
    }

    @Test func `the same connections are hit for the same seed, whatever else is changed`() async throws {
        func hits() async throws -> [Bool] {
            var hits: [Bool] = []
            try await withServer { bench, accepted in
                let address = try await bench.proxy()
                let toxic = #"{"type":"limit_data","toxicity":0.5,"stream":"upstream","attributes":{"bytes":1}}"#
                _ = try await bench.send("POST", "/proxies/p/toxics", toxic)
                for number in 1...12 {
                    // Other toxics come and go, this one changes.
                    if number == 4 { _ = try await bench.send("POST", "/proxies/p/toxics", #"{"type":"noop"}"#) }
                    if number == 6 {
                        let body = #"{"attributes":{"bytes":2}}"#
                        _ = try await bench.send("PATCH", "/proxies/p/toxics/limit_data_upstream", body)
                    }
                    if number == 9 { _ = try await bench.send("DELETE", "/proxies/p/toxics/noop_downstream") }
                    let client = try await bench.connect(to: address)
                    let server = try #require(await accepted.next())
                    client.send("abc")
                    client.finish()
                    hits.append(await server.received(3) != "abc")
                }
            }
            return hits
        }
        let first = try await hits()
        #expect(Set(first).count == 2)
        #expect(try await hits() == first)
    }

    @Test func `a disabled proxy refuses and closes, and comes back`() async throws {
        try await withServer { bench, accepted in
            let address = try await bench.proxy()
            let client = try await bench.connect(to: address)
            _ = await accepted.next()
            _ = try await bench.send("PATCH", "/proxies/p", #"{"enabled":false}"#)
            #expect(await client.next() == .finished)
            let error = await #expect(throws: NetworkError.self) { _ = try await bench.connect(to: address) }
            #expect(error?.code == .refused)
            #expect(try await bench.send("POST", "/reset").status == 204)
            _ = try await bench.connect(to: address)
            _ = try #require(await accepted.next())
        }
    }

    @Test func `a connect fault of the API leaves connects unanswered`() async throws {
        try await withServer { bench, accepted in
            let address = try await bench.proxy()
            _ = try await bench.send(
                "POST", "/proxies/p/toxics", #"{"type":"blackhole","attributes":{"stage":"connect"}}"#)
            let hanging = bench.world.network.connect(to: address, on: bench.loop, timeout: .milliseconds(300)) {
                $0.eventLoop.makeSucceededVoidFuture()
            }
            let error = await #expect(throws: NetworkError.self) { _ = try await hanging.get() }
            #expect(error?.code == .timedOut)
            _ = try await bench.send("DELETE", "/proxies/p/toxics/blackhole_downstream")
            let client = try await bench.connect(to: address)
            let server = try #require(await accepted.next())
            client.send("x")
            #expect(await server.received(1) == "x")
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing
import World

@testable import Chaos

/// One fault of each family on real sockets.
@Suite(.timeLimit(.minutes(1))) struct LinkFaultTests {
    /// A link to a listener of the test.
    private struct Bench {
        let world: World
        let loop: any EventLoop
        let link: NIOLoopBound<Link>
        let target: any Channel
        let decisions: NIOLoopBoundBox<[LinkDecision]>

        func onLink<T: Sendable>(_ body: @escaping @Sendable (Link) -> EventLoopFuture<T>) async throws -> T {
            try await loop.flatSubmit { body(self.link.value) }.get()
        }

        func install(
            _ toxic: Toxic, _ stream: ToxicStream = .both, scope: InstalledToxic.Scope? = nil, nth: Int? = nil
        ) async throws {
            try await onLink {
                $0.install(InstalledToxic(name: "x", toxic: toxic, stream: stream, scope: scope, nth: nth))
            }
        }

        func remove() async throws { try await onLink { $0.remove("x") } }
        func counters() async throws -> Link.Counters { try await loop.submit { self.link.value.counters }.get() }
        func taken() async throws -> [LinkDecision] { try await loop.submit { self.decisions.value }.get() }

        func connect() async throws -> Peer {
            let promise = loop.makePromise(of: Peer.self)
            let address = try await loop.submit { self.link.value.address }.get()
            let channel = world.network.connect(to: address, on: loop, timeout: .seconds(5)) { channel in
                let peer = Peer(channel)
                promise.succeed(peer)
                return channel.pipeline.addHandler(PeerHandler(peer))
            }
            channel.cascadeFailure(to: promise)
            _ = try await channel.get()
            return try await promise.futureResult.get()
        }
    }

    private func withBench(
        _ transport: Link.Transport = .tcp, _ body: (Bench, inout AsyncStream<Peer>.Iterator) async throws -> Void
    ) async throws {
        try await withRealWorld { world, loop in
            let (stream, continuation) = AsyncStream.makeStream(of: Peer.self)
            let target = try await world.network.listen(on: .loopback(port: 0), loops: loop, options: ListenOptions()) {
                channel in
                let peer = Peer(channel)
                return channel.pipeline.addHandler(PeerHandler(peer)).map { _ = continuation.yield(peer) }
            }.get()
            let address = target.localAddress
            let decisions = NIOLoopBoundBox.makeBoxSendingValue([LinkDecision](), eventLoop: loop)
            let link = try await loop.flatSubmit {
                let link = Link(
                    name: "wire", world: world, loop: loop, address: .loopback(port: 0), transport: transport)
                link.onDecision = { decisions.value.append($0) }
                let bound = NIOLoopBound(link, eventLoop: loop)
                return link.setTarget(address).map { bound }
            }.get()
            let bench = Bench(world: world, loop: loop, link: link, target: target, decisions: decisions)
            var accepted = stream.makeAsyncIterator()
            try await body(bench, &accepted)
            try await bench.onLink { $0.stop() }
            try await target.close().get()
            #expect(try await eventually(.seconds(5), on: loop) { link.value.counters.open == 0 })
        }
    }

    @Test func `a slow line is as fast as it says`() async throws {
        try await withBench { bench, accepted in
            try await bench.install(.bandwidth(BandwidthToxic(bytesPerSecond: 1_000_000)), .up)
            let client = try await bench.connect()
            let server = try #require(await accepted.next())
            let start = bench.loop.now
            client.send(String(repeating: "x", count: 300_000))
            #expect(await server.received(300_000).utf8.count == 300_000)
            let taken = bench.loop.now - start
            #expect(taken >= .milliseconds(300))
            #expect(taken < .milliseconds(600))
        }
    }

    @Test func `slices arrive one by one`() async throws {
        try await withBench { bench, accepted in
            try await bench.install(.slicer(SlicerToxic(size: 1, delay: .milliseconds(5))), .up)
            let client = try await bench.connect()
            let server = try #require(await accepted.next())
            client.send("abc")
            for letter in ["a", "b", "c"] { #expect(await server.next() == .bytes(ByteBuffer(string: letter))) }
        }
    }

    @Test func `a reset meets a connection that is open, and new ones at once`() async throws {
        try await withBench { bench, accepted in
            let client = try await bench.connect()
            let server = try #require(await accepted.next())
            try await bench.install(.reset(ResetToxic()))
            #expect(await client.next() == .reset)
            #expect(await server.next() == .reset)
            let another = try await bench.connect()
            #expect(await another.next() == .reset)
            #expect(try await bench.taken().map(\.isHit) == [true, true])
            #expect(try await bench.taken().map(\.connection) == [1, 2])
        }
    }

    @Test func `a reset behind bytes lets exactly these through`() async throws {
        try await withBench { bench, accepted in
            try await bench.install(.reset(ResetToxic(bytes: 3)), .down)
            let client = try await bench.connect()
            let server = try #require(await accepted.next())
            server.send("abcdef")
            #expect(await client.received(3) == "abc")
            #expect(await client.next() == .reset)
        }
    }

    @Test func `a limit is an orderly end behind exactly its bytes`() async throws {
        try await withBench { bench, accepted in
            try await bench.install(.limitData(LimitDataToxic(bytes: 100_000)), .down)
            let client = try await bench.connect()
            let server = try #require(await accepted.next())
            server.send(String(repeating: "x", count: 300_000))
            #expect(await client.received(300_000).utf8.count == 100_000)
            #expect(try await eventually(.seconds(5), on: bench.loop) { bench.link.value.counters.open == 0 })
        }
    }

    @Test(arguments: [HalfCloseToxic.Side.client, .server])
    func `half-closed, the other direction goes on`(side: HalfCloseToxic.Side) async throws {
        try await withBench { bench, accepted in
            let client = try await bench.connect()
            let server = try #require(await accepted.next())
            try await bench.install(.halfClose(HalfCloseToxic(side: side)))
            let (told, other) = side == .client ? (client, server) : (server, client)
            #expect(await told.next() == .finished)
            told.send("still here")
            #expect(await other.received(10) == "still here")
        }
    }

    @Test func `half-open: the server is gone, the client is told when the fault goes`() async throws {
        try await withBench { bench, accepted in
            let client = try await bench.connect()
            let server = try #require(await accepted.next())
            try await bench.install(.halfOpen)
            #expect(await server.next() == .reset)
            client.send("anybody?")
            #expect(try await eventually(.seconds(5), on: bench.loop) { bench.link.value.counters.bytesUp == 8 })
            let another = try await bench.connect()
            another.send("hello?")
            #expect(try await eventually(.seconds(5), on: bench.loop) { bench.link.value.counters.bytesUp == 14 })
            try await bench.remove()
            #expect(await client.next() == .reset)
            #expect(await another.next() == .reset)
        }
    }

    @Test func `a black hole for connects answers none, and afterwards all`() async throws {
        try await withBench { bench, accepted in
            let open = try await bench.connect()
            let server = try #require(await accepted.next())
            try await bench.install(.blackhole(BlackholeToxic(stage: .connect)))
            let address = try await bench.loop.submit { bench.link.value.address }.get()
            let hanging = bench.world.network.connect(to: address, on: bench.loop, timeout: .milliseconds(300)) {
                $0.eventLoop.makeSucceededVoidFuture()
            }
            let error = await #expect(throws: NetworkError.self) { _ = try await hanging.get() }
            #expect(error?.code == .timedOut)
            // Who was there before goes on.
            open.send("x")
            #expect(await server.received(1) == "x")
            try await bench.remove()
            let client = try await bench.connect()
            let another = try #require(await accepted.next())
            client.send("y")
            #expect(await another.received(1) == "y")
        }
    }

    @Test func `a black hole for some connects connects them when it is closed`() async throws {
        try await withBench { bench, accepted in
            try await bench.install(.blackhole(BlackholeToxic(stage: .connect)), nth: 1)
            let client = try await bench.connect()
            client.send("late")
            _ = try await bench.connect()
            _ = try #require(await accepted.next())
            #expect(try await bench.taken().map(\.isHit) == [true, false])
            try await bench.remove()
            let server = try #require(await accepted.next())
            #expect(await server.received(4) == "late")
        }
    }

    @Test func `a truncated answer is an orderly end, and the server has its request`() async throws {
        try await withBench(.http) { bench, accepted in
            try await bench.install(.truncate(TruncateToxic(at: .share(0.5))), .down)
            let client = try await bench.connect()
            let server = try #require(await accepted.next())
            client.send("GET /a HTTP/1.1\r\nHost: x\r\nX-Chaos-Id: users-1\r\n\r\n")
            #expect(await server.received(49).hasSuffix("\r\n\r\n"))
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
            server.send(head + "0123456789")
            #expect(await client.received(1000) == head + "01234")
            let taken = try await bench.taken()
            #expect(taken.map(\.line) == ["GET /a"])
            #expect(taken.map(\.chaosID) == ["users-1"])
            #expect(taken.map(\.request) == [1])
        }
    }

    @Test func `an HTTP link without faults adds nothing`() async throws {
        try await withBench(.http) { bench, accepted in
            let client = try await bench.connect()
            let server = try #require(await accepted.next())
            let body = String(repeating: "0123456789", count: 200_000)
            let request = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            client.send(request)
            #expect(await server.received(request.utf8.count) == request)
            let size = String(body.utf8.count, radix: 16)
            let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(size)\r\n\(body)\r\n0\r\n\r\n"
            server.send(answer)
            #expect(await client.received(answer.utf8.count) == answer)
            client.finish()
            #expect(await server.next() == .finished)
            #expect(try await bench.taken() == [])
        }
    }

    @Test func `GOAWAY reaches the client, and both sides see an end behind the last answer`() async throws {
        try await withBench(.http) { bench, accepted in
            try await bench.install(.goAway(GoAwayToxic(code: .internalError)), .down)
            let client = try await bench.connect()
            var asked = ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            asked.writeImmutableBuffer(FrameBench.frame(4))
            // GET / over http, all from the static table.
            asked.writeImmutableBuffer(FrameBench.frame(1, flags: 5, stream: 1, [0x82, 0x86, 0x84]))
            client.channel.writeAndFlush(asked, promise: nil)
            let server = try #require(await accepted.next())
            #expect(await server.received(asked.readableBytes) == String(buffer: asked))
            let (settings, head) = (FrameBench.frame(4), FrameBench.frame(1, flags: 5, stream: 1, [0x88]))
            server.channel.writeAndFlush(settings, promise: nil)
            server.channel.writeAndFlush(head, promise: nil)
            let goAway = FrameBench.frame(7, FrameBench.word(1) + FrameBench.word(2))
            var expected = ByteBuffer()
            for frame in [settings, goAway, head] { expected.writeImmutableBuffer(frame) }
            #expect(await client.received(expected.readableBytes) == String(buffer: expected))
            #expect(await client.next() == .finished)
            #expect(await server.next() == .finished)
            let taken = try await bench.taken()
            #expect(taken.map(\.kind) == ["goaway"] && taken.map(\.line) == ["GET /"] && taken.allSatisfy(\.isHit))
        }
    }

    @Test func `a fault on HTTP/2 decides nothing about a connection of HTTP/1`() async throws {
        try await withBench(.http) { bench, accepted in
            try await bench.install(.pingFlood(PingFloodToxic(count: 5)), .both)
            let client = try await bench.connect()
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            let server = try #require(await accepted.next())
            #expect(await server.received(27) == "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try await bench.taken().isEmpty)
        }
    }
}

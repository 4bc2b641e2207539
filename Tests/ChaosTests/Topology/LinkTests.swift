// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import NIOCore
import Testing
import World

@Suite(.timeLimit(.minutes(1))) struct LinkTests {
    private static let anywhere = try? SocketAddress(ipAddress: "127.0.0.1", port: 0)

    /// A link to a listener of the test, and what comes out at its far end.
    private final class Bench: Sendable {
        let world: World
        let loop: any EventLoop
        let link: NIOLoopBound<Link>
        let target: any Channel
        /// The connections the target takes, one for each that goes through.
        let accepted: AsyncStream<Peer>

        init(_ world: World, _ loop: any EventLoop, readsAtOnce: Bool = true) async throws {
            (self.world, self.loop) = (world, loop)
            let anywhere = try #require(LinkTests.anywhere)
            let (stream, continuation) = AsyncStream.makeStream(of: Peer.self)
            accepted = stream
            target = try await world.network.listen(on: anywhere, loops: loop, options: ListenOptions()) { channel in
                let peer = Peer(channel)
                return channel.setOption(.autoRead, value: readsAtOnce)
                    .flatMap { channel.pipeline.addHandler(PeerHandler(peer)) }
                    .map { continuation.yield(peer) }
            }.get()
            let address = try #require(target.localAddress)
            link = try await loop.flatSubmit {
                let link = Link(name: "wire", world: world, loop: loop, address: anywhere)
                let bound = NIOLoopBound(link, eventLoop: loop)
                return link.setTarget(address).map { bound }
            }.get()
        }

        func onLink<T: Sendable>(_ body: @escaping @Sendable (Link) -> EventLoopFuture<T>) async throws -> T {
            try await loop.flatSubmit { body(self.link.value) }.get()
        }

        func counters() async throws -> Link.Counters { try await loop.submit { self.link.value.counters }.get() }
        func address() async throws -> SocketAddress { try await loop.submit { self.link.value.address }.get() }

        func connect() async throws -> Peer {
            let promise = loop.makePromise(of: Peer.self)
            let channel = world.network.connect(to: try await address(), on: loop, timeout: .seconds(5)) { channel in
                let peer = Peer(channel)
                promise.succeed(peer)
                return channel.pipeline.addHandler(PeerHandler(peer))
            }
            channel.cascadeFailure(to: promise)
            _ = try await channel.get()
            return try await promise.futureResult.get()
        }

        func stop() async throws {
            try await onLink { $0.stop() }
            try await target.close().get()
            #expect(try await eventually(.seconds(5), on: loop) { self.link.value.counters.open == 0 })
        }
    }

    private func withBench(
        readsAtOnce: Bool = true, _ body: (Bench, inout AsyncStream<Peer>.Iterator) async throws -> Void
    ) async throws {
        try await withRealWorld { world, loop in
            let bench = try await Bench(world, loop, readsAtOnce: readsAtOnce)
            var accepted = bench.accepted.makeAsyncIterator()
            try await body(bench, &accepted)
            try await bench.stop()
        }
    }

    private func slow(_ milliseconds: Int64, _ stream: ToxicStream) -> InstalledToxic {
        InstalledToxic(
            name: "slow", toxic: .latency(LatencyToxic(.constant(.milliseconds(milliseconds)))), stream: stream)
    }

    @Test func `bytes pass both ways and are counted`() async throws {
        try await withBench { bench, accepted in
            let client = try await bench.connect()
            let server = try #require(await accepted.next())
            client.send("hello")
            #expect(await server.received(5) == "hello")
            server.send("goodbye")
            #expect(await client.received(7) == "goodbye")
            let counters = try await bench.counters()
            #expect(counters.bytesUp == 5)
            #expect(counters.bytesDown == 7)
            #expect(counters.accepted == 1)
            #expect(counters.open == 1)
        }
    }

    @Test func `a half-closed connection still carries the answer`() async throws {
        try await withBench { bench, accepted in
            let client = try await bench.connect()
            let server = try #require(await accepted.next())
            client.send("question")
            client.finish()
            #expect(await server.received(8) == "question")
            #expect(await server.next() == .finished)
            server.send("answer")
            server.finish()
            #expect(await client.received(6) == "answer")
            // NIO tells the end of the input of a channel whose output is closed already by closing it.
            #expect(await client.next() == .closed)
            #expect(try await eventually(.seconds(5), on: bench.loop) { bench.link.value.counters.open == 0 })
        }
    }

    @Test func `a reset passes as a reset`() async throws {
        try await withBench { bench, accepted in
            let client = try await bench.connect()
            let server = try #require(await accepted.next())
            client.send("x")
            #expect(await server.received(1) == "x")
            server.abort()
            #expect(await client.next() == .reset)
        }
    }

    @Test(arguments: [(ToxicStream.up, 80, 0), (.down, 0, 80), (.both, 80, 80)])
    func `latency is added on the streams it names`(stream: ToxicStream, up: Int64, down: Int64) async throws {
        try await withBench { bench, accepted in
            let client = try await bench.connect()
            let server = try #require(await accepted.next())
            try await bench.onLink { $0.install(self.slow(80, stream)) }
            for (from, to, delay) in [(client, server, up), (server, client, down)] {
                let start = bench.loop.now
                from.send("x")
                #expect(await to.received(1) == "x")
                let taken = bench.loop.now - start
                #expect(taken >= .milliseconds(delay))
                // A loaded machine is late, not by as much as another delay would be.
                #expect(taken < .milliseconds(delay + 75))
            }
        }
    }

    @Test func `taking latency off releases what it held at once`() async throws {
        try await withBench { bench, accepted in
            let client = try await bench.connect()
            let server = try #require(await accepted.next())
            try await bench.onLink { $0.install(self.slow(3_600_000, .up)) }
            client.send("held")
            client.finish()
            #expect(try await eventually(.seconds(5), on: bench.loop) { bench.link.value.counters.bytesUp == 4 })
            try await bench.onLink { $0.remove("slow") }
            #expect(await server.received(4) == "held")
            #expect(await server.next() == .finished)
        }
    }

    @Test func `what a fault holds is bounded, and all of it arrives in the end`() async throws {
        try await withBench { bench, accepted in
            let client = try await bench.connect()
            let server = try #require(await accepted.next())
            try await bench.onLink { $0.install(self.slow(3_600_000, .up)) }
            let total = 8 << 20
            client.send(String(repeating: "0123456789abcdef", count: total / 16))
            let taken = try await quietCount(bench)
            #expect(taken >= 192 << 10)
            #expect(taken <= 256 << 10)
            try await bench.onLink { $0.remove("slow") }
            let text = await server.received(total)
            #expect(text.utf8.count == total)
            #expect(text.hasSuffix("0123456789abcdef"))
        }
    }

    @Test func `who does not read slows the sender`() async throws {
        try await withBench(readsAtOnce: false) { bench, accepted in
            let client = try await bench.connect()
            let server = try #require(await accepted.next())
            let total = 64 << 20
            client.send(String(repeating: "x", count: total))
            // Besides the link's 256 KiB the kernel buffers some MiB in its two sockets.
            #expect(try await quietCount(bench) < 24 << 20)
            server.startReading()
            #expect(await server.received(total).utf8.count == total)
        }
    }

    /// The bytes taken from the client once they do not change any more.
    private func quietCount(_ bench: Bench) async throws -> Int {
        var last = -1
        var same = 0
        while same < 40 {
            let count = try await bench.counters().bytesUp
            same = count == last && count > 0 ? same + 1 : 0
            last = count
            _ = try await bench.loop.scheduleTask(in: .milliseconds(5)) {}.futureResult.get()
        }
        return last
    }

    @Test func `refuse closes the port and resets what is open; afterwards the same port listens`() async throws {
        try await withBench { bench, accepted in
            let before = try await bench.address()
            let client = try await bench.connect()
            _ = try #require(await accepted.next())
            try await bench.onLink { $0.install(InstalledToxic(name: "no", toxic: .refuse)) }
            #expect(await client.next() == .reset)
            let error = await #expect(throws: NetworkError.self) { _ = try await bench.connect() }
            #expect(error?.code == .refused)
            try await bench.onLink { $0.remove("no") }
            #expect(try await bench.address() == before)
            let again = try await bench.connect()
            let server = try #require(await accepted.next())
            again.send("x")
            #expect(await server.received(1) == "x")
        }
    }

    @Test func `a refusal of some connections resets those`() async throws {
        try await withBench { bench, accepted in
            let toxic = InstalledToxic(name: "some", toxic: .refuse, toxicity: 0.5)
            try await bench.onLink { $0.install(toxic) }
            for number in 1...20 {
                let client = try await bench.connect()
                if !toxic.hits(place: number, draw: number, link: "wire", random: bench.world.random) {
                    let server = try #require(await accepted.next())
                    client.send("x")
                    #expect(await server.received(1) == "x")
                } else {
                    #expect(await client.next() == .reset)
                }
            }
            #expect(try await (5...15).contains(bench.counters().refused))
        }
    }

    @Test func `a dead target is refused by the link, on the same port again when it is back`() async throws {
        try await withBench { bench, accepted in
            let before = try await bench.address()
            let target = try #require(bench.target.localAddress)
            for _ in 1...3 {
                try await bench.onLink { $0.setTarget(nil) }
                let error = await #expect(throws: NetworkError.self) { _ = try await bench.connect() }
                #expect(error?.code == .refused)
                try await bench.onLink { $0.setTarget(target) }
                #expect(try await bench.address() == before)
                _ = try await bench.connect()
                _ = try #require(await accepted.next())
            }
        }
    }

    @Test func `a target that died unnoticed gives a reset at once`() async throws {
        try await withBench { bench, accepted in
            let target = try #require(bench.target.localAddress)
            let other = try await bench.world.network.listen(
                on: try #require(Self.anywhere), loops: bench.loop, options: ListenOptions()
            ) { $0.eventLoop.makeSucceededVoidFuture() }.get()
            try await bench.onLink { $0.setTarget(other.localAddress) }
            try await other.close().get()
            // A process that is being started somewhere holds a copy of the closed listener until its exec, and the
            // kernel completes a connect to it; it resets it then.
            for attempt in 1...20 {
                let client = try await bench.connect()
                #expect(await client.next() == .reset)
                if try await bench.counters().unreachable == 1 { break }
                #expect(attempt < 20)
            }
            try await bench.onLink { $0.setTarget(target) }
        }
    }

    @Test func `a delayed connect reaches the target later`() async throws {
        try await withBench { bench, accepted in
            let latency = LatencyToxic(.constant(.milliseconds(60)), delaysConnect: true)
            try await bench.onLink {
                $0.install(InstalledToxic(name: "slow", toxic: .latency(latency), stream: .down))
            }
            let start = bench.loop.now
            _ = try await bench.connect()
            _ = try #require(await accepted.next())
            #expect(bench.loop.now - start >= .milliseconds(60))
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization
import Testing
import World

/// What servers rely on of event loops and their sockets, of NIO's and of our own alike.
@Suite struct LoopTests {
    /// Two connected channels of one loop.
    private struct Pair {
        let world: World
        let server: any Channel
        let client: any Channel
        let listener: any Channel

        init(_ loops: RealLoops, server: Log, client: Log) throws {
            world = World.real(threads: 1, seed: 1, loops: loops)
            let loop = world.loops.next()
            let accepted = loop.makePromise(of: (any Channel).self)
            listener = try world.network.listen(
                on: .loopback(port: 0), loops: world.loops, options: ListenOptions()
            ) { channel in
                accepted.succeed(channel)
                return channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(server) }
            }.wait()
            let address = try #require(listener.localAddress)
            self.client = try world.network.connect(to: address, on: loop, timeout: .seconds(5)) { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(client) }
            }.wait()
            self.server = try accepted.futureResult.wait()
        }

        func end() throws {
            for channel in [listener, server, client] { try? channel.close().wait() }
            try world.loops.syncShutdownGracefully()
        }
    }

    // MARK: Sockets

    @Test(arguments: RealLoops.allCases)
    func `a long transfer arrives whole, in order, and its end is seen`(loops: RealLoops) throws {
        let (server, client) = (Log(), Log())
        let pair = try Pair(loops, server: server, client: client)
        let part = ByteBuffer(bytes: (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        for _ in 0..<10 { pair.client.write(part, promise: nil) }
        pair.client.flush()
        try pair.client.close(mode: .output).wait()
        try server.inputClosed.wait()
        #expect(server.received.readableBytes == 1_000_000)
        #expect(server.received == ByteBuffer(bytes: (0..<10).flatMap { _ in part.readableBytesView }))
        try pair.end()
    }

    @Test(arguments: RealLoops.allCases)
    func `a peer that does not read makes the channel unwritable, one that reads again writable`(
        loops: RealLoops
    ) throws {
        let (server, client) = (Log(), Log())
        let pair = try Pair(loops, server: server, client: client)
        try pair.server.setOption(.autoRead, value: false).wait()
        let part = ByteBuffer(repeating: 0x61, count: 1 << 20)
        let written = (0..<32).map { _ in pair.client.writeAndFlush(part) }
        try client.becameUnwritable.wait()
        // The first writes may find room in the kernel and make it writable once more; all of them cannot.
        try pair.client.eventLoop.submit {}.wait()
        #expect(!pair.client.isWritable)
        try pair.server.setOption(.autoRead, value: true).wait()
        for future in written { try future.wait() }
        // The channel tells of its writes before it turns writable; both in one go of its loop.
        try pair.client.eventLoop.submit {}.wait()
        #expect(pair.client.isWritable)
        try pair.end()
    }

    @Test(arguments: RealLoops.allCases)
    func `half a connection goes on: answers come after the sending side has closed`(loops: RealLoops) throws {
        let (server, client) = (Log(), Log())
        let pair = try Pair(loops, server: server, client: client)
        try pair.client.close(mode: .output).wait()
        try server.inputClosed.wait()
        try pair.server.writeAndFlush(ByteBuffer(string: "still here")).wait()
        try pair.server.close().wait()
        // Both sides are closed now, so the channel ends.
        try client.inactive.wait()
        #expect(String(buffer: client.received) == "still here")
        try pair.end()
    }

    /// There is room for all of it at once.
    @Test func `a long write lets others have their turn`() throws {
        let (server, client) = (Log(), Log())
        let pair = try Pair(.own, server: server, client: client)
        let provider = try #require(pair.server as? any SocketOptionProvider)
        try provider.unsafeSetSocketOption(level: .socket, name: .so_sndbuf, value: CInt(1 << 20)).wait()
        let order = Mutex<[String]>([])
        try pair.server.eventLoop.flatSubmit {
            pair.server.eventLoop.execute { order.withLock { $0.append("another's turn") } }
            let written = pair.server.writeAndFlush(ByteBuffer(repeating: 0x61, count: 200 << 10))
            return written.map { order.withLock { $0.append("written") } }
        }.wait()
        #expect(order.withLock { $0 } == ["another's turn", "written"])
        try pair.server.close(mode: .output).wait()
        try client.inputClosed.wait()
        #expect(client.received.readableBytes == 200 << 10)
        try pair.end()
    }

    @Test(arguments: RealLoops.allCases)
    func `a close loses nothing that there is room for`(loops: RealLoops) throws {
        let (server, client) = (Log(), Log())
        let pair = try Pair(loops, server: server, client: client)
        let provider = try #require(pair.server as? any SocketOptionProvider)
        try provider.unsafeSetSocketOption(level: .socket, name: .so_sndbuf, value: CInt(1 << 20)).wait()
        try pair.server.eventLoop.flatSubmit {
            let written = pair.server.writeAndFlush(ByteBuffer(repeating: 0x61, count: 200 << 10))
            pair.server.close(promise: nil)
            return written
        }.wait()
        try client.inputClosed.wait()
        #expect(client.received.readableBytes == 200 << 10)
        try pair.end()
    }

    @Test(arguments: RealLoops.allCases)
    func `a reset is an error, then the end`(loops: RealLoops) throws {
        let (server, client) = (Log(), Log())
        let pair = try Pair(loops, server: server, client: client)
        let provider = try #require(pair.server as? any SocketOptionProvider)
        try provider.setSoLinger(.init(l_onoff: 1, l_linger: 0)).wait()
        try pair.server.close().wait()
        try client.inactive.wait()
        #expect(client.hasError)
        try pair.end()
    }

    @Test(arguments: RealLoops.allCases)
    func `a write to a closed channel fails, and so do those that waited`(loops: RealLoops) throws {
        let (server, client) = (Log(), Log())
        let pair = try Pair(loops, server: server, client: client)
        try pair.server.setOption(.autoRead, value: false).wait()
        let waiting = pair.client.writeAndFlush(ByteBuffer(repeating: 0, count: 64 << 20))
        try pair.client.close().wait()
        #expect(throws: (any Error).self) { try waiting.wait() }
        #expect(throws: (any Error).self) { try pair.client.writeAndFlush(ByteBuffer(string: "late")).wait() }
        try pair.client.closeFuture.wait()
        try pair.end()
    }

    @Test(arguments: RealLoops.allCases)
    func `connections spread over the loops of a group`(loops: RealLoops) throws {
        let world = World.real(threads: 2, seed: 1, loops: loops)
        // The clients have a loop of their own, so that nobody but the listener takes turns.
        let outside = World.real(threads: 1, seed: 1)
        let homes = Mutex<[ObjectIdentifier]>([])
        let allAccepted = Log.Signal()
        let listener = try world.network.listen(
            on: .loopback(port: 0), loops: world.loops, options: ListenOptions()
        ) { channel in
            let count = homes.withLock { homes in
                homes.append(ObjectIdentifier(channel.eventLoop))
                return homes.count
            }
            if count == 8 { allAccepted.set() }
            return channel.eventLoop.makeSucceededVoidFuture()
        }.wait()
        let address = try #require(listener.localAddress)
        let clients = try (0..<8).map { _ in
            try outside.network.connect(to: address, on: outside.loops.next(), timeout: .seconds(5)) {
                $0.eventLoop.makeSucceededVoidFuture()
            }.wait()
        }
        try allAccepted.wait()
        for client in clients { try client.close().wait() }
        try listener.close().wait()
        let found = homes.withLock { $0 }
        for home in Set(found) { #expect(found.filter { $0 == home }.count == 4) }
        try world.loops.syncShutdownGracefully()
        try outside.loops.syncShutdownGracefully()
    }

    // MARK: Time and tasks

    @Test(arguments: RealLoops.allCases)
    func `timers fire in the order of their moments, and not before`(loops: RealLoops) throws {
        let world = World.real(threads: 1, seed: 1, loops: loops)
        let loop = world.loops.next()
        let fired = Mutex<[(number: Int, late: Int64)]>([])
        let start = loop.now
        let timers = [30, 10, 20, 10, 0].enumerated().map { number, delay in
            let due = start + .milliseconds(Int64(delay))
            return loop.scheduleTask(deadline: due) {
                let late = (loop.now - due).nanoseconds
                fired.withLock { $0.append((number, late)) }
            }
        }
        for timer in timers { try timer.futureResult.wait() }
        let all = fired.withLock { $0 }
        #expect(all.map(\.number) == [4, 1, 3, 2, 0])
        #expect(all.allSatisfy { $0.late >= 0 })
        try world.loops.syncShutdownGracefully()
    }

    @Test(arguments: RealLoops.allCases)
    func `what was called off does not happen`(loops: RealLoops) throws {
        let world = World.real(threads: 1, seed: 1, loops: loops)
        let loop = world.loops.next()
        let fired = Mutex<[Int]>([])
        // On the loop itself, so that none of them can fire before it is called off.
        let timers = try loop.submit {
            let timers = (0..<1000).map { number in
                loop.scheduleTask(in: .milliseconds(20)) { fired.withLock { $0.append(number) } }
            }
            for timer in timers.dropLast(3) { timer.cancel() }
            return timers
        }.wait()
        for timer in timers.suffix(3) { try timer.futureResult.wait() }
        #expect(fired.withLock { $0 } == [997, 998, 999])
        #expect(throws: (any Error).self) { try timers[0].futureResult.wait() }
        try world.loops.syncShutdownGracefully()
    }

    @Test(arguments: RealLoops.allCases)
    func `tasks of many threads all run, each on the loop`(loops: RealLoops) throws {
        let world = World.real(threads: 1, seed: 1, loops: loops)
        let loop = world.loops.next()
        let others = World.real(threads: 4, seed: 1)
        let count = Mutex(0)
        let posted = others.loops.makeIterator().map { other in
            other.submit {
                for _ in 0..<200 {
                    loop.execute {
                        loop.preconditionInEventLoop()
                        count.withLock { $0 += 1 }
                    }
                }
            }
        }
        for future in posted { try future.wait() }
        // Comes behind all of them.
        try loop.submit {}.wait()
        #expect(count.withLock { $0 } == 800)
        try world.loops.syncShutdownGracefully()
        try others.loops.syncShutdownGracefully()
    }

    @Test(arguments: RealLoops.allCases)
    func `the end of a group closes its channels and fails its timers`(loops: RealLoops) throws {
        let (server, client) = (Log(), Log())
        let pair = try Pair(loops, server: server, client: client)
        let failed = Log.Signal()
        // Asked now: a loop that has ended answers nobody.
        pair.client.eventLoop.scheduleTask(in: .hours(1)) {}.futureResult.whenFailure { _ in failed.set() }
        try pair.world.loops.syncShutdownGracefully()
        #expect(!pair.client.isActive)
        try failed.wait()
    }
}

/// Keeps what a channel tells.
private final class Log: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    /// Something that happens once, for a test to wait for.
    final class Signal: Sendable {
        private let state = Mutex<(isSet: Bool, waiting: [EventLoopPromise<Void>])>((false, []))
        private static let world = World.real(threads: 1, seed: 1)

        func set() {
            let waiting = state.withLock { state in
                state.isSet = true
                defer { state.waiting = [] }
                return state.waiting
            }
            for promise in waiting { promise.succeed() }
        }

        func wait() throws {
            let loop = Self.world.loops.next()
            let promise = loop.makePromise(of: Void.self)
            let isSet = state.withLock { state in
                if !state.isSet { state.waiting.append(promise) }
                return state.isSet
            }
            if isSet { promise.succeed() }
            let limit = loop.scheduleTask(in: .seconds(20)) {
                promise.fail(ChannelError.inappropriateOperationForState)
            }
            defer { limit.cancel() }
            try promise.futureResult.wait()
        }
    }

    let inputClosed = Signal()
    let inactive = Signal()
    let becameUnwritable = Signal()
    private let bytes = Mutex(ByteBuffer())
    private let errors = Atomic(0)

    var received: ByteBuffer { bytes.withLock { $0 } }
    var hasError: Bool { errors.load(ordering: .relaxed) > 0 }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var part = unwrapInboundIn(data)
        bytes.withLock { _ = $0.writeBuffer(&part) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { inputClosed.set() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if !context.channel.isWritable { becameUnwritable.set() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { errors.add(1, ordering: .relaxed) }

    func channelInactive(context: ChannelHandlerContext) { inactive.set() }
}

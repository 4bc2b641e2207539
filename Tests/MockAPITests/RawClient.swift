// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import MockAPI
import NIOCore
import Synchronization
import World

/// A connection that sends exactly what it is told and keeps all that comes back.
struct RawClient {
    let channel: any Channel
    private let collected: EventLoopFuture<String>

    static func connect(to address: SocketAddress, world: World) async throws -> RawClient {
        let loop = world.loops.next()
        let promise = loop.makePromise(of: String.self)
        let connecting = world.network.connect(to: address, on: loop, timeout: .seconds(5)) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(Collector(promise))
            }
        }
        connecting.whenFailure { promise.fail($0) }
        let channel = try await connecting.get()
        return RawClient(channel: channel, collected: promise.futureResult)
    }

    func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text)).get()
    }

    /// All that came until the server closed.
    func everything() async throws -> String { try await collected.get() }

    /// Sends on a connection of its own and returns what came until the server closed.
    static func exchange(_ text: String, with server: MockServer, world: World) async throws -> String {
        let client = try await connect(to: server.localAddress, world: world)
        try await client.send(text)
        return try await client.everything()
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let promise: EventLoopPromise<String>
        private var text = ""

        init(_ promise: EventLoopPromise<String>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += String(buffer: unwrapInboundIn(data))
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        func channelInactive(context: ChannelHandlerContext) { promise.succeed(text) }
    }
}

/// Keeps records, and says when the n-th has come.
final class KeepingSink: RecordSink {
    private struct State {
        var lines: [String] = []
        var waiting: [(count: Int, promise: EventLoopPromise<Void>)] = []
    }
    private let state = Mutex(State())

    var lines: [String] { state.withLock { $0.lines } }

    func append(_ line: ByteBuffer) {
        let due = state.withLock { state in
            state.lines.append(String(buffer: line))
            let due = state.waiting.filter { $0.count <= state.lines.count }
            state.waiting.removeAll { $0.count <= state.lines.count }
            return due
        }
        for (_, promise) in due { promise.succeed() }
    }

    func reaches(_ count: Int, on loop: any EventLoop) async throws {
        let promise = loop.makePromise(of: Void.self)
        let isThere = state.withLock { state in
            if state.lines.count < count { state.waiting.append((count, promise)) }
            return state.lines.count >= count
        }
        if isThere { promise.succeed() }
        try await promise.futureResult.get()
    }
}

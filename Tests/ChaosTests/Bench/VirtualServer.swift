// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import World

/// A server in virtual time: every connection is an `EmbeddedChannel` of one `EmbeddedEventLoop`, and what it answers,
/// and after how long, is the test's to say.
///
/// Proof: everything happens on the one thread of the test that drives the loop.
final class VirtualServer: Network, @unchecked Sendable {
    enum Reaction {
        /// A complete answer after so many nanoseconds.
        case answer(status: Int, after: Int64)
        /// So many bytes of a body of 34, then the end of the connection.
        case truncate(after: Int64)
        case closeEarly(after: Int64)
        case garbage(after: Int64)
        case silence
    }

    let loop: EmbeddedEventLoop
    /// For the n-th request (from 1) that arrives at a time, in nanoseconds.
    var react: (_ number: Int, _ now: Int64) -> Reaction
    /// Refuses connections while true.
    var isRefusing = false
    /// Nanoseconds that a connection takes to open.
    var connectTime: Int64 = 0
    private(set) var requests = 0
    private(set) var connections = 0
    private(set) var open = 0
    private(set) var arrivals: [Int64] = []
    private(set) var bytes: [String] = []

    init(_ loop: EmbeddedEventLoop, react: @escaping (_ number: Int, _ now: Int64) -> Reaction) {
        self.loop = loop
        self.react = react
    }

    func datagrams(
        on address: SocketAddress, loop: any EventLoop,
        prepare: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        loop.makeFailedFuture(NetworkError(.notPermitted, "\(address): no datagrams here"))
    }

    var now: Int64 { Int64(loop.now.uptimeNanoseconds) }

    func connect(
        to address: SocketAddress, on loop: any EventLoop, timeout: TimeAmount,
        prepare: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        let promise = loop.makePromise(of: (any Channel).self)
        self.loop.scheduleTask(in: .nanoseconds(connectTime)) { [self] in
            guard !isRefusing else { return promise.fail(NetworkError(.refused, "\(address)")) }
            connections += 1
            open += 1
            let channel = EmbeddedChannel(handler: Ear(self), loop: self.loop)
            channel.closeFuture.whenComplete { _ in self.open -= 1 }
            prepare(channel).whenComplete { _ in
                channel.connect(to: address).whenComplete { _ in promise.succeed(channel) }
            }
        }
        return promise.futureResult
    }

    func listen(
        on address: SocketAddress, loops: any EventLoopGroup, options: ListenOptions,
        accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        loop.makeFailedFuture(NetworkError(.notPermitted, "\(address)"))
    }

    func resolve(_ host: String, port: Int, on loop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
        loop.makeFailedFuture(NetworkError(.nameNotFound, host))
    }

    fileprivate func heard(_ request: ByteBuffer, on channel: any Channel) {
        requests += 1
        arrivals.append(now)
        bytes.append(String(buffer: request))
        let body = "{\"message\":\"Hello from Mock API\"}\n"
        func after(_ time: Int64, _ text: String?, closes: Bool) {
            loop.scheduleTask(in: .nanoseconds(time)) {
                if let text, channel.isActive {
                    channel.pipeline.fireChannelRead(ByteBuffer(string: text))
                    channel.pipeline.fireChannelReadComplete()
                }
                if closes { channel.close(promise: nil) }
            }
        }
        let head = "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        switch react(requests, now) {
        case .answer(let status, let time): after(time, "HTTP/1.1 \(status) X\r\n\(head)\(body)", closes: false)
        case .truncate(let time): after(time, "HTTP/1.1 200 OK\r\n\(head)\(body.prefix(10))", closes: true)
        case .closeEarly(let time): after(time, nil, closes: true)
        case .garbage(let time): after(time, "\u{16}\u{3}\u{1} no HTTP\r\n\r\n", closes: false)
        case .silence: break
        }
    }

    /// Takes what the client writes.
    private final class Ear: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        private let server: VirtualServer

        init(_ server: VirtualServer) { self.server = server }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            promise?.succeed()
            server.heard(unwrapOutboundIn(data), on: context.channel)
        }
    }
}

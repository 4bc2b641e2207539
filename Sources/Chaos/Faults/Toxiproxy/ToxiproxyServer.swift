// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import Wire
package import World

/// The API that listens: `gatecrash toxics`, and the control port of a running scenario. All of it lives on one event
/// loop. Any thread may call it.
package final class ToxiproxyServer: Sendable {
    /// Where it listens; with the port that was found when port 0 was asked for.
    package let localAddress: SocketAddress
    private let loop: any EventLoop
    private let api: NIOLoopBound<ToxiproxyAPI>
    private let listener: any Channel

    private init(localAddress: SocketAddress, api: ToxiproxyAPI, listener: any Channel) {
        self.localAddress = localAddress
        loop = api.loop
        self.api = NIOLoopBound(api, eventLoop: api.loop)
        self.listener = listener
    }

    /// Starts the proxies of a configuration file, then listens.
    ///
    /// - Returns: fails with `Problems` when a proxy cannot be started, with `NetworkError` when the address cannot be
    ///   had.
    package static func start(
        world: World, address: SocketAddress, configuration: ToxiproxyConfiguration = .empty
    ) -> EventLoopFuture<ToxiproxyServer> {
        let loop = world.loops.next()
        return loop.flatSubmit {
            let api = ToxiproxyAPI(world: world, loop: loop)
            let bound = NIOLoopBound(api, eventLoop: loop)
            return configuration.place(in: api).flatMap { listen(bound.value, at: address) }
        }
    }

    /// Listens for an API that is there.
    package static func listen(_ api: ToxiproxyAPI, at address: SocketAddress) -> EventLoopFuture<ToxiproxyServer> {
        api.loop.assertInEventLoop()
        let bound = NIOLoopBound(api, eventLoop: api.loop)
        return api.world.network.listen(on: address, loops: api.loop, options: ListenOptions()) { channel in
            let connection = ServerConnection(delegate: ToxiproxyConnection(bound.value))
            return channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(connection)
            }
        }.flatMapThrowing { listener in
            guard let localAddress = listener.localAddress else { throw NetworkError(.other, "\(address)") }
            return ToxiproxyServer(localAddress: localAddress, api: bound.value, listener: listener)
        }
    }

    /// Stops listening and closes every proxy.
    package func stop() -> EventLoopFuture<Void> {
        let closed = listener.close().flatMapErrorThrowing { error in
            guard let error = error as? ChannelError, error == .alreadyClosed else { throw error }
        }
        return closed.hop(to: loop).flatMap { [api] in api.value.stop() }
    }
}

/// One connection to the API: gathers a request, asks, writes the answer.
private final class ToxiproxyConnection: ServerDelegate {
    /// No list of proxies is longer.
    private static let bodyBytes = 16 << 20

    private let api: ToxiproxyAPI
    private var head: RequestHead?
    private var body = ByteBuffer()
    private var isTooLarge = false

    init(_ api: ToxiproxyAPI) { self.api = api }

    func received(head: RequestHead, on connection: ServerConnection) {
        self.head = head
        body.clear()
        isTooLarge = false
    }

    func received(body slice: ByteBuffer, on connection: ServerConnection) {
        guard !isTooLarge else { return }
        guard body.readableBytes + slice.readableBytes <= Self.bodyBytes else {
            isTooLarge = true
            body = ByteBuffer()
            return connection.respond(HeadWriter(status: 413), body: ByteBuffer())
        }
        body.writeImmutableBuffer(slice)
    }

    func receivedEnd(trailers: Trailers?, on connection: ServerConnection) {
        guard let head, !isTooLarge else { return }
        let request = ToxiproxyAPI.Request(
            method: head.methodText, path: head.pathText, userAgent: head.value(of: "User-Agent") ?? "",
            body: Array(buffer: body))
        body = ByteBuffer()
        let bound = NIOLoopBound((self, connection), eventLoop: api.loop)
        api.respond(to: request).whenSuccess { answer in
            let (delegate, connection) = bound.value
            delegate.write(answer, on: connection)
        }
    }

    private func write(_ answer: ToxiproxyAPI.Answer, on connection: ServerConnection) {
        var response = HeadWriter(status: answer.status)
        if let type = answer.contentType { response.add("Content-Type", type) }
        if !answer.isSniffable { response.add("X-Content-Type-Options", "nosniff") }
        if answer.isRouted { response.add("X-Toxiproxy-Request-Id", api.requestID()) }
        let date = CivilTime(secondsSinceEpoch: api.world.wallClock.secondsSinceEpoch).httpDate
        response.add("Date", date)
        connection.respond(response, body: ByteBuffer(string: answer.body))
    }

    func refusal(
        status: Int, error: WireError?, on connection: ServerConnection
    ) -> (head: HeadWriter, body: ByteBuffer) {
        var response = HeadWriter(status: status)
        response.add("Content-Type", "text/plain; charset=utf-8")
        return (response, ByteBuffer(string: "\(status) \(reasonPhrase(of: status))"))
    }
}

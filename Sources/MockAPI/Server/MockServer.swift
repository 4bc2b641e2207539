// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import OpenSSL
import Wire
package import World

#if GATECRASH_DEFECTS
import Defects
#endif

/// A mock API that listens. All of it lives on one event loop, so that its n-th request is the n-th draw.
///
/// Any thread may call it.
package final class MockServer: Sendable {
    /// Where it listens; with the port that was found when port 0 was asked for.
    package let localAddress: SocketAddress
    private let loop: any EventLoop
    private let core: NIOLoopBound<MockCore>
    private let listener: any Channel

    private init(localAddress: SocketAddress, core: MockCore, listener: any Channel) {
        self.localAddress = localAddress
        self.loop = core.loop
        self.core = NIOLoopBound(core, eventLoop: core.loop)
        self.listener = listener
    }

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - name: names the mock's random streams; unique in a world.
    ///   - tls: nil serves plain text.
    ///   - speaksHTTP2: in plain text a connection that begins with the preface of HTTP/2 is served as such.
    ///   - sink: gets one record a request before the request is answered; see `ServedRecord`. Nil: none.
    /// - Returns: fails with `NetworkError`.
    package static func start(
        world: World, address: SocketAddress, name: String = "api", settings: MockSettings = MockSettings(),
        tls: OpenSSLContext? = nil, speaksHTTP2: Bool = false, sink: (any RecordSink)? = nil
    ) -> EventLoopFuture<MockServer> {
        let loop = world.loops.next()
        return loop.flatSubmit {
            let machine = MockMachine(name: name, settings: settings, random: world.random)
            let core = MockCore(
                machine: machine, wallClock: world.wallClock, tls: tls, speaksHTTP2: speaksHTTP2 && tls == nil,
                sink: sink, loop: loop)
            let bound = NIOLoopBound(core, eventLoop: loop)
            let listening = world.network.listen(on: address, loops: loop, options: ListenOptions()) { channel in
                bound.value.accept(channel)
            }
            return listening.flatMapThrowing { listener in
                guard let localAddress = listener.localAddress else { throw NetworkError(.other, "\(address)") }
                return MockServer(localAddress: localAddress, core: bound.value, listener: listener)
            }
        }
    }

    /// The switches as they are now.
    package func settings() -> EventLoopFuture<MockSettings> {
        loop.submit { [core] in core.value.machine.settings }
    }

    /// Changes the switches from the next request on.
    package func set(_ settings: MockSettings) -> EventLoopFuture<Void> {
        loop.submit { [core] in core.value.machine.settings = settings }
    }

    /// Stops listening, answers what was asked, closes. Answers that are held back longer than `grace` (hanging ones
    /// always) are given up.
    package func stop(grace: TimeAmount = .seconds(5)) -> EventLoopFuture<Void> {
        let closed = listener.close().flatMapErrorThrowing { error in
            guard let error = error as? ChannelError, error == .alreadyClosed else { throw error }
        }
        return closed.hop(to: loop).flatMap { [core] in core.value.drain(grace: grace) }
    }
}

/// What a mock's connections share. Confined to the mock's loop.
final class MockCore {
    var machine: MockMachine
    let loop: any EventLoop
    private let wallClock: any WallClock
    private let tls: OpenSSLContext?
    private let speaksHTTP2: Bool
    private let sink: (any RecordSink)?
    private var cache = ResponseCache()
    private var requestCount = 0
    private var acceptedCount = 0
    /// By the status that the other side sees, 0 for none.
    private var statusCounts: [Int: Int] = [:]
    private var connections: [Int: any MockPeer] = [:]
    private var drained: EventLoopPromise<Void>?

    init(
        machine: MockMachine, wallClock: any WallClock, tls: OpenSSLContext?, speaksHTTP2: Bool,
        sink: (any RecordSink)?, loop: any EventLoop
    ) {
        self.tls = tls
        self.speaksHTTP2 = speaksHTTP2
        self.machine = machine
        self.wallClock = wallClock
        self.sink = sink
        self.loop = loop
    }

    // MARK: Connections

    func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        acceptedCount += 1
        let number = acceptedCount
        return channel.eventLoop.makeCompletedFuture {
            if speaksHTTP2 { return try detect(channel, number) }
            if let tls { try channel.pipeline.syncOperations.addHandler(OpenSSLHandler(tls)) }
            try serveHTTP1(channel, number, isAlone: tls == nil)
        }
    }

    private func serveHTTP1(_ channel: any Channel, _ number: Int, isAlone: Bool) throws {
        let delegate = MockConnection(core: self, number: number)
        // A client that closes its side has gone, as for nginx: else a hanging answer would keep its socket for ever.
        let connection = ServerConnection(delegate: delegate, servesHalfClosed: false, isAlone: isAlone)
        connections[number] = connection
        try channel.pipeline.syncOperations.addHandler(connection)
    }

    /// The client's first bytes say what it speaks.
    private func detect(_ channel: any Channel, _ number: Int) throws {
        connections[number] = UndecidedPeer(channel)
        let detector = PrefaceDetector(timeout: ServerTimeouts().idle) { [unowned self] channel, isHTTP2 in
            guard isHTTP2 else { return try serveHTTP1(channel, number, isAlone: false) }
            connections[number] = try HTTP2ServerConnection.install(
                on: channel, limits: HTTP2Limits(), headBytes: WireLimits().headBytes, timeouts: ServerTimeouts()
            ) { [unowned self] stream in
                // A stream is no connection: it comes and goes without it.
                let delegate = MockConnection(core: self, number: number, isStream: true)
                let server = ServerConnection(delegate: delegate, servesHalfClosed: false, isStream: true)
                try stream.pipeline.syncOperations.addHandler(server)
            } closed: { [unowned self] _ in
                forget(number)
            }
        }
        try channel.pipeline.syncOperations.addHandler(detector)
        let bound = NIOLoopBound(self, eventLoop: loop)
        channel.closeFuture.whenComplete { _ in bound.value.forget(number) }
    }

    func forget(_ number: Int) {
        connections[number] = nil
        if connections.isEmpty { drained?.succeed() }
    }

    func drain(grace: TimeAmount) -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        let promise = loop.makePromise(of: Void.self)
        if let drained {
            drained.futureResult.cascade(to: promise)
        } else {
            drained = promise
        }
        let open = openConnections
        if open.isEmpty { promise.succeed() }
        #if GATECRASH_DEFECTS
        if Defect.drainCutsAnswers.isChosen { for connection in open { connection.close() } }
        #endif
        for connection in open { connection.drain() }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let givingUp = loop.scheduleTask(in: grace) {
            for connection in bound.value.openConnections { connection.close() }
        }
        promise.futureResult.whenComplete { _ in givingUp.cancel() }
        return promise.futureResult
    }

    /// In the order of their acceptance.
    private var openConnections: [any MockPeer] { connections.sorted { $0.key < $1.key }.map(\.value) }

    // MARK: Requests

    /// Decides about a request and hands over its record.
    func decide(_ request: MockRequest, head: RequestHead, receivedAt: NIODeadline, connection: Int) -> MockDecision {
        requestCount += 1
        let decision = machine.decide(request)
        let isUpgrade = decision.answer == .hello && decision.ending == .whole && head.webSocketKey != nil
        let status = isUpgrade ? 101 : decision.visibleStatus ?? 0
        statusCounts[status, default: 0] += 1
        if let sink {
            sink.append(
                ServedRecord.line(
                    of: head, receivedAt: receivedAt, number: requestCount, status: status,
                    connection: connection))
        }
        return decision
    }

    /// A message of a WebSocket is a request that its echo answers.
    func recordMessage(_ message: ByteBuffer, path: String, connection: Int) {
        requestCount += 1
        statusCounts[200, default: 0] += 1
        sink?.append(
            ServedRecord.line(
                ofMessage: message, path: path, receivedAt: loop.now, number: requestCount, connection: connection))
    }

    /// The connections and requests so far.
    var metrics: String {
        var text = """
            # HELP mock_connections_total Connections accepted.
            # TYPE mock_connections_total counter
            mock_connections_total \(acceptedCount)
            # HELP mock_connections Connections open, that of the scraper included.
            # TYPE mock_connections gauge
            mock_connections \(connections.count)
            # HELP mock_requests_total Requests by the status they were answered with; 0 = not answered.
            # TYPE mock_requests_total counter

            """
        for (status, count) in statusCounts.sorted(by: { $0.key < $1.key }) {
            text += "mock_requests_total{code=\"\(status)\"} \(count)\n"
        }
        return text
    }

    func response(for answer: MockAnswer) -> ResponseCache.Response {
        cache.response(
            for: answer, bodyBytes: machine.settings.bodyBytes, second: wallClock.secondsSinceEpoch)
    }

    /// The head of an answer that is none of the API's.
    func head(status: Int, contentType: String) -> HeadWriter {
        MockHead.make(
            status: status, contentType: contentType, date: cache.httpDate(of: wallClock.secondsSinceEpoch))
    }
}

/// A connection as the mock ends it.
protocol MockPeer: AnyObject {
    /// Answers what was asked, and closes.
    func drain()
    /// Closes at once.
    func close()
}

extension ServerConnection: MockPeer {}
extension HTTP2ServerConnection: MockPeer {}

/// A connection on which nothing was said yet.
private final class UndecidedPeer: MockPeer {
    private let channel: any Channel

    init(_ channel: any Channel) { self.channel = channel }

    func drain() { close() }
    func close() { channel.close(promise: nil) }
}

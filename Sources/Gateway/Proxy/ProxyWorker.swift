// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOSSL
import NIOTLS
import Wire
import World

/// What opening a connection to a peer came to.
enum ConnectResult {
    case success(ClientConnection)
    case failure(AttemptFailure)
}

/// One event loop of the data plane: its client connections, its pool of upstream connections, its balancers and its
/// counters. Nothing here is shared; what loops have in common they read from one immutable `Snapshot`.
final class ProxyWorker {
    private let index: Int
    let loop: any EventLoop
    private let world: World
    private let settings: GatewaySettings
    let pool: UpstreamPool
    let counters = ProxyCounters()
    /// For requests that find no route.
    let unrouted: RouteCounters
    /// Those of the snapshot's routes, in its order, made when they are first needed.
    private var routeCounters: [RouteCounters?] = []
    private var requestIDs: RandomStream
    private(set) var snapshot: Snapshot
    /// One a balanced upstream, in the order of the snapshot's.
    private var balancers: [Balancer] = []
    /// Turns over the addresses of services that have no upstream.
    private var turn = 0
    private var connections: [ObjectIdentifier: ServerConnection] = [:]
    private var isDraining = false
    private var drained: EventLoopPromise<Void>?
    private var dateSecond: Int64 = -1
    private var dateText = ""
    /// What waits for the addresses of a host that is being looked up.
    private var waiting: [() -> Void] = []
    /// Takes reports to the control loop, and events of theirs.
    private let reporter: HealthReporter

    init(index: Int, loop: any EventLoop, world: World, settings: GatewaySettings, reporter: HealthReporter) {
        self.index = index
        self.loop = loop
        self.world = world
        self.settings = settings
        self.reporter = reporter
        pool = UpstreamPool(settings.pool)
        requestIDs = world.random.stream("gateway request ids \(index)")
        unrouted = counters.routes.counters(for: .none)
        snapshot = Snapshot(routes: .empty, services: [], targetSets: [])
    }

    func nextRequestID() -> String { requestIDs.hexadecimal(bytes: 16) }

    /// The moment as HTTP writes it; made anew once a second.
    func date() -> String {
        let second = world.wallClock.secondsSinceEpoch
        if second != dateSecond {
            dateSecond = second
            dateText = CivilTime(secondsSinceEpoch: second).httpDate
        }
        return dateText
    }

    /// Follows a new configuration; requests under way end with the one they began with.
    func install(_ snapshot: Snapshot) {
        self.snapshot = snapshot
        routeCounters = Array(repeating: nil, count: snapshot.services.count)
        balancers = snapshot.targetSets.map { set in
            balancers.first { $0.set === set }
                ?? Balancer(set, random: world.random.stream("gateway \(index) ring \(set.upstream.name)"))
        }
        let waiting = waiting
        self.waiting = []
        for resume in waiting { resume() }
    }

    /// Calls back once when another snapshot has come.
    func atNextSnapshot(_ resume: @escaping () -> Void) { waiting.append(resume) }

    // MARK: Client connections

    /// Adds the handlers of an accepted connection.
    func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        let local = channel.localAddress?.port ?? settings.proxyListen.port ?? 0
        let facts = ClientFacts(
            address: channel.remoteAddress?.ipAddress ?? "127.0.0.1", scheme: "http", port: local)
        let proxy = ProxyConnection(worker: self, client: facts)
        let connection = ServerConnection(
            delegate: proxy, limits: settings.limits, timeouts: settings.timeouts, servesHalfClosed: false)
        do {
            try channel.pipeline.syncOperations.addHandler(connection)
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        counters.accepted.add(1)
        counters.open.add(1)
        connections[ObjectIdentifier(connection)] = connection
        if isDraining { connection.drain() }
        return channel.eventLoop.makeSucceededVoidFuture()
    }

    func closed(_ connection: ServerConnection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        counters.open.add(-1)
        if isDraining, connections.isEmpty { drained?.succeed() }
    }

    /// Ends idle connections now and the others with their request.
    func drain() -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        isDraining = true
        let promise = drained ?? loop.makePromise(of: Void.self)
        drained = promise
        for connection in Array(connections.values) { connection.drain() }
        pool.closeAll()
        if connections.isEmpty { promise.succeed() }
        return promise.futureResult
    }

    /// Closes every client connection, whatever is under way on it.
    func closeAll() {
        for connection in Array(connections.values) { connection.close() }
    }

    // MARK: Routing

    enum Routing {
        case routed(RoutedRequest)
        case refused(ErrorPage)
    }

    func route(_ head: RequestHead, _ client: ClientFacts) -> Routing {
        guard let match = snapshot.routes.match(head, scheme: .http, port: client.port) else {
            return .refused(.noRoute)
        }
        let route = match.route.route
        guard let service = snapshot.services[match.route.index] else { return .refused(.noService) }
        if !route.protocols.contains("http") { return .refused(Self.needsTLS(route, head)) }
        let hashed = hashValue(service, head, match, client)
        return .routed(
            RoutedRequest(
                service: service, counters: counters(of: route, at: match.route.index, service),
                balancer: balancer(of: service), uri: match.uri, strippedPrefix: match.strippedPrefix,
                preservesHost: route.preserveHost,
                hash: XXHash32.hash(hashed?.text ?? ""), setCookie: hashed?.setCookie,
                isLock: head.method == .other && head.methodText == "LOCK"))
    }

    private func counters(of route: Route, at index: Int, _ service: CompiledService) -> RouteCounters {
        if let known = routeCounters[index] { return known }
        let new = counters.routes.counters(
            for: RouteLabels(service: service.service.name ?? service.service.host, route: route.name ?? route.id))
        routeCounters[index] = new
        return new
    }

    private func balancer(of service: CompiledService) -> Balancer? {
        if case .balanced(let index) = service.peers { balancers[index] } else { nil }
    }

    private func hashValue(
        _ service: CompiledService, _ head: RequestHead, _ match: RouteMatch, _ client: ClientFacts
    ) -> HashValue? {
        guard let upstream = service.upstream, upstream.algorithm == .consistentHashing else { return nil }
        return HashValue(of: upstream, head, match, client: client) { requestIDs.uuid() }
    }

    /// A route that is for TLS only (kong-facts 3.5).
    private static func needsTLS(_ route: Route, _ head: RequestHead) -> ErrorPage {
        let status = route.httpsRedirectStatusCode
        guard status != 426 else { return .httpsRequired }
        var page = ErrorPage(status, "")
        let host = head.bytes.withUnsafeReadableBytes {
            String(decoding: ForwardedRequest.hostName($0[head.authority]), as: UTF8.self)
        }
        page.location = "https://\(host)\(head.pathText)\(head.queryText.map { "?\($0)" } ?? "")"
        return page
    }

    // MARK: Upstreams

    enum Pick {
        /// `ended` of the balancer, if there is one, is to be called once.
        case peer(Peer, Balancer?)
        case none(ErrorPage)
        /// Nobody knows yet; the next snapshot may.
        case notYet
    }

    /// The next peer for a request, or what to answer without one.
    func pick(_ request: RoutedRequest, tried: [Peer]) -> Pick {
        switch request.service.peers {
        case .balanced:
            guard let balancer = request.balancer else { return .none(.noPeer) }
            let address = balancer.pick(hash: request.hash, tried: tried.compactMap(\.target), now: loop.now)
            guard let address else { return .none(.noPeer) }
            return .peer(Peer(address), balancer)
        case .direct(let addresses):
            turn &+= 1
            return .peer(Peer(addresses[turn % addresses.count]), nil)
        case .pending: return .notYet
        case .unresolved: return .none(.nameResolutionFailed)
        }
    }

    /// Opens a connection to a peer; `completion` is called on the loop, not before this returns.
    func connect(
        to peer: Peer, _ service: CompiledService,
        _ completion: @escaping (ConnectResult) -> Void
    ) {
        let connection = NIOLoopBound(ClientConnection(limits: settings.limits), eventLoop: loop)
        let handshake = loop.makePromise(of: Void.self)
        let isEncrypted = service.isEncrypted
        let tls = service.tls
        let serverName = service.serverName(for: peer)
        let timeout = service.service.connectTimeout
        let opened = world.network.connect(to: peer.socketAddress, on: loop, timeout: timeout) { channel in
            do {
                let pipeline = channel.pipeline.syncOperations
                if isEncrypted {
                    guard let tls else { throw NetworkError(.other, "TLS could not be set up") }
                    let handler = try NIOSSLClientHandler(context: tls, serverHostname: serverName)
                    try pipeline.addHandlers([handler, HandshakeWaiter(handshake, timeout: timeout)])
                } else {
                    handshake.succeed()
                }
                try pipeline.addHandler(connection.value)
                return channel.eventLoop.makeSucceededVoidFuture()
            } catch {
                handshake.fail(error)
                return channel.eventLoop.makeFailedFuture(error)
            }
        }
        opened.whenFailure { handshake.fail($0) }
        let completion = NIOLoopBound(completion, eventLoop: loop)
        opened.and(handshake.futureResult).whenComplete { result in
            switch result {
            case .success: completion.value(.success(connection.value))
            case .failure(let error): completion.value(.failure(Self.failure(error)))
            }
        }
    }

    private static func failure(_ error: any Error) -> AttemptFailure {
        guard let error = error as? NetworkError else { return .tlsFailed }
        return error.code == .timedOut ? .connectTimedOut : .connectRefused
    }

    /// Tells the passive health check; it is applied before this returns when this is the control loop.
    func report(_ report: AttemptReport, _ target: TargetAddress, requestID: String, head: RequestHead?) {
        target.reportPassive(PassiveOutcome(report), to: reporter) {
            AttemptLabel(request: requestID, chaos: head?.value(of: .xChaosID))
        }
    }

    // MARK: The gateway's own answers

    func page(
        _ page: ErrorPage, head: RequestHead?, requestID: String, since start: NIODeadline
    )
        -> (head: HeadWriter, body: ByteBuffer)
    {
        let format = ErrorFormat(
            for: page.generator, accept: head?.value(of: "accept"), contentType: head?.value(of: "content-type"))
        var response = HeadWriter(status: page.status)
        response.add("Date", date())
        response.add("Content-Type", format.contentType)
        if page.status == 426 { response.add("Upgrade", "TLS/1.2, HTTP/1.1") }
        if let location = page.location { response.add("Location", location) }
        response.add("Server", "kong/3.10.0")
        response.add("X-Kong-Response-Latency", milliseconds(loop.now - start))
        response.add("X-Kong-Request-Id", requestID)
        let body = page.location == nil ? format.body(page.message, requestID: requestID) : ""
        return (response, ByteBuffer(string: body))
    }
}

extension PassiveOutcome {
    init(_ report: AttemptReport) {
        self =
            switch report {
            case .httpStatus(let status): .httpStatus(status)
            case .tcpFailure: .tcpFailure
            case .timeout: .timeout
            }
    }
}

/// Turns the end of a TLS handshake into a future. It may take as long as the connect before it, as in nginx.
private final class HandshakeWaiter: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    private var promise: EventLoopPromise<Void>?
    private let timeout: TimeAmount
    private var timer: Scheduled<Void>?

    init(_ promise: EventLoopPromise<Void>, timeout: TimeAmount) {
        self.promise = promise
        self.timeout = timeout
    }

    private func complete(_ error: (any Error)?) {
        guard let promise else { return }
        self.promise = nil
        timer?.cancel()
        timer = nil
        if let error { promise.fail(error) } else { promise.succeed() }
    }

    func channelActive(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: timeout) {
            bound.value.handler.complete(NetworkError(.timedOut, "TLS handshake"))
            bound.value.context.close(promise: nil)
        }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent { complete(nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        complete(error)
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        complete(ChannelError.eof)
        context.fireChannelInactive()
    }
}

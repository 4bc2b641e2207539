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
    let log: GatewayLog
    /// Longest request body, bytes.
    let longestBody: Int64
    var bufferedBodyBytes: Int { settings.bufferedBodyBytes }
    var spoolDirectory: String { settings.spoolDirectory }
    let pool: UpstreamPool
    private let memory = OutboundMemory()
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

    init(
        index: Int, loop: any EventLoop, world: World, settings: GatewaySettings, log: GatewayLog,
        reporter: HealthReporter
    ) {
        self.log = log
        longestBody = settings.bodyBytes > 0 ? settings.bodyBytes : .max
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

    func nextRequestID() -> RequestID { RequestID(&requestIDs) }

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
        pool.forgetUnused()
        for balancer in balancers {
            for place in balancer.idleConnections.indices { balancer.idleConnections[place] = nil }
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
        if settings.connectionLimit > 0, connections.count >= settings.connectionLimit { return refuse(channel) }
        let local = channel.localAddress?.port ?? settings.proxyListen.port ?? 0
        var facts = ClientFacts(
            address: channel.remoteAddress?.ipAddress ?? "127.0.0.1", scheme: "http", port: local)
        facts.isTrusted = channel.remoteAddress.map(settings.trust.trusts) ?? false
        let proxy = ProxyConnection(worker: self, client: facts)
        let connection = ServerConnection(
            delegate: proxy, limits: settings.limits, timeouts: settings.timeouts, servesHalfClosed: false,
            memory: memory)
        do {
            let pipeline = channel.pipeline.syncOperations
            if settings.expectsProxyProtocol {
                try pipeline.addHandler(ProxyProtocolHandler(timeout: settings.timeouts.head, proxy.learned))
            }
            try pipeline.addHandler(connection)
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        counters.accepted.add(1)
        counters.open.add(1)
        connections[ObjectIdentifier(connection)] = connection
        if isDraining { connection.drain() }
        return channel.eventLoop.makeSucceededVoidFuture()
    }

    /// More connections than `worker_connections` are closed without a word, as nginx does.
    private func refuse(_ channel: any Channel) -> EventLoopFuture<Void> {
        counters.accepted.add(1)
        return channel.eventLoop.makeFailedFuture(NetworkError(.other, "too many connections"))
    }

    /// Whose request it is, by the word of a trusted peer (kong.conf `real_ip_header`).
    func clientAddress(_ head: RequestHead, _ client: ClientFacts) -> String {
        guard case .field(let name) = settings.trust.source else { return client.address }
        return settings.trust.client(accordingTo: head.values(of: name))?.ipAddress ?? client.peerAddress
    }

    /// Whether the PROXY protocol's word for the client is taken: from trusted peers when it is `real_ip_header`, and
    /// where nobody has said whom to trust.
    func believesProxyProtocol(_ client: ClientFacts) -> Bool {
        client.isTrusted ? settings.trust.source == .proxyProtocol : settings.trust.isUnset && !settings.strict
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
        let route = match.route
        guard let service = snapshot.services[route.index] else { return .refused(.noService) }
        if !route.takesPlainText, !Self.saysHTTPS(head, client) {
            return .refused(Self.needsTLS(route.route, head))
        }
        return .routed(
            RoutedRequest(
                match, service: service, counters: counters(of: route, service), balancer: balancer(of: service),
                hashed: hashValue(service, head, match, client),
                isLock: head.method == .other && head.methodText == "LOCK"))
    }

    private func counters(of route: CompiledRoute, _ service: CompiledService) -> RouteCounters {
        if let known = routeCounters[route.index] { return known }
        let new = counters.routes.counters(
            for: RouteLabels(
                service: service.service.name ?? service.service.host, route: route.route.name ?? route.route.id))
        routeCounters[route.index] = new
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

    /// A trusted peer has taken the TLS off.
    private static func saysHTTPS(_ head: RequestHead, _ client: ClientFacts) -> Bool {
        client.isTrusted && head.value(of: .xForwardedProto)?.lowercased() == "https"
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

    /// Where connections to a peer wait, looked up once a peer and configuration as a rule.
    func idleConnections(_ peer: Peer, _ request: RoutedRequest) -> IdleConnections {
        let service = request.service
        guard let balancer = request.balancer, let target = peer.target, !service.isEncrypted else {
            return pool.idle(peer, service.transport(to: peer))
        }
        if let known = balancer.idleConnections[target.index] { return known }
        let idle = pool.idle(peer, .plain)
        balancer.idleConnections[target.index] = idle
        return idle
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
        case .unresolved(let failure):
            let host = request.service.service.host
            return .none(failure.meansNoRecord ? .nameResolutionFailed : .resolving(host, failed: failure.description))
        }
    }

    /// Opens a connection to a peer; `completion` is called on the loop, not before this returns.
    func connect(
        to peer: Peer, _ service: CompiledService,
        _ completion: @escaping (ConnectResult) -> Void
    ) {
        let connection = NIOLoopBound(
            ClientConnection(limits: settings.responseLimits, memory: memory), eventLoop: loop)
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
    func report(_ report: AttemptReport, _ target: TargetAddress, requestID: RequestID, head: RequestHead?) {
        target.reportPassive(PassiveOutcome(report), to: reporter) {
            AttemptLabel(request: requestID.text, chaos: head?.value(of: .xChaosID))
        }
    }

    // MARK: The gateway's own answers

    func page(
        _ page: ErrorPage, head: RequestHead?, requestID: RequestID, since start: NIODeadline
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
        response.add("X-Kong-Request-Id", requestID.text)
        let body = page.location == nil ? format.body(page.message, requestID: requestID.text) : ""
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

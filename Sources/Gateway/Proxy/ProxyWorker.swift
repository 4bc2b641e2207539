// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire
import World

#if GATECRASH_DEFECTS
import Defects
#endif

/// One event loop of the data plane: its client connections, its pool of upstream connections, its balancers and its
/// counters. Nothing here is shared; what loops have in common they read from one immutable `Snapshot`.
final class ProxyWorker {
    private let index: Int
    let loop: any EventLoop
    let world: World
    let settings: GatewaySettings
    let log: GatewayLog
    /// Longest request body, bytes.
    let longestBody: Int64
    var bufferedBodyBytes: Int { settings.bufferedBodyBytes }
    var spoolDirectory: String { settings.spoolDirectory }
    let pool: UpstreamPool
    let http2Pool: HTTP2UpstreamPool
    let memory = OutboundMemory()
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
    /// Client connections that are not plain HTTP/1.1 from their first byte.
    var others = OtherConnections()
    private(set) var isDraining = false
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
        http2Pool = HTTP2UpstreamPool(settings.pool)
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
        #if GATECRASH_DEFECTS
        breakConnections(at: snapshot)
        #endif
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

    /// Whether one connection more would be too many (nginx `worker_connections`).
    var isFull: Bool {
        #if GATECRASH_DEFECTS
        if Defect.thousandClients.isChosen { return connections.count + others.count >= 1000 }
        #endif
        return settings.connectionLimit > 0 && connections.count + others.count >= settings.connectionLimit
    }

    /// Adds what serves HTTP/1.1 at the end of a connection's handlers.
    ///
    /// - Parameter isAlone: the connection has no other handler, and will have none.
    @discardableResult
    func serveHTTP1(
        _ channel: any Channel, _ client: ClientFacts, isAlone: Bool = false
    ) throws -> ProxyConnection {
        let proxy = ProxyConnection(worker: self, client: client)
        let connection = ServerConnection(
            delegate: proxy, limits: settings.limits, timeouts: settings.timeouts, servesHalfClosed: false,
            memory: memory, isAlone: isAlone)
        try channel.pipeline.syncOperations.addHandler(connection)
        counters.accepted.add(1)
        counters.open.add(1)
        connections[ObjectIdentifier(connection)] = connection
        if isDraining { connection.drain() }
        return proxy
    }

    /// More connections than `worker_connections` are closed without a word, as nginx does.
    func refuse(_ channel: any Channel) -> EventLoopFuture<Void> {
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
        checkDrained()
    }

    func checkDrained() {
        if isDraining, connections.isEmpty, others.isEmpty { drained?.succeed() }
    }

    /// Ends idle connections now and the others with their request.
    func drain() -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        isDraining = true
        let promise = drained ?? loop.makePromise(of: Void.self)
        drained = promise
        for connection in Array(connections.values) { connection.drain() }
        let others = others
        others.drain()
        pool.closeAll()
        http2Pool.closeAll()
        checkDrained()
        return promise.futureResult
    }

    /// Closes every client connection, whatever is under way on it.
    func closeAll() {
        for connection in Array(connections.values) { connection.close() }
        let others = others
        others.closeAll()
    }

    // MARK: Routing

    enum Routing {
        case routed(RoutedRequest)
        case refused(ErrorPage)
    }

    func route(_ head: RequestHead, _ client: ClientFacts) -> Routing {
        guard
            let match = snapshot.routes.match(
                head, scheme: client.isEncrypted ? .https : .http, port: client.port, serverName: client.serverName)
        else { return .refused(.noRoute) }
        let route = match.route
        guard let service = snapshot.services[route.index] else { return .refused(.noService) }
        if !route.takesPlainText, let page = Self.mismatch(route.route, head, client) { return .refused(page) }
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
        guard service.hashesRequests, let upstream = service.upstream else { return nil }
        return HashValue(of: upstream, head, match, client: client) { requestIDs.uuid() }
    }

    /// A trusted peer has taken the TLS off.
    private static func saysHTTPS(_ head: RequestHead, _ client: ClientFacts) -> Bool {
        client.isTrusted && head.value(of: .xForwardedProto)?.lowercased() == "https"
    }

    /// What a request lacks for a route that is not for plain HTTP (kong/runloop/handler.lua, access.before).
    private static func mismatch(_ route: Route, _ head: RequestHead, _ client: ClientFacts) -> ErrorPage? {
        let protocols = route.protocols
        let isEncrypted = client.isEncrypted || saysHTTPS(head, client)
        if protocols.contains("https"), !isEncrypted { return needsTLS(route, head) }
        guard protocols.contains("grpc") || protocols.contains("grpcs") else { return nil }
        guard ErrorPage.isGRPC(contentType: head.value(of: KnownField.contentType)) else { return .grpcRequired }
        if !client.isHTTP2 { return .http2Required }
        return protocols.contains("grpc") || isEncrypted ? nil : .grpcsRequired
    }

    /// A route that is for TLS only.
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
        guard let balancer = request.balancer, let target = peer.target, !service.isEncrypted, !service.speaksHTTP2
        else { return pool.idle(peer, service.transport(to: peer)) }
        if let known = balancer.idleConnections[target.index] { return known }
        let idle = pool.idle(peer, .plain)
        balancer.idleConnections[target.index] = idle
        return idle
    }

    /// The next peer for a request, or what to answer without one.
    func pick(_ request: RoutedRequest, tried: [Peer]) -> Pick {
        #if GATECRASH_DEFECTS
        let hasOutage = snapshot.targetSets.contains { !$0.isHealthy }
        if Defect.oneOutageStopsAll.isChosen, hasOutage { return .none(.noPeer) }
        #endif
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

    /// Tells the passive health check; it is applied before this returns when this is the control loop.
    ///
    /// - Parameter confirmed: makes what is called later, on this loop, when this returns true: a failure is on its way
    ///   to the control loop, and other workers may pick the target until then.
    func report(
        _ report: AttemptReport, _ target: TargetAddress, requestID: RequestID, head: RequestHead?,
        confirmed: () -> () -> Void
    ) -> Bool {
        target.reportPassive(PassiveOutcome(report), to: reporter, from: loop, confirmed: confirmed) {
            AttemptLabel(request: requestID.text, chaos: head?.value(of: .xChaosID))
        }
    }

    // MARK: The gateway's own answers

    func page(
        _ page: ErrorPage, head: RequestHead?, client: ClientFacts, requestID: RequestID, since start: NIODeadline
    )
        -> (head: HeadWriter, body: ByteBuffer)
    {
        let contentType = head?.value(of: KnownField.contentType)
        let isGRPC = client.isHTTP2 && ErrorPage.isGRPC(contentType: contentType)
        let format = ErrorFormat(for: page.generator, accept: head?.value(of: "accept"), contentType: contentType)
        var response = HeadWriter(status: page.status)
        response.add("Date", date())
        response.add("Content-Type", isGRPC ? "application/grpc" : format.contentType)
        if let upgrade = page.upgrade { response.add("Upgrade", upgrade) }
        if let location = page.location { response.add("Location", location) }
        if isGRPC {
            response.add("grpc-status", page.statusForGRPC)
            response.add("grpc-message", page.message)
        }
        response.add("Server", "kong/3.10.0")
        response.add("X-Kong-Response-Latency", milliseconds(loop.now - start))
        response.add("X-Kong-Request-Id", requestID.text)
        let isBodyless = page.location != nil || isGRPC
        let body = isBodyless ? "" : format.body(page.message, requestID: requestID.text)
        return (response, ByteBuffer(string: body))
    }
}

#if GATECRASH_DEFECTS
extension ProxyWorker {
    private func breakConnections(at snapshot: Snapshot) {
        let count = { (snapshot: Snapshot) in snapshot.targetSets.reduce(0) { $0 + $1.addresses.count } }
        if Defect.reloadDropsConnections.isChosen { closeAll() }
        if Defect.removalCutsRequests.isChosen, count(snapshot) < count(self.snapshot) { closeAll() }
        guard Defect.reloadClosesWebSockets.isChosen else { return }
        for connection in Array(connections.values) where connection.isTunnel { connection.close() }
    }
}
#endif

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

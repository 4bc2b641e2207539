// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import DNS
import Document
import NIOCore
import Wire
import World

/// The control plane of one gateway: takes configurations, compiles them for the workers, owns health checks, events
/// and the Admin API. Confined to the control loop, which is the loop of the first worker; with one worker everything
/// happens in one place, and a failure that ejects a target is known to the very next request.
final class GatewayCore {
    /// A worker and its loop; only there it may be touched.
    struct WorkerHandle: Sendable {
        let loop: any EventLoop
        let worker: NIOLoopBoundBox<ProxyWorker>
        let counters: ProxyCounters
    }

    let loop: any EventLoop
    let world: World
    let settings: GatewaySettings
    let log: GatewayLog
    let events: EventLog
    let monitor: HealthMonitor
    private(set) var workers: [WorkerHandle] = []
    var listeners: [any Channel] = []
    private var adminAPI: AdminAPI?
    private var nameTable: NameTable?
    private var prepared = PreparedConfiguration.empty
    private var configuration: Configuration { prepared.configuration }
    private var snapshot: Snapshot?
    private var version = 0
    private var isStopped = false
    private var source = ConfigEvent.Source.admin
    private let prober: Prober
    private let upstreamTLS: UpstreamTLSTable
    private let defaultCertificate: ServedCertificate
    private var certificates: ServerCertificates?
    private var directs: [String: [Peer.Direct]] = [:]
    private var adminConnections: [ObjectIdentifier: ServerConnection] = [:]

    init(world: World, loop: any EventLoop, settings: GatewaySettings, log: GatewayLog) {
        self.loop = loop
        self.world = world
        self.settings = settings
        self.log = log
        let events = EventLog(on: loop)
        self.events = events
        let prober = Prober(
            network: world.network, loop: loop, trusted: settings.trusted, versions: settings.tls.probeVersions)
        self.prober = prober
        upstreamTLS = UpstreamTLSTable(
            trusted: settings.trusted, versions: settings.tls.upstreamVersions, clock: world.wallClock)
        defaultCertificate =
            settings.certificate.map { ServedCertificate(chain: $0.chain, key: $0.key) }
            ?? .selfSigned(now: { world.wallClock.secondsSinceEpoch })
        monitor = HealthMonitor(loop: loop, probe: { prober.probe($0) }) { event in
            events.append { event.json(t: UInt64($0), seq: $1) }
            Self.note(event, log)
        }
    }

    /// Makes the parts that refer back to this object.
    func prepare(store: EntityStore, processID: Int) {
        var shown = AdminAPI.Settings()
        shown.isStrict = settings.strict
        shown.isDatabaseless = settings.isDeclarative
        shown.processID = processID
        shown.shown = settings.shown
        let loop = loop
        adminAPI = AdminAPI(
            settings: shown, store: store, control: self, wallClock: world.wallClock, random: world.random,
            now: { loop.now })
        nameTable = NameTable(
            loop: loop, fixed: settings.resolve, times: settings.lookupTimes, resolve: makeResolver()
        ) { [unowned self] name, answer in
            if case .failed(let failure) = answer { log.notice("\(name) does not resolve: \(failure)") }
            namesChanged()
        }
    }

    /// Names go to the servers that the settings name, else to the system's resolver.
    private func makeResolver() -> (_ host: String, _ port: Int) -> EventLoopFuture<NameAnswer> {
        let (network, loop) = (world.network, loop)
        guard !settings.dns.servers.isEmpty else {
            return { host, port in network.resolve(host, port: port, on: loop).map { NameAnswer($0) } }
        }
        let client = DNSClient(settings.dns, network: network, loop: loop, random: world.random)
        return { host, port in client.resolve(host, port: port) }
    }

    var admin: AdminAPI {
        guard let adminAPI else { preconditionFailure("the gateway is used before it is prepared") }
        return adminAPI
    }

    private var names: NameTable {
        guard let nameTable else { preconditionFailure("the gateway is used before it is prepared") }
        return nameTable
    }

    func namesSettled(within limit: TimeAmount) -> EventLoopFuture<Void> { names.settled(within: limit) }

    func add(_ worker: WorkerHandle) { workers.append(worker) }

    // MARK: Configuration

    /// Takes over what a file says.
    func replace(with loaded: LoadedConfiguration, source: ConfigEvent.Source) {
        self.source = source
        admin.replace(with: loaded)
        self.source = .admin
    }

    /// - Returns: fails with `Problems`; nothing has changed then.
    func reload(_ text: String, file: String) -> EventLoopFuture<Void> {
        let loader = admin.loader
        let done = loop.makePromise(of: Void.self)
        admin.read(size: text.utf8.count) {
            Result { () throws(DeclarativeError) in try loader.load(text, file: file) }
        } then: { [self] result in
            switch result {
            case .success(let loaded):
                replace(with: loaded, source: .reload)
                log.notice("\(file): reloaded")
                done.succeed()
            case .failure(let error): done.fail(error.problems)
            }
        }
        return done.futureResult
    }

    private func compile() {
        names.beginRound()
        upstreamTLS.beginRound()
        prober.material = configuration.tls
        let certificates = ServerCertificates(
            configuration.tls, fallback: defaultCertificate, reusing: self.certificates)
        self.certificates = certificates
        let upstreams = configuration.upstreams.map(resolved)
        let sets = monitor.apply(upstreams)
        let services = compileServices(sets)
        names.endRound()
        upstreamTLS.endRound()
        let snapshot = Snapshot(
            routes: prepared.routes, services: prepared.servicePlaces.map { $0.map { services[$0] } },
            targetSets: sets, certificates: certificates)
        for handle in workers {
            if handle.loop.inEventLoop {
                handle.worker.value.install(snapshot)
            } else {
                handle.loop.execute { handle.worker.value.install(snapshot) }
            }
        }
        let old = self.snapshot
        self.snapshot = snapshot
        free(old, size: old?.services.count ?? 0)
    }

    private func resolved(_ upstream: Upstream) -> ResolvedUpstream {
        let targets = (prepared.targets[upstream.id] ?? []).map { target in
            switch names.addresses(of: target.host, port: target.port) {
            case .found(let addresses, let type):
                ResolvedTarget(
                    target: target, dns: type.description,
                    addresses: addresses.map { ResolvedAddress(socketAddress: $0.address, weight: $0.weight) })
            case .pending: ResolvedTarget(target: target, dns: "dns server error: not resolved yet", addresses: [])
            case .failed(let failure): ResolvedTarget(target: target, dns: failure.description, addresses: [])
            }
        }
        return ResolvedUpstream(upstream: upstream, targets: targets)
    }

    /// In the order of the configuration.
    private func compileServices(_ sets: [TargetSet]) -> [CompiledService] {
        let places = Dictionary(uniqueKeysWithValues: sets.enumerated().map { ($1.upstream.id, $0) })
        var kept: [String: [Peer.Direct]] = [:]
        let services = configuration.services.map { service in
            let place = service.upstreamID.flatMap { places[$0] }
            let peers = place.map { CompiledService.Peers.balanced($0) } ?? direct(service, &kept)
            let upstream = place.map { sets[$0].upstream }
            return CompiledService(service, peers: peers, upstream: upstream, tls: tls(service, upstream))
        }
        directs = kept
        return services
    }

    /// The addresses of a service that has no upstream; the same objects as before where nothing changed, so that their
    /// open connections go on being used.
    private func direct(_ service: Service, _ kept: inout [String: [Peer.Direct]]) -> CompiledService.Peers {
        let addresses: [SocketAddress]
        switch names.addresses(of: service.host, port: service.port) {
        case .found(let known, _): addresses = known.map(\.address)
        case .pending: return .pending
        case .failed(let failure): return .unresolved(failure)
        }
        let key = "\(service.host):\(service.port)"
        let old = directs[key] ?? []
        // As with curl, --resolve changes where a name leads, not how the upstream is called; an SRV record does both.
        let isMapped = settings.resolve[key.lowercased()] != nil
        let peers = addresses.map { address in
            old.first { $0.socketAddress == address }
                ?? Peer.Direct(
                    address, host: service.host, port: isMapped ? service.port : address.port ?? service.port)
        }
        kept[key] = peers
        return .direct(peers)
    }

    /// TLS towards the upstream; verification is off unless `tls_verify` is set, as in Kong.
    private func tls(_ service: Service, _ upstream: Upstream?) -> UpstreamTLS? {
        guard service.proto.isEncrypted else { return nil }
        do {
            let authorities = try service.caCertificateIDs.map { ids in
                try ids.map { id in
                    guard let pem = configuration.tls.authorities[id] else {
                        throw CertificateProblem("there is no CA certificate \(id)")
                    }
                    return pem
                }
            }
            let certificateID = service.clientCertificateID ?? upstream?.clientCertificateID
            return try upstreamTLS.tls(
                UpstreamTLS.Terms(
                    verifies: service.tlsVerify == true, depth: service.tlsVerifyDepth, authorities: authorities,
                    certificate: configuration.tls.certificate(certificateID),
                    speaksHTTP2: service.proto.speaksHTTP2))
        } catch {
            log.error("service \(service.name ?? service.id): TLS cannot be set up: \(error)")
            return nil
        }
    }

    private func namesChanged() { compile() }

    private static func note(_ event: GatewayEvent, _ log: GatewayLog) {
        guard case .health(let health) = event, health.change.from.isRoutable != health.change.to.isRoutable else {
            return
        }
        let counters = health.change.counters
        log.notice(
            "\(health.upstream): \(health.target) (\(health.address)) is "
                + "\(health.change.to.isRoutable ? "healthy" : "unhealthy") "
                + "by \(health.cause.rawValue) check; successes \(counters.success), HTTP failures \(counters.http), "
                + "TCP failures \(counters.tcp), timeouts \(counters.timeout)")
    }

    // MARK: Connections to the Admin API

    func acceptAdmin(_ channel: any Channel, as listener: AdminAPI.Listener) -> EventLoopFuture<Void> {
        let connection = ServerConnection(
            delegate: AdminConnection(gateway: self, listener: listener), limits: settings.limits,
            timeouts: settings.timeouts,
            servesHalfClosed: false)
        do {
            try channel.pipeline.syncOperations.addHandler(connection)
            adminConnections[ObjectIdentifier(connection)] = connection
            return channel.eventLoop.makeSucceededVoidFuture()
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
    }

    func adminClosed(_ connection: ServerConnection) { adminConnections[ObjectIdentifier(connection)] = nil }

    /// Stops listening and probing, lets requests under way finish for as long as the settings allow, closes the rest.
    func stop() -> EventLoopFuture<Void> {
        let closed = listeners.map { $0.close().flatMapErrorThrowing { _ in } }
        listeners = []
        isStopped = true
        monitor.stop()
        names.stop()
        for connection in Array(adminConnections.values) { connection.close() }
        let drained = workers.map { handle in handle.loop.flatSubmit { handle.worker.value.drain() } }
        let limit = loop.makePromise(of: Void.self)
        let timer = loop.scheduleTask(in: settings.drain) { limit.succeed() }
        EventLoopFuture.andAllComplete(closed + drained, on: loop).whenComplete { _ in
            timer.cancel()
            limit.succeed()
        }
        return limit.futureResult.map { [workers] in
            for handle in workers { handle.loop.execute { handle.worker.value.closeAll() } }
        }
    }
}

extension GatewayCore: GatewayControl {
    func inBackground<Value: Sendable>(
        _ work: @escaping @Sendable () -> Value, then handOver: @escaping (Value) -> Void
    ) {
        world.background.run(on: loop, work).assumeIsolated().whenSuccess(handOver)
    }

    func apply(_ prepared: PreparedConfiguration) {
        loop.assertInEventLoop()
        // It was still being read when the gateway was stopped.
        if isStopped { return }
        let old = self.prepared
        self.prepared = prepared
        version += 1
        compile()
        free(old, size: old.configuration.routes.count)
        let event = GatewayEvent.config(ConfigEvent(version: version, configuration: configuration, source: source))
        events.append { event.json(t: UInt64($0), seq: $1) }
    }

    func health(ofUpstream id: String) -> UpstreamHealth? { monitor.health(ofUpstream: id) }

    func setHealth(_ healthy: Bool, upstream: String, target: String, address: String?) -> ManualHealthResult {
        monitor.setHealth(healthy, upstream: upstream, target: target, address: address)
    }

    func metrics() -> GatewayMetrics {
        var metrics = GatewayMetrics()
        metrics.server = status()
        metrics.routes = RouteMetrics.merged(workers.flatMap { $0.counters.routes.metrics })
        metrics.upstreams = configuration.upstreams.compactMap { upstream in
            monitor.health(ofUpstream: upstream.id).map { (upstream.name, $0) }
        }
        return metrics
    }

    func status() -> ServerStatus {
        func sum(_ count: (ProxyCounters) -> Int) -> Int { workers.reduce(0) { $0 + count($1.counters) } }
        let (accepted, open, writing) = (sum { $0.accepted.value }, sum { $0.open.value }, sum { $0.writing.value })
        return ServerStatus(
            connectionsAccepted: accepted, connectionsHandled: accepted, connectionsActive: open, connectionsReading: 0,
            connectionsWriting: writing, connectionsWaiting: max(0, open - writing),
            totalRequests: sum { $0.requests.value })
    }
}

extension GatewaySettings {
    /// What `GET /` shows of them, under Kong's names.
    var shown: JSONValue {
        [
            "proxy_listen": .array(proxyListeners.map { .string($0.text) }),
            "admin_listen": [.string(adminListen.text)],
            "status_listen": .array(statusListen.map { [.string($0.text)] } ?? []),
            "database": isDeclarative ? "off" : "memory", "router_flavor": "traditional_compatible",
            "upstream_keepalive_pool_size": .integer(pool.size),
            "upstream_keepalive_max_requests": .integer(pool.maximumRequests),
            "upstream_keepalive_idle_timeout": .integer(Int((pool.idleTimeout ?? .zero).nanoseconds / 1_000_000_000)),
        ]
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
package import NIOCore
import OpenSSL
import OrderedCollections
package import World

/// Gateways and mocks as child processes on loopback, with a fault link for every gateway and mock: the topology of
/// real time. Lives on one loop.
///
/// ```
/// load ──▶ gateway process ──▶ link (in the runner) ──▶ mock process
///             │ GET /events                               │ records on stdout
///             └──────────────▶ runner ◀───────────────────┘
/// ```
package final class ProcessTopology: TopologyDriver {
    package struct Options: Sendable {
        /// The program whose `gateway` and `mock` subcommands are started.
        package var executable: String
        package var folder: WorkFolder
        /// What children inherit of the runner's environment; `ChildEnvironment` says what that is as a rule.
        package var environment: [String: String]
        /// What gateways may connect to beyond this machine.
        package var remotes = Remotes()
        package var startTimeout = NodeProcess.startTimeout
        /// How long a node may take to end in order.
        package var drain = TimeAmount.seconds(5)

        package init(
            executable: String = ChildEnvironment.currentExecutable, folder: WorkFolder,
            environment: [String: String] = ChildEnvironment.inherited
        ) {
            self.executable = executable
            self.folder = folder
            self.environment = environment
        }
    }

    final class Mock {
        let node: MockNode
        let process: NodeProcess
        let port: Int
        var address: SocketAddress?
        /// As the mock showed them last.
        var settings: JSONValue = .null
        /// What the runner speaks to it; nil for plain text.
        let client: OpenSSLContext?

        init(_ node: MockNode, _ process: NodeProcess, port: Int, client: OpenSSLContext?) {
            self.client = client
            self.node = node
            self.process = process
            self.port = port
        }
    }

    final class GatewayProcess {
        let node: GatewayNode
        /// Nil for one that runs elsewhere, or in this process.
        let process: NodeProcess?
        var local: LocalGateway?
        var proxy: SocketAddress?
        var admin: SocketAddress?
        var events: EventStream?
        let proxyPort: Int
        let adminPort: Int
        var layers: [ConfigurationLayer] = []
        /// SIGHUPs whose effect has not been seen yet.
        var reloads: [EventLoopPromise<Void>] = []

        init(_ node: GatewayNode, _ process: NodeProcess?, proxyPort: Int, adminPort: Int) {
            self.node = node
            self.process = process
            self.proxyPort = proxyPort
            self.adminPort = adminPort
        }
    }

    package let loop: any EventLoop
    package var onEvent: (TopologyEvent) -> Void = { _ in }
    let topology: Topology
    let world: World
    let options: Options
    let control: ControlClient
    let certificates: RunCertificates
    let supervisor: Supervisor
    private(set) var mocks: OrderedDictionary<String, Mock> = [:]
    private(set) var gateways: OrderedDictionary<String, GatewayProcess> = [:]
    private(set) var links: OrderedDictionary<String, Link> = [:]
    var programs: OrderedDictionary<String, ProgramProcess> = [:]
    /// One a gateway, where the scenario has names of its own: each gateway has links of its own.
    private(set) var nameServers: OrderedDictionary<String, NameServer> = [:]
    /// Kept for as long as the topology lives, so that a restarted node and a closed link find their ports free.
    private var reservations: [PortReservation] = []
    /// What switches were before a step set them, by the step's name.
    var former: [String: JSONValue] = [:]
    var followers: [String: LogFollower] = [:]
    let runQueues = RunQueueMeter()
    /// What health was before a step set it.
    var formerHealth: [String: HealthState] = [:]
    /// What steps made short, by the step's name.
    var stressed: OrderedDictionary<String, Stress> = [:]
    private var isStopping = false
    /// The Toxiproxy API of the links.
    private(set) var toxiproxy: ToxiproxyAPI?
    private var controlPort: ToxiproxyServer?

    package init(
        _ topology: Topology, world: World, loop: any EventLoop, supervisor: Supervisor, options: Options
    ) {
        self.topology = topology
        self.world = world
        self.loop = loop
        self.supervisor = supervisor
        self.options = options
        control = ControlClient(world: world, loop: loop)
        certificates = RunCertificates(now: world.wallClock.secondsSinceEpoch, folder: options.folder)
    }

    // MARK: Starting

    package func start() -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        do throws(TopologyError) {
            for link in topology.links { try prepare(link) }
            for node in topology.mocks { try prepare(node) }
        } catch {
            return loop.makeFailedFuture(error)
        }
        // Gateways are told where their name server is, links learn their targets from the mocks' starts, gateways
        // need both.
        return all([openControlPort(), startNameServers()]).assumeIsolated()
            .flatMapThrowing {
                for node in self.topology.gateways { try self.prepare(node) }
                try self.prepare(self.topology.programs)
            }
            .flatMap { self.all(self.mocks.values.map { self.start($0).map { _ in } }) }
            .flatMap {
                self.isStopping ? self.stopped() : self.all(self.gateways.values.map { self.start($0).map { _ in } })
            }
            .flatMap {
                self.isStopping ? self.stopped() : self.all(self.programs.values.map { self.start($0).map { _ in } })
            }
            .nonisolated()
    }

    private func startNameServers() -> EventLoopFuture<Void> {
        guard !topology.names.isEmpty else { return loop.makeSucceededVoidFuture() }
        for gateway in topology.gateways {
            let server = NameServer(world: world, loop: loop) { [weak self] outcome, instant in
                guard let question = outcome.question else { return }
                self?.onEvent(
                    .lookup(
                        question: question.name.description, type: question.type.description, answer: outcome.answer,
                        faults: outcome.faults, at: instant))
            }
            server.zone = zone(for: gateway.id)
            nameServers[gateway.id] = server
        }
        return all(nameServers.values.map { $0.start().map { _ in } })
    }

    private func stopped() -> EventLoopFuture<Void> { loop.makeFailedFuture(TopologyError("the topology was stopped")) }

    func all(_ futures: [EventLoopFuture<Void>]) -> EventLoopFuture<Void> {
        EventLoopFuture.andAllSucceed(futures, on: loop)
    }

    /// Every link answers Toxiproxy's API, for those who want to poke a running scenario.
    private func openControlPort() -> EventLoopFuture<Void> {
        guard !links.isEmpty else { return loop.makeSucceededVoidFuture() }
        let api = ToxiproxyAPI(world: world, loop: loop)
        toxiproxy = api
        for link in links.values { api.adopt(link) }
        return ToxiproxyServer.listen(api, at: .loopback(port: 0)).assumeIsolated()
            .map { server in
                self.controlPort = server
                self.onEvent(
                    .log(node: "links", "the Toxiproxy API of the links is at http://\(server.localAddress.text)"))
            }
            .nonisolated()
    }

    func reserve(port: Int = 0) throws(TopologyError) -> PortReservation {
        let reservation = try PortReservation(port: port)
        reservations.append(reservation)
        return reservation
    }

    /// A port on an address of loopback that nobody else has for it, drawn by the name of what listens there.
    private func reserve(address name: String, port: Int) throws(TopologyError) -> PortReservation {
        var draws = world.random.stream("loopback address \(name)")
        for _ in 0..<Self.addressTries {
            // 127.64.1.1 ... 127.191.254.254, away from what people use by hand.
            let parts = [64 + draws.below(128), 1 + draws.below(254), 1 + draws.below(254)].map { UInt32($0) }
            let host = 0x7F00_0000 | parts[0] << 16 | parts[1] << 8 | parts[2]
            guard let reservation = try? PortReservation(host: host, port: port) else { continue }
            reservations.append(reservation)
            return reservation
        }
        throw TopologyError(
            "port \(port) cannot be had on any address of loopback; a port below 1024 needs rights: take another "
                + "one in the Kong document, or answer with srv: records")
    }

    private static let addressTries = 32

    /// Every name and address by which a client may call a mock, itself or through its links.
    func names(ofCertificate mock: String) -> [String] {
        var names = topology.hosts(of: mock) + ["localhost", "127.0.0.1"]
        for link in topology.links where link.to == mock {
            if let ip = links[link.id]?.address.ipAddress, !names.contains(ip) { names.append(ip) }
        }
        return names
    }

    /// Somebody in this run serves TLS.
    private var usesTLS: Bool { topology.mocks.contains { $0.tls != nil } || topology.links.contains { $0.tls != nil } }

    /// How a link speaks TLS, itself or in the mock's place; nil where nobody does.
    private func tls(of link: LinkSpec) throws(TopologyError) -> LinkTLS? {
        let isServed = topology.mocks.contains { $0.id == link.to && $0.tls != nil }
        guard link.tls != nil || isServed else { return nil }
        let onward = isServed ? try certificates.client() : nil
        return LinkTLS(own: link.tls, onward: onward) { [weak self] spec throws(TopologyError) in
            guard let self else { throw TopologyError("the topology is gone") }
            return try certificates.server(spec, for: names(ofCertificate: link.to))
        }
    }

    private func prepare(_ node: MockNode) throws(TopologyError) {
        let port = try reserve().port
        let certificate = try node.tls.map { tls throws(TopologyError) in
            try certificates.files(of: node.id, tls.certificate, for: names(ofCertificate: node.id))
        }
        let specification = NodeCommand.mock(
            node, port: port, seed: world.random.seed, certificate: certificate, options: options)
        let client = try node.tls.map { _ throws(TopologyError) in try certificates.client() }
        mocks[node.id] = Mock(
            node, process(specification) { .mockRecord(mock: node.id, $0) }, port: port, client: client)
    }

    private func prepare(_ link: LinkSpec) throws(TopologyError) {
        let reservation: PortReservation
        if let port = topology.addressPorts(of: link.id).first {
            reservation = try reserve(address: link.id, port: port)
        } else {
            reservation = try reserve(port: link.port ?? 0)
        }
        let transport: Link.Transport = link.transport == .tcp ? .tcp : .http
        let relay = Link(
            name: link.id, world: world, loop: loop, address: reservation.address, transport: transport)
        relay.onDecision = { [weak self] decision in
            guard let self else { return }
            onEvent(.decision(decision, at: loop.now))
        }
        relay.tls = try tls(of: link)
        links[link.id] = relay
    }

    private func prepare(_ node: GatewayNode) throws(TopologyError) {
        if case .remote = node.source {
            gateways[node.id] = GatewayProcess(node, nil, proxyPort: 0, adminPort: 0)
            return
        }
        let (proxy, admin) = (try reserve().port, try reserve().port)
        let overrides = topology.bindings.filter { $0.gateway == node.id && !$0.isNamed }.compactMap { binding in
            links[binding.link].map { NodeCommand.Override(binding: binding, address: $0.address.text) }
        }
        let nameServer = nameServers[node.id]?.address?.text
        let authority = try usesTLS ? certificates.authorityPath() : nil
        if node.process == .inProcess {
            let gateway = GatewayProcess(node, nil, proxyPort: proxy, adminPort: admin)
            let settings = try NodeCommand.localGateway(
                node, proxyPort: proxy, adminPort: admin, overrides: overrides, nameServer: nameServer,
                authority: authority, options: options)
            gateway.local = LocalGateway(
                settings, seed: world.random.seed, remotes: options.remotes,
                logPath: options.folder.file("\(node.id).log"), loop: loop)
            gateways[node.id] = gateway
            return
        }
        let specification = try NodeCommand.gateway(
            node, proxyPort: proxy, adminPort: admin, overrides: overrides, nameServer: nameServer,
            authority: authority, seed: world.random.seed, options: options)
        gateways[node.id] = GatewayProcess(
            node, process(specification) { .gatewayRecord(gateway: node.id, $0) }, proxyPort: proxy, adminPort: admin)
    }

    /// A program that says nothing: it is ready when it takes a connection.
    func process(_ specification: ChildSpecification, listensAt address: SocketAddress) -> NodeProcess {
        let (world, loop) = (world, loop)
        return process(specification, readiness: .asked { Self.takesConnections(address, world, loop) }) { _ in nil }
    }

    private static func takesConnections(
        _ address: SocketAddress, _ world: World, _ loop: any EventLoop
    ) -> EventLoopFuture<Bool> {
        world.network.connect(to: address, on: loop, timeout: .seconds(1)) { $0.eventLoop.makeSucceededVoidFuture() }
            .flatMap { channel in channel.close().map { true } }
            .flatMapErrorThrowing { _ in false }
            .hop(to: loop)
    }

    private func process(
        _ specification: ChildSpecification, readiness: NodeProcess.Readiness = .told,
        record: @escaping (JSONValue) -> TopologyEvent?
    ) -> NodeProcess {
        let name = specification.name
        return NodeProcess(
            specification, supervisor: supervisor, loop: loop, startTimeout: options.startTimeout,
            readiness: readiness
        ) { [weak self] event in
            switch event {
            case .record(let value): if let event = record(value) { self?.onEvent(event) }
            case .change(let change, let instant): self?.changed(name, change, at: instant)
            }
        }
    }

    /// A link must refuse at once when its target is dead, and listen again only when the target does.
    private func changed(_ node: String, _ change: ProcessChange, at instant: NIODeadline) {
        if case .exited = change, let mock = mocks[node] {
            mock.address = nil
            for link in links(to: node) { link.setTarget(nil) }
        }
        onEvent(.process(node: node, change, at: instant))
        // A log that is followed has been read already.
        if case .exited(_, isExpected: false) = change, followers[node] == nil {
            for line in LogTail.lines(of: options.folder.file("\(node).log")) { onEvent(.log(node: node, line)) }
        }
    }

    private func links(to mock: String) -> [Link] {
        topology.links.filter { $0.to == mock }.compactMap { links[$0.id] }
    }

    /// - Returns: when the mock could be reached.
    func start(_ mock: Mock) -> EventLoopFuture<StepEffect> {
        let loop = loop
        return mock.process.start().assumeIsolated()
            .flatMapThrowing { ready in
                let address = try Self.address("address", in: ready, of: mock.node.id)
                mock.address = address
                return address
            }
            .flatMap { (address: SocketAddress) in
                let ready = loop.now
                return self.all(self.links(to: mock.node.id).map { $0.setTarget(address) })
                    .map { StepEffect(earliest: ready, latest: loop.now) }
            }
            .flatMap { effect in self.readSettings(of: mock).map { effect } }
            .nonisolated()
    }

    /// - Returns: when the gateway listened; its event stream is open then.
    func start(_ gateway: GatewayProcess) -> EventLoopFuture<StepEffect> {
        let loop = loop
        guard let process = gateway.process else {
            return gateway.local.map { start($0, of: gateway) } ?? meet(gateway)
        }
        return process.start().assumeIsolated()
            .flatMapThrowing { ready in
                gateway.proxy = try Self.address("proxy", in: ready, of: gateway.node.id)
                gateway.admin = try Self.address("admin", in: ready, of: gateway.node.id)
                // It says when it was ready; it listened a moment before.
                let stamp = ready["t"]?.intValue.map { NIODeadline.uptimeNanoseconds(UInt64(max(0, $0))) }
                return StepEffect(earliest: min(stamp ?? loop.now, loop.now), latest: loop.now)
            }
            .flatMap { (effect: StepEffect) in self.follow(gateway).map { effect } }
            .nonisolated()
    }

    private func start(_ local: LocalGateway, of gateway: GatewayProcess) -> EventLoopFuture<StepEffect> {
        let (loop, id) = (loop, gateway.node.id)
        return local.start().assumeIsolated()
            .flatMap { addresses in
                gateway.proxy = addresses.proxy
                gateway.admin = addresses.admin
                self.onEvent(.process(node: id, .ready(pid: OwnProcess.identifier), at: loop.now))
                return self.follow(gateway)
            }
            .map { StepEffect(earliest: loop.now, latest: loop.now) }
            .nonisolated()
    }

    /// A gateway that runs elsewhere: it must answer, and its events are followed if it has any.
    private func meet(_ gateway: GatewayProcess) -> EventLoopFuture<StepEffect> {
        let (loop, id) = (loop, gateway.node.id)
        guard case .remote(let proxy, let admin) = gateway.node.source else { return unknown(id) }
        return address(of: proxy, gateway: id).assumeIsolated()
            .flatMap { proxy in
                gateway.proxy = proxy
                return self.address(of: admin, gateway: id)
            }
            .flatMap { (admin: SocketAddress) in
                gateway.admin = admin
                return self.control.send(.get, "/", to: admin)
            }
            .flatMap { _ in
                self.follow(gateway).assumeIsolated().recover { error in
                    self.onEvent(.note("\(id) has no event stream, so nothing is known of its health checks: \(error)"))
                }.nonisolated()
            }
            .map {
                self.onEvent(.process(node: id, .ready(pid: 0), at: loop.now))
                return StepEffect(earliest: loop.now, latest: loop.now)
            }
            .nonisolated()
    }

    /// The first address that a URL leads to.
    private func address(of url: String, gateway: String) -> EventLoopFuture<SocketAddress> {
        guard let (host, port) = Reader.authority(of: url) else {
            return loop.makeFailedFuture(TopologyError("\(gateway): \(url) is no URL"))
        }
        return world.network.resolve(host.filter { !"[]".contains($0) }, port: port, on: loop).flatMapThrowing {
            guard let first = $0.first else { throw TopologyError("\(gateway): \(host) has no address") }
            return first
        }
    }

    private func follow(_ gateway: GatewayProcess) -> EventLoopFuture<Void> {
        let id = gateway.node.id
        guard let admin = gateway.admin else { return unknown(id) }
        let stream = EventStream(admin: admin, world: world, loop: loop) { [weak self] event in
            guard let self else { return }
            switch event {
            case .record(let record):
                onEvent(.gatewayRecord(gateway: id, record))
                noticeReload(record, of: gateway)
            case .damaged(let what): onEvent(.note("event stream of \(id): \(what)"))
            case .ended:
                let isEnding = gateway.process.map { $0.state != .running || $0.isEnding } ?? false
                if !isEnding, !isStopping {
                    onEvent(.note("event stream of \(id) has ended while the gateway runs: later events are lost"))
                }
            }
        }
        gateway.events = stream
        return stream.open()
    }

    /// `127.0.0.1:41234` in a `ready` record.
    private static func address(_ key: String, in ready: JSONValue, of node: String) throws -> SocketAddress {
        let text = ready[key]?.stringValue ?? ""
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            let address = try? SocketAddress(ipAddress: String(text[..<colon]), port: port)
        else { throw TopologyError("\(node) did not say where it listens: no \(key) in \(ready)") }
        return address
    }

    // MARK: Ending

    package func stop() -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        isStopping = true
        let drain = options.drain
        // Gateways first: the ends of their event streams say that every event has been told.
        return endAllStress().assumeIsolated()
            .flatMap { self.all(self.programs.values.map { $0.process.stop(drain: .milliseconds(500)) }) }
            .flatMap {
                self.all(self.gateways.values.compactMap { $0.process?.stop(drain: drain) ?? $0.local?.stop() })
            }
            .flatMap { self.all(self.mocks.values.map { $0.process.stop(drain: drain) }) }
            .flatMap { self.all(self.links.values.map { $0.stop() } + self.nameServers.values.map { $0.stop() }) }
            .flatMap { self.controlPort?.stop().recover { _ in } ?? self.loop.makeSucceededVoidFuture() }
            .map { for gateway in self.gateways.values { gateway.events?.close() } }
            .nonisolated()
    }

    package func kill() {
        loop.assertInEventLoop()
        isStopping = true
        _ = endAllStress()
        let processes =
            gateways.values.compactMap(\.process) + mocks.values.map(\.process) + programs.values.map(\.process)
        for process in processes { _ = process.kill() }
        for gateway in gateways.values { _ = gateway.local?.stop() }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import OrderedCollections
import Wire
package import World

/// A TCP relay between one gateway and one mock API, on which faults are put while it runs.
///
/// ```
/// gateway ──▶ listener ─┬─▶ LinkConnection 1 ──up──▶  mock API
///                       └─▶ LinkConnection 2 ◀─down──
/// ```
///
/// Without a fault it adds nothing but a hop: bytes, half-closes and resets pass on as they come, and who reads slowly
/// slows the sender. It refuses like the target would: while the target is dead, or `refuse` is on, nobody listens on
/// its port, so that a connect is refused by the kernel; afterwards it listens on the same port again. Lives on one
/// loop.
package final class Link {
    package struct Counters: Hashable, Sendable {
        /// Connections taken from the gateway.
        package var accepted = 0
        /// Of those, reset at once because of a `refuse` that works on a share of them.
        package var refused = 0
        /// Of those, given up because the target could not be reached.
        package var unreachable = 0
        /// Open now.
        package var open = 0
        /// Bytes taken from the gateway, and from the target.
        package var bytesUp = 0
        package var bytesDown = 0
        /// Bytes given to the target, and to the gateway.
        package var sentUp = 0
        package var sentDown = 0
    }

    /// What is known of the bytes.
    package enum Transport: Hashable, Sendable { case tcp, http }

    /// Where connections go. A name is looked up for each of them.
    package enum Target: Hashable, Sendable {
        case address(SocketAddress)
        case name(host: String, port: Int)
    }

    /// What a client sees of a target that cannot be reached.
    package enum Unreachable: Hashable, Sendable {
        case reset
        /// An orderly end, as Toxiproxy has it.
        case close
    }

    package let name: String
    package let loop: any EventLoop
    package private(set) var transport: Transport
    package internal(set) var counters = Counters()
    /// Told once for every connection or request a fault looked at.
    package var onDecision: (LinkDecision) -> Void = { _ in }
    package var unreachable = Unreachable.reset
    /// Nil: nobody here speaks TLS.
    package var tls: LinkTLS?
    let world: World
    private(set) var target: Target?
    private(set) var isStopped = false
    private(set) var isEnabled = true
    private(set) var placements: [Placement] = []
    var connections: OrderedDictionary<Int, LinkConnection> = [:]
    let port: LinkPort

    /// A fault on the link.
    struct Placement {
        var toxic: InstalledToxic
        /// Connections or requests it has looked at, and those it has hit.
        var seen = 0
        var hits = 0
    }

    /// - Parameter address: where to listen; port 0 takes any free port at the first time.
    package init(
        name: String, world: World, loop: any EventLoop, address: SocketAddress, transport: Transport = .tcp
    ) {
        self.name = name
        self.world = world
        self.loop = loop
        self.transport = transport
        port = LinkPort(network: world.network, loop: loop, address: address)
        port.accept = { [unowned self] in accept($0) }
    }

    /// Where it listens (or will again); the port is fixed once it has listened.
    package var address: SocketAddress { port.address }
    package var isListening: Bool { port.isOpen }
    package var toxics: [InstalledToxic] { placements.map(\.toxic) }
    /// How many connections or requests each fault has hit.
    var toxicCounts: [(toxic: InstalledToxic, hits: Int)] { placements.map { ($0.toxic, $0.hits) } }

    // MARK: Inputs

    /// The address of the living target, or nil when it is known to be dead. The future completes when the port listens
    /// or is closed, accordingly; fails with `NetworkError` when the port cannot be had.
    @discardableResult
    package func setTarget(_ target: SocketAddress?) -> EventLoopFuture<Void> {
        setTarget(named: target.map(Target.address))
    }

    @discardableResult
    package func setTarget(named target: Target?) -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        self.target = target
        return settle()
    }

    /// False closes the port and every connection, in order; true opens the port again.
    @discardableResult
    package func setEnabled(_ isEnabled: Bool) -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        self.isEnabled = isEnabled
        if !isEnabled { for connection in connections.values { connection.sever() } }
        return settle()
    }

    /// Puts a fault on the link: on open connections from their next byte, on new ones from their start. `refuse` also
    /// resets the open ones. Replaces a fault of the same name.
    @discardableResult
    package func install(_ toxic: InstalledToxic) -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        takeOff(toxic.name)
        placements.append(Placement(toxic: toxic))
        for connection in connections.values where connection.hasBegun {
            put(placements.count - 1, on: connection, isNew: false)
        }
        return settle()
    }

    /// Gives a fault other settings in its place: what it held passes, who was hit stays hit.
    @discardableResult
    package func update(_ toxic: InstalledToxic) -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        guard let place = placements.firstIndex(where: { $0.toxic.name == toxic.name }) else { return install(toxic) }
        placements[place].toxic = toxic
        for connection in connections.values where connection.hasBegun {
            put(place, on: connection, isNew: false, replacing: true)
        }
        return settle()
    }

    /// Takes a fault off; what it held back passes at once. The port listens again when the future completes.
    @discardableResult
    package func remove(_ name: String) -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        takeOff(name)
        return settle()
    }

    /// What passes is HTTP: faults may speak of requests from the next one on.
    package func followMessages() { transport = .http }

    /// Stops listening and resets every connection.
    package func stop() -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        isStopped = true
        for connection in connections.values { connection.reset() }
        return settle()
    }

    private func takeOff(_ name: String) {
        placements.removeAll { $0.toxic.name == name }
        for connection in connections.values { connection.remove(name) }
        let hole = Toxic.blackhole(BlackholeToxic(stage: .connect))
        let stall = Toxic.handshake(HandshakeToxic(.stall))
        guard !placements.contains(where: { $0.toxic.toxic == hole || $0.toxic.toxic == stall }) else { return }
        for connection in connections.values where connection.isHanging {
            connection.isHanging = false
            shake(connection, [])
        }
    }

    // MARK: The port

    private var wantedPort: LinkPort.Wanted {
        guard !isStopped, isEnabled, target != nil else { return .closed }
        let complete = placements.map(\.toxic).filter { $0.toxicity >= 1 && $0.nth == nil && $0.count == nil }
        if complete.contains(where: { $0.toxic == .refuse }) { return .closed }
        return complete.contains { $0.toxic == .blackhole(BlackholeToxic(stage: .connect)) } ? .hanging : .open
    }

    private func settle() -> EventLoopFuture<Void> { port.settle(wantedPort) }

    // MARK: Deciding

    /// Decides whether a fault hits a connection, and puts it there.
    /// - Returns: what it does to a new one; nil when it spares it, or is decided about for each request.
    @discardableResult
    private func put(
        _ place: Int, on connection: LinkConnection, isNew: Bool, replacing: Bool = false
    ) -> Toxic.Admission? {
        let toxic = placements[place].toxic
        if toxic.scope == .request || toxic.toxic.isOnFrames {
            connection.installOnMessages(toxic, replacing: replacing)
            return nil
        }
        guard decide(place, on: connection, replacing: replacing) else {
            if replacing { connection.remove(toxic.name) }
            return nil
        }
        let decision = toxic.decision(link: name, connection: connection.number, random: world.random)
        // A server that has another certificate, or other limits, was started anew: its connections are gone.
        if !isNew, decision.admission == .refuse || toxic.toxic.isOnHandshakes { connection.reset() }
        connection.install(decision, replacing: replacing)
        return decision.admission
    }

    /// Decides whether a fault hits a connection; who was hit stays hit when its settings change.
    private func decide(_ place: Int, on connection: LinkConnection, replacing: Bool) -> Bool {
        let toxic = placements[place].toxic
        if !replacing {
            placements[place].seen += 1
            connection.places[toxic.name] = placements[place].seen
        }
        let isHit = toxic.hits(
            place: connection.places[toxic.name] ?? 1, draw: connection.number, link: name, random: world.random)
        onDecision(
            LinkDecision(
                link: name, toxic: toxic.name, kind: toxic.toxic.name, connection: connection.number, isHit: isHit))
        if isHit, !replacing { placements[place].hits += 1 }
        return isHit
    }

    /// Whether a fault on HTTP/2 hits a connection that speaks it.
    func decide(_ toxic: String, onFramesOf connection: LinkConnection) -> Bool {
        guard let place = placements.firstIndex(where: { $0.toxic.name == toxic }) else { return false }
        return decide(place, on: connection, replacing: connection.places[toxic] != nil)
    }

    /// The faults that hit a request of HTTP/1.1, each with the number of its draw.
    func decide(_ head: RequestHead, connection: Int) -> [String: Int] {
        let request = LookedAt(
            connection: connection, line: "\(head.methodText) \(head.pathText)", chaosID: head.value(of: "X-Chaos-Id"))
        return decide(request) { !$0.toxic.isOnFrames && $0.match?.matches(head) ?? true }
    }

    /// The faults that hit a request of HTTP/2.
    func decide(_ request: FrameRequest, connection: Int) -> Set<String> {
        let looked = LookedAt(
            connection: connection, line: "\(request.method) \(request.path)",
            chaosID: request.values(of: "X-Chaos-Id").first)
        return Set(decide(looked) { $0.toxic.isOnFrames && $0.match?.matches(request) ?? true }.keys)
    }

    /// What is told of a request that faults look at.
    private struct LookedAt {
        var connection: Int
        var line: String
        var chaosID: String?
    }

    private func decide(_ request: LookedAt, _ isMeant: (InstalledToxic) -> Bool) -> [String: Int] {
        var hits: [String: Int] = [:]
        for place in placements.indices {
            let toxic = placements[place].toxic
            guard toxic.scope == .request, isMeant(toxic) else { continue }
            placements[place].seen += 1
            let number = placements[place].seen
            let isHit = toxic.hits(place: number, draw: number, link: name, random: world.random)
            if isHit {
                hits[toxic.name] = number
                placements[place].hits += 1
            }
            onDecision(
                LinkDecision(
                    link: name, toxic: toxic.name, kind: toxic.toxic.name, connection: request.connection,
                    request: number, line: request.line, chaosID: request.chaosID, isHit: isHit))
        }
        return hits
    }

    // MARK: Connections

    private func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        counters.accepted += 1
        counters.open += 1
        let connection = LinkConnection(number: counters.accepted, client: channel, link: self)
        connections[connection.number] = connection
        let prepared = connection.prepare(.client, channel)
        let begin = NIOLoopBound((self, connection), eventLoop: loop)
        // After the channel is registered: it can neither be reset nor read before.
        loop.execute { begin.value.0.begin(begin.value.1) }
        return prepared
    }

    private func begin(_ connection: LinkConnection) {
        connection.hasBegun = true
        guard target != nil, !isStopped, isEnabled else { return connection.reset() }
        let admissions = placements.indices.compactMap { put($0, on: connection, isNew: true) }
        guard !admissions.contains(.refuse) else {
            counters.refused += 1
            return connection.reset()
        }
        if admissions.contains(.hang) {
            connection.isHanging = true
            return
        }
        let delay = admissions.reduce(Int64(0)) { sum, admission in
            if case .delay(let delay) = admission { sum + delay.nanoseconds } else { sum }
        }
        let handshakes = admissions.compactMap { if case .tls(let admission) = $0 { admission } else { nil } }
        guard delay > 0 else { return shake(connection, handshakes) }
        let bound = NIOLoopBound((self, connection), eventLoop: loop)
        loop.scheduleTask(in: .nanoseconds(delay)) { bound.value.0.shake(bound.value.1, handshakes) }
    }

    /// Gives a connection the TLS that the link and its faults want, and goes on.
    private func shake(_ connection: LinkConnection, _ admissions: [TLSAdmission]) {
        guard connection.wantsServer else { return }
        switch TLSTreatment.decide(own: tls?.own, admissions) {
        case .pass: connect(connection)
        case .breakOff(.stall): connection.isHanging = true
        case .breakOff(let mode): connection.breakOffHandshake(HandshakeToxic(mode))
        case .terminate(let spec):
            guard let tls else { return connect(connection) }
            do {
                try connection.terminate(try tls.server(spec), onward: tls.onward)
                connect(connection)
            } catch {
                connection.reset()
            }
        }
    }

    private func connect(_ connection: LinkConnection) {
        guard connection.wantsServer, let target else { return }
        let bound = NIOLoopBound((self, connection), eventLoop: loop)
        resolved(target)
            .flatMap { [world, loop] address in
                // A loopback connect is answered at once; a full backlog is the gateway's timeout to notice, not ours.
                world.network.connect(to: address, on: loop, timeout: .hours(1)) { bound.value.1.prepare(.server, $0) }
            }
            .whenComplete { result in
                let (link, connection) = bound.value
                switch result {
                case .success(let channel): connection.connected(channel)
                case .failure:
                    link.counters.unreachable += 1
                    if link.unreachable == .close { connection.sever() } else { connection.reset() }
                }
            }
    }

    private func resolved(_ target: Target) -> EventLoopFuture<SocketAddress> {
        switch target {
        case .address(let address): return loop.makeSucceededFuture(address)
        case .name(let host, let port):
            return world.network.resolve(host, port: port, on: loop).flatMapThrowing { addresses in
                guard let address = addresses.first else { throw NetworkError(.nameNotFound, host) }
                return address
            }
        }
    }

    // MARK: From connections

    func count(_ bytes: Int, from side: LinkConnection.Side) {
        switch side {
        case .client: counters.bytesUp += bytes
        case .server: counters.bytesDown += bytes
        }
    }

    func countSent(_ bytes: Int, from side: LinkConnection.Side) {
        switch side {
        case .client: counters.sentUp += bytes
        case .server: counters.sentDown += bytes
        }
    }

    func closed(_ connection: LinkConnection) {
        guard connections.removeValue(forKey: connection.number) != nil else { return }
        counters.open -= 1
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import OrderedCollections
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
        /// Of those, reset because the target could not be reached.
        package var unreachable = 0
        /// Open now.
        package var open = 0
        /// Bytes taken from the gateway, and from the target.
        package var bytesUp = 0
        package var bytesDown = 0
    }

    private enum Listener {
        case closed
        /// Being opened or closed; what is wanted by then is looked at afterwards.
        case changing
        case open(any Channel)
    }

    package let name: String
    package let loop: any EventLoop
    package private(set) var counters = Counters()
    /// Where it listens (or will again); the port is fixed once it has listened.
    package private(set) var address: SocketAddress
    private let world: World
    private var target: SocketAddress?
    private var isStopped = false
    private var toxics: [InstalledToxic] = []
    private var listener = Listener.closed
    private var waiting: [EventLoopPromise<Void>] = []
    private var connections: OrderedDictionary<Int, LinkConnection> = [:]

    /// - Parameter address: where to listen; port 0 takes any free port at the first time.
    package init(name: String, world: World, loop: any EventLoop, address: SocketAddress) {
        self.name = name
        self.world = world
        self.loop = loop
        self.address = address
    }

    // MARK: Inputs

    /// The address of the living target, or nil when it is known to be dead. The future completes when the port listens
    /// or is closed, accordingly; fails with `NetworkError` when the port cannot be had.
    @discardableResult
    package func setTarget(_ target: SocketAddress?) -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        self.target = target
        return settle()
    }

    /// Puts a fault on the link: on open connections from their next byte, on new ones from their start. `refuse` also
    /// resets the open ones. Replaces a fault of the same name.
    @discardableResult
    package func install(_ toxic: InstalledToxic) -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        takeOff(toxic.name)
        toxics.append(toxic)
        for connection in connections.values {
            guard let decision = toxic.decide(link: name, connection: connection.number, random: world.random) else {
                continue
            }
            if decision.admission == .refuse { connection.reset() } else { connection.install(decision) }
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

    /// Stops listening and resets every connection.
    package func stop() -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        isStopped = true
        for connection in connections.values { connection.reset() }
        return settle()
    }

    // MARK: The port

    private var shouldListen: Bool {
        !isStopped && target != nil && !toxics.contains { $0.toxic == .refuse && $0.toxicity >= 1 }
    }

    private func takeOff(_ name: String) {
        toxics.removeAll { $0.name == name }
        for connection in connections.values { connection.remove(name) }
    }

    private func settle() -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        waiting.append(promise)
        reconcile()
        return promise.futureResult
    }

    /// Opens or closes the port until it is as wanted, one change at a time.
    private func reconcile() {
        switch (listener, shouldListen) {
        case (.changing, _): return
        case (.open, true), (.closed, false): complete(.success(()))
        case (.closed, true): listen()
        case (.open(let channel), false):
            listener = .changing
            let link = NIOLoopBound(self, eventLoop: loop)
            channel.close().whenComplete { _ in
                link.value.listener = .closed
                link.value.reconcile()
            }
        }
    }

    private func listen() {
        listener = .changing
        let link = NIOLoopBound(self, eventLoop: loop)
        world.network.listen(on: address, loops: loop, options: ListenOptions()) { link.value.accept($0) }
            .hop(to: loop)
            .whenComplete { result in link.value.listened(result) }
    }

    private func listened(_ result: Result<any Channel, any Error>) {
        switch result {
        case .success(let channel):
            listener = .open(channel)
            address = channel.localAddress ?? address
            reconcile()
        case .failure(let error):
            listener = .closed
            complete(.failure(error))
        }
    }

    private func complete(_ result: Result<Void, any Error>) {
        let promises = waiting
        waiting = []
        for promise in promises { promise.completeWith(result) }
    }

    // MARK: Connections

    private func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        counters.accepted += 1
        counters.open += 1
        let number = counters.accepted
        let decisions = toxics.compactMap { $0.decide(link: name, connection: number, random: world.random) }
        let connection = LinkConnection(number: number, client: channel, link: self)
        connections[number] = connection
        for decision in decisions { connection.install(decision) }
        let prepared = connection.prepare(.client, channel)
        let begin = NIOLoopBound((self, connection, decisions.map(\.admission)), eventLoop: loop)
        // After the channel is registered: it can neither be reset nor read before.
        loop.execute {
            let (link, connection, admissions) = begin.value
            link.begin(connection, admissions)
        }
        return prepared
    }

    private func begin(_ connection: LinkConnection, _ admissions: [Toxic.Admission]) {
        guard let target, !admissions.contains(.refuse) else {
            counters.refused += 1
            return connection.reset()
        }
        let delay = admissions.reduce(Int64(0)) { sum, admission in
            if case .delay(let delay) = admission { sum + delay.nanoseconds } else { sum }
        }
        guard delay > 0 else { return connect(connection, to: target) }
        let bound = NIOLoopBound((self, connection), eventLoop: loop)
        loop.scheduleTask(in: .nanoseconds(delay)) { bound.value.0.connect(bound.value.1, to: target) }
    }

    private func connect(_ connection: LinkConnection, to target: SocketAddress) {
        let bound = NIOLoopBound((self, connection), eventLoop: loop)
        // A loopback connect is answered at once; a full backlog is the gateway's timeout to notice, not ours.
        world.network.connect(to: target, on: loop, timeout: .hours(1)) { bound.value.1.prepare(.server, $0) }
            .whenComplete { result in
                let (link, connection) = bound.value
                switch result {
                case .success(let channel): connection.connected(channel)
                case .failure:
                    link.counters.unreachable += 1
                    connection.reset()
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

    func closed(_ connection: LinkConnection) {
        guard connections.removeValue(forKey: connection.number) != nil else { return }
        counters.open -= 1
    }
}

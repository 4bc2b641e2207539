// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
package import NIOCore
package import World

#if GATECRASH_DEFECTS
import Defects
#endif

/// A running gateway: proxy and Admin API listen, health checks run. A handle that may go anywhere; what it stands for
/// lives on the control loop.
package struct Gateway: Sendable {
    /// Where clients connect, in the order of the settings; with the real port where a free one was asked for.
    package let listeners: [ListenerSettings]
    /// Why listeners are missing that nobody had asked for: their default addresses were taken.
    package let listenerProblems: [String]
    package let adminAddress: SocketAddress
    /// Nil when there is no such listener.
    package let statusAddress: SocketAddress?
    /// Why there is none although there might be: its default address was taken.
    package let statusProblem: String?
    private let loop: any EventLoop
    private let core: NIOLoopBound<GatewayCore>

    /// Starts a gateway.
    ///
    /// - Parameters:
    ///   - world: every event loop of it gets a worker; the first one is the control loop.
    ///   - document: a declarative file's text and name; it is read before anything listens.
    ///   - processID: shown by `GET /`.
    /// - Returns: fails with `Problems` for a bad document and with `NetworkError` when it cannot listen.
    package static func start(
        world: World, settings: GatewaySettings, log: GatewayLog = .silent,
        document: (text: String, file: String)? = nil, processID: Int = 0
    ) -> EventLoopFuture<Gateway> {
        let loops = Array(world.loops.makeIterator())
        let loop = loops[0]
        return loop.flatSubmit {
            let core = GatewayCore(world: world, loop: loop, settings: settings, log: log)
            do {
                let loaded = try Self.load(document, settings, world)
                core.prepare(store: loaded.reading.store, processID: processID)
                core.makeWorkers(on: loops)
                core.replace(with: loaded, source: document == nil ? .admin : .file)
                #if GATECRASH_DEFECTS
                if Defect.readyTooEarly.isChosen {
                    core.replace(with: Self.nothing(settings), source: .file)
                    loop.assumeIsolated().scheduleTask(in: .seconds(2)) { core.replace(with: loaded, source: .file) }
                }
                #endif
            } catch {
                return loop.makeFailedFuture(error)
            }
            let bound = NIOLoopBound(core, eventLoop: loop)
            return core.namesSettled(within: Self.firstLookups).flatMap { bound.value.listen() }.map { addresses in
                Gateway(
                    listeners: addresses.proxy, listenerProblems: addresses.proxyProblems,
                    adminAddress: addresses.admin, statusAddress: addresses.status,
                    statusProblem: addresses.statusProblem, loop: loop, core: bound)
            }.flatMapError { error in
                bound.value.stop().flatMapThrowing { throw error }
            }
        }
    }

    /// The first listener for plain HTTP; the first of all when there is none.
    package var proxyAddress: SocketAddress { (listeners.first { !$0.isEncrypted } ?? listeners[0]).address }
    /// The first listener for TLS.
    package var tlsAddress: SocketAddress? { listeners.first(where: \.isEncrypted)?.address }

    /// How long listening waits for the names of a declarative file, so that the first requests find their upstreams.
    private static let firstLookups = TimeAmount.seconds(2)

    private static func load(
        _ document: (text: String, file: String)?, _ settings: GatewaySettings, _ world: World
    ) throws(Problems) -> LoadedConfiguration {
        guard let document else { return nothing(settings) }
        let loader = ConfigurationLoader(
            acceptsServiceHealthChecks: !settings.strict, now: world.wallClock.nanosecondsSinceEpoch)
        do throws(DeclarativeError) {
            return try loader.load(document.text, file: document.file)
        } catch {
            throw error.problems
        }
    }

    private static func nothing(_ settings: GatewaySettings) -> LoadedConfiguration {
        LoadedConfiguration(
            DeclarativeReading(store: EntityStore(acceptsServiceHealthChecks: !settings.strict)))
    }

    /// Replaces the configuration by that of a file; a large one is read in the background. A bad one changes nothing.
    ///
    /// - Returns: fails with `Problems`.
    package func reload(_ text: String, file: String) -> EventLoopFuture<Void> {
        loop.flatSubmit { [core] in core.value.reload(text, file: file) }
    }

    /// Stops listening, lets requests under way finish for as long as the settings allow, closes everything.
    package func stop() -> EventLoopFuture<Void> { loop.flatSubmit { [core] in core.value.stop() } }

    /// What a supervisor waits for.
    package func readyRecord(pid: Int) -> JSONValue {
        var record: JSONValue = [
            "kind": "ready", "t": .integer(Int(loop.now.uptimeNanoseconds)), "role": "gateway",
            "proxy": .string(proxyAddress.text), "admin": .string(adminAddress.text),
            "status": statusAddress.map { .string($0.text) } ?? .null, "pid": .integer(pid),
        ]
        if let tlsAddress { record["proxy_tls"] = .string(tlsAddress.text) }
        return record
    }
}

extension GatewayCore {
    fileprivate func makeWorkers(on loops: [any EventLoop]) {
        let reporter = monitor.reporter
        for (index, loop) in loops.enumerated() {
            let worker = ProxyWorker(
                index: index, loop: loop, world: world, settings: settings, log: log, reporter: reporter)
            let counters = worker.counters
            add(WorkerHandle(loop: loop, worker: .makeBoxSendingValue(worker, eventLoop: loop), counters: counters))
        }
    }

    struct Addresses: Sendable {
        var proxy: [ListenerSettings] = []
        var proxyProblems: [String] = []
        var admin: SocketAddress
        var status: SocketAddress?
        var statusProblem: String?
    }

    /// Opens the listeners of the proxy (each once a worker, sharing the port), the Admin API and the status listener.
    ///
    /// - Returns: the listeners with the ports they got.
    func listen() -> EventLoopFuture<Addresses> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let none = loop.makeSucceededFuture(Addresses(admin: settings.adminListen))
        // One after the other: of two listeners on one port the second one is refused, not the faster one accepted.
        let opened = settings.proxyListeners.reduce(none) { before, listener in
            before.flatMap { addresses in bound.value.open(listener, after: addresses) }
        }
        return opened.flatMap { addresses in
            bound.value.listenAdmin().map { admin in
                var addresses = addresses
                addresses.admin = admin
                return addresses
            }
        }.flatMap { bound.value.listenStatus($0) }
    }

    private func open(_ listener: ListenerSettings, after before: Addresses) -> EventLoopFuture<Addresses> {
        var options = ListenOptions()
        options.sharesPort = workers.count > 1
        let shared = options
        let bound = NIOLoopBound(self, eventLoop: loop)
        return listen(workers[0], on: listener, shared).flatMap { [workers, loop] address in
            var addresses = before
            addresses.proxy.append(listener)
            addresses.proxy[addresses.proxy.count - 1].address = address
            let opened = addresses
            let others = workers.dropFirst().map { worker in
                bound.value.listen(worker, on: opened.proxy[opened.proxy.count - 1], shared)
            }
            return EventLoopFuture.andAllSucceed(others, on: loop).map { opened }
        }.flatMapErrorThrowing { error in
            guard listener.mayBeMissing else { throw error }
            var addresses = before
            addresses.proxyProblems.append("\(error)")
            return addresses
        }
    }

    private func listen(
        _ handle: WorkerHandle, on listener: ListenerSettings, _ options: ListenOptions
    ) -> EventLoopFuture<SocketAddress> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        return world.network.listen(on: listener.address, loops: handle.loop, options: options) { channel in
            handle.worker.value.accept(channel, on: listener)
        }.hop(to: loop).map { channel in
            bound.value.listeners.append(channel)
            return channel.localAddress ?? listener.address
        }
    }

    private func listenAdmin() -> EventLoopFuture<SocketAddress> { listen(as: .admin, on: settings.adminListen) }

    private func listenStatus(_ addresses: Addresses) -> EventLoopFuture<Addresses> {
        guard let address = settings.statusListen else { return loop.makeSucceededFuture(addresses) }
        return listen(as: .status, on: address).map { status in
            var addresses = addresses
            addresses.status = status
            return addresses
        }.flatMapErrorThrowing { [settings] error in
            guard settings.statusMayBeMissing else { throw error }
            var addresses = addresses
            addresses.statusProblem = "\(error)"
            return addresses
        }
    }

    private func listen(as listener: AdminAPI.Listener, on address: SocketAddress) -> EventLoopFuture<SocketAddress> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        return world.network.listen(on: address, loops: loop, options: ListenOptions()) { channel in
            bound.value.acceptAdmin(channel, as: listener)
        }.hop(to: loop).map { channel in
            bound.value.listeners.append(channel)
            return channel.localAddress ?? address
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway
import NIOCore
import World

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A gateway in the runner's own process (`process: in-process`), on event loops of its own. It listens, logs and is
/// asked like one that was spawned; it has no process that could be killed, stopped or measured. Confined to the loop
/// of its topology.
final class LocalGateway {
    private let options: GatewayOptions
    private let world: World
    private let loop: any EventLoop
    private let log: GatewayLog
    private var running: Gateway?

    /// - Parameters:
    ///   - options: with a declarative file.
    ///   - logPath: of the file that gets what a process would write to stderr.
    init(
        _ options: GatewayOptions, seed: UInt64, remotes: Remotes, logPath: String, loop: any EventLoop
    ) {
        self.options = options
        self.loop = loop
        var world = World.real(threads: options.workers, seed: seed, loops: .own)
        world.network = ConfinedNetwork(world.network, allowing: remotes)
        self.world = world
        let file = AppendedFile(path: logPath)
        log = GatewayLog { level, text in file.append("[\(level)] \(text)\n") }
    }

    /// - Returns: where it listens; on the loop, fails with `TopologyError`.
    func start() -> EventLoopFuture<(proxy: SocketAddress, admin: SocketAddress)> {
        let path = options.configPath ?? ""
        do {
            let text = try ScenarioFile.text(ofFile: path)
            return Gateway.start(world: world, settings: options.settings, log: log, document: (text, path))
                .hop(to: loop).assumeIsolated()
                .map { (gateway: Gateway) -> (proxy: SocketAddress, admin: SocketAddress) in
                    self.running = gateway
                    return (gateway.proxyAddress, gateway.adminAddress)
                }
                .flatMapErrorThrowing { throw TopologyError("the gateway cannot start: \($0)") }
                .nonisolated()
        } catch {
            return loop.makeFailedFuture(TopologyError("\(error)"))
        }
    }

    /// Reads its file again, as SIGHUP makes a process do.
    func reload() -> EventLoopFuture<Void> {
        guard let running else { return loop.makeSucceededVoidFuture() }
        let path = options.configPath ?? ""
        do {
            return running.reload(try ScenarioFile.text(ofFile: path), file: path).hop(to: loop)
        } catch {
            return loop.makeFailedFuture(TopologyError("\(error)"))
        }
    }

    /// - Returns: when requests under way were finished and its loops are about to end. Never fails.
    func stop() -> EventLoopFuture<Void> {
        let loops = world.loops
        guard let gateway = running else {
            loops.shutdownGracefully { _ in }
            return loop.makeSucceededVoidFuture()
        }
        running = nil
        return gateway.stop().hop(to: loop).recover { _ in }.map { loops.shutdownGracefully { _ in } }
    }
}

/// A file that lines are added to, from any thread. One that cannot be opened takes them and keeps none.
private final class AppendedFile: Sendable {
    private let descriptor: CInt

    init(path: String) { descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func append(_ text: String) {
        let bytes = Array(text.utf8)
        if descriptor >= 0 { _ = write(descriptor, bytes, bytes.count) }
    }
}

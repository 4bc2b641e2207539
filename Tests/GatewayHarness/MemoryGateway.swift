// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Gateway
package import NIOCore
import NIOEmbedded
package import World

/// A whole gateway in one thread, without sockets and without real time: what clients and upstreams send and get is
/// exact to the byte, and when to the nanosecond. For tests and for fuzzing.
package final class MemoryGateway {
    /// What becomes of a connection that the gateway opens.
    package enum Connecting {
        /// It is there; the closure gets the upstream's end before anything moves.
        case accepted((MemoryPeer) -> Void)
        case refused
        /// Nobody answers until the time is over.
        case silent
    }

    /// Decides about each connection that the gateway opens.
    package struct Connector {
        let decide: (Int) -> Connecting

        /// - Parameter decide: gets the port.
        package init(_ decide: @escaping (Int) -> Connecting) { self.decide = decide }
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private let loop = EmbeddedEventLoop()
    private let network: MemoryNetwork
    package let gateway: Gateway

    /// - Parameters:
    ///   - config: a declarative file. Its addresses are literal; ports tell upstreams apart.
    ///   - background: where configurations are read.
    package init(
        _ config: String, _ configure: (inout GatewaySettings) -> Void = { _ in },
        background: any Background = ImmediateBackground(), connector: Connector
    ) throws {
        network = MemoryNetwork(loop: loop)
        network.state.onConnect = connector.decide
        let world = World(
            loops: loop, network: network, wallClock: StillClock(), random: RandomStreams(seed: 1),
            background: background)
        var settings = GatewaySettings(proxyListen: .loopback(port: 8000), adminListen: .loopback(port: 8001))
        settings.isDeclarative = true
        configure(&settings)
        let result = NIOLoopBoundBox<Result<Gateway, any Error>?>(nil, eventLoop: loop)
        Gateway.start(world: world, settings: settings, document: (config, "kong.yml")).whenComplete {
            result.value = $0
        }
        loop.run()
        guard let started = result.value else { throw Failure(description: "the gateway did not start") }
        gateway = try started.get()
    }

    deinit {
        for peer in network.state.clients + network.state.upstreams { peer.onReceive = nil }
        _ = gateway.stop()
        loop.advanceTime(by: .hours(1))
        for peer in network.state.clients + network.state.upstreams { peer.channel.close(promise: nil) }
        loop.run()
        network.state = MemoryNetwork.State()
    }

    /// Connections that the gateway has opened, in their order.
    package var upstreams: [MemoryPeer] { network.state.upstreams }

    /// A client's connection to the proxy.
    package func connect(from address: String = "127.0.0.9") throws -> MemoryPeer {
        let peer = try network.openClient(listener: 0, from: SocketAddress(ipAddress: address, port: 40_000))
        run()
        return peer
    }

    /// A client's connection to the Admin API.
    package func connectToAdmin() throws -> MemoryPeer {
        let peer = try network.openClient(listener: 1, from: SocketAddress(ipAddress: "127.0.0.9", port: 40_001))
        run()
        return peer
    }

    /// Carries bytes until nothing moves any more. Time stands still.
    package func run() {
        var moved = true
        while moved {
            loop.run()
            moved = false
            for peer in network.state.clients + network.state.upstreams where peer.pump() { moved = true }
        }
    }

    /// Lets time pass.
    package func advance(_ time: TimeAmount) {
        run()
        loop.advanceTime(by: time)
        run()
    }

    /// Replaces the configuration.
    package func reload(_ config: String) {
        _ = gateway.reload(config, file: "next.yml")
        run()
    }

    package func stop() -> EventLoopFuture<Void> {
        defer { run() }
        return gateway.stop()
    }
}

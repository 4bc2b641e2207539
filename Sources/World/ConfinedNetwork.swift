// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import Synchronization

/// A network that ends at this machine's loopback, but for what a person has named: whatever a configuration, a name
/// server or an Admin API says, no connection is opened and no name looked up beyond it.
package final class ConfinedNetwork: Network {
    private let network: any Network
    private let remotes: Remotes
    /// Where the names that are allowed led, as `address:port`.
    private let found = Mutex<Set<String>>([])

    package init(_ network: any Network, allowing remotes: Remotes) {
        self.network = network
        self.remotes = remotes
    }

    package func listen(
        on address: SocketAddress, loops: any EventLoopGroup, options: ListenOptions,
        accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        network.listen(on: address, loops: loops, options: options, accept: accept)
    }

    package func connect(
        to address: SocketAddress, on loop: any EventLoop, timeout: TimeAmount,
        prepare: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        guard address.isLoopback || isAllowed(address) else {
            return loop.makeFailedFuture(
                NetworkError(.notPermitted, "\(address.text) is not on this machine (--allow-remote names what may be)")
            )
        }
        return network.connect(to: address, on: loop, timeout: timeout, prepare: prepare)
    }

    package func datagrams(
        on address: SocketAddress, loop: any EventLoop,
        prepare: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        network.datagrams(on: address, loop: loop) { [self] channel in
            // Next to the socket, so that it sees what every other handler writes.
            do {
                try channel.pipeline.syncOperations.addHandler(DatagramFence { self.isAllowed($0) }, position: .first)
            } catch {
                return channel.eventLoop.makeFailedFuture(error)
            }
            return prepare(channel)
        }
    }

    package func resolve(_ host: String, port: Int, on loop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
        if (try? SocketAddress(ipAddress: host, port: port)) != nil || Remotes.isLocal(host) {
            return network.resolve(host, port: port, on: loop)
        }
        guard remotes.allow(host, port: port) else {
            return loop.makeFailedFuture(
                NetworkError(
                    .notPermitted, "\(host) is looked up beyond this machine (--allow-remote \(host) permits it)"))
        }
        return network.resolve(host, port: port, on: loop).map { addresses in
            self.found.withLock { $0.formUnion(addresses.map(\.text)) }
            return addresses
        }
    }

    private func isAllowed(_ address: SocketAddress) -> Bool {
        if let host = address.ipAddress, let port = address.port, remotes.allow(host, port: port) { return true }
        return found.withLock { $0.contains(address.text) }
    }
}

/// Lets datagrams pass to loopback and to what is allowed; the write of any other fails.
private final class DatagramFence: ChannelOutboundHandler {
    typealias OutboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let isAllowed: @Sendable (SocketAddress) -> Bool

    init(isAllowed: @escaping @Sendable (SocketAddress) -> Bool) { self.isAllowed = isAllowed }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let to = unwrapOutboundIn(data).remoteAddress
        guard to.isLoopback || isAllowed(to) else {
            promise?.fail(
                NetworkError(.notPermitted, "\(to.text) is not on this machine (--allow-remote names what may be)"))
            return
        }
        context.write(data, promise: promise)
    }
}

/// The hosts beyond this machine that a person has named (`--allow-remote`): `host` for all its ports, or `host:port`;
/// an IPv6 address in brackets when it has a port.
package struct Remotes: Hashable, Sendable {
    package var names: [String]

    package init(_ names: [String] = []) { self.names = names }

    package func allow(_ host: String, port: Int) -> Bool {
        let host = Self.plain(host)
        return names.contains { name in
            let name = name.lowercased()
            return Self.plain(name) == host || name == "\(host):\(port)" || name == "[\(host)]:\(port)"
        }
    }

    /// Whether a name or literal address means this machine for certain, without asking anybody.
    package static func isLocal(_ host: String) -> Bool {
        let host = plain(host)
        if host == "localhost" || host.hasSuffix(".localhost") { return true }
        return (try? SocketAddress(ipAddress: host, port: 0))?.isLoopback ?? false
    }

    /// In lower case, without the brackets of an IPv6 address.
    private static func plain(_ host: String) -> String {
        let host = host.lowercased()
        return host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }
}

extension SocketAddress {
    /// 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104 and sockets of the file system.
    package var isLoopback: Bool {
        switch self {
        case .v4(let address): UInt32(bigEndian: address.address.sin_addr.s_addr) >> 24 == 127
        case .v6(let address):
            withUnsafeBytes(of: address.address.sin6_addr) { bytes in
                let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
                return isMapped ? bytes[12] == 127 : bytes[..<15].allSatisfy { $0 == 0 } && bytes[15] == 1
            }
        case .unixDomainSocket: true
        }
    }
}

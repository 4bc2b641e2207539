// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The kernel's sockets by way of NIOPosix, and the system's resolver.
package struct RealNetwork: Network {
    /// Reads of up to 64 KiB that one event may bring before anybody can say that it is enough. With what a channel
    /// holds before it says so (64 KiB), a stream whose reader is slow takes 192 KiB at most.
    private static let readsPerEvent: UInt = 2

    package init() {}

    package func listen(
        on address: SocketAddress, loops: any EventLoopGroup, options: ListenOptions,
        accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        #if os(Linux)
        if let loop = loops.next() as? PollLoop {
            return listen(on: address, loop: loop, children: loops, options: options, accept: accept)
        }
        #endif
        var bootstrap = ServerBootstrap(group: loops, childGroup: loops)
            .serverChannelOption(.backlog, value: options.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: options.acceptsAtOnce)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: Self.readsPerEvent)
            .childChannelInitializer { channel in accept(channel) }
        #if os(Linux)
        if options.sharesPort {
            bootstrap = bootstrap.serverChannelOption(.socketOption(.init(rawValue: SO_REUSEPORT)), value: 1)
        }
        #endif
        return bootstrap.bind(to: address).flatMapErrorThrowing { throw Self.error($0, at: "\(address)") }
    }

    package func connect(
        to address: SocketAddress, on loop: any EventLoop, timeout: TimeAmount,
        prepare: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        #if os(Linux)
        if let loop = loop as? PollLoop { return connect(to: address, loop: loop, timeout: timeout, prepare: prepare) }
        #endif
        return ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.maxMessagesPerRead, value: Self.readsPerEvent)
            .channelInitializer { channel in prepare(channel) }
            .connect(to: address)
            .flatMapErrorThrowing { throw Self.error($0, at: "\(address)") }
    }

    package func datagrams(
        on address: SocketAddress, loop: any EventLoop,
        prepare: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        #if os(Linux)
        if let loop = loop as? PollLoop { return datagrams(on: address, poll: loop, prepare: prepare) }
        #endif
        return DatagramBootstrap(group: loop)
            .channelInitializer { channel in prepare(channel) }
            .bind(to: address)
            .flatMapErrorThrowing { throw Self.error($0, at: "\(address)") }
    }

    package func resolve(_ host: String, port: Int, on loop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
        guard (0...65_535).contains(port) else {
            return loop.makeFailedFuture(NetworkError(.nameNotFound, "\(host):\(port) (a port is from 0 to 65535)"))
        }
        if let literal = try? SocketAddress(ipAddress: host, port: port) { return loop.makeSucceededFuture([literal]) }
        // getaddrinfo blocks, so it has a thread of the pool; only host names that are no literals come here.
        return NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
            let addresses = Self.addresses(of: host, port: port)
            if addresses.isEmpty { throw NetworkError(.nameNotFound, host) }
            return addresses
        }
    }

    /// All that getaddrinfo(3) knows, each once, in its order (RFC 6724).
    private static func addresses(of host: String, port: Int) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Glibc)
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        #else
        hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { if let list { freeaddrinfo(list) } }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            if let address = Self.address(entry.pointee, port: port), !found.contains(address) { found.append(address) }
        }
        return found
    }

    private static func address(_ entry: addrinfo, port: Int) -> SocketAddress? {
        guard let generic = entry.ai_addr else { return nil }
        let bigEndian = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
        switch entry.ai_family {
        case AF_INET where entry.ai_addrlen >= MemoryLayout<sockaddr_in>.size:
            var address = UnsafeRawPointer(generic).loadUnaligned(as: sockaddr_in.self)
            address.sin_port = bigEndian
            return SocketAddress(address)
        case AF_INET6 where entry.ai_addrlen >= MemoryLayout<sockaddr_in6>.size:
            var address = UnsafeRawPointer(generic).loadUnaligned(as: sockaddr_in6.self)
            address.sin6_port = bigEndian
            return SocketAddress(address)
        default: return nil
        }
    }

    static func error(_ error: any Error, at place: String) -> NetworkError {
        switch error {
        case let error as NetworkError: return error
        case is ChannelError:
            if case .connectTimeout? = error as? ChannelError { return NetworkError(.timedOut, place) }
            return NetworkError(.other, "\(place): \(error)")
        case let error as IOError:
            let code: NetworkError.Code =
                switch error.errnoCode {
                case ECONNREFUSED: .refused
                case ETIMEDOUT: .timedOut
                case ECONNRESET, EPIPE: .reset
                case EHOSTUNREACH, ENETUNREACH, ENETDOWN, EADDRNOTAVAIL: .unreachable
                case EADDRINUSE: .addressInUse
                case EACCES, EPERM: .notPermitted
                default: .other
                }
            return NetworkError(code, code == .other ? "\(place): \(error)" : place)
        default: return NetworkError(.other, "\(place): \(error)")
        }
    }
}

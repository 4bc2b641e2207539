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
            .channelInitializer { channel in prepare(channel) }
            .connect(to: address)
            .flatMapErrorThrowing { throw Self.error($0, at: "\(address)") }
    }

    package func resolve(_ host: String, port: Int, on loop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
        guard (0...65_535).contains(port) else {
            return loop.makeFailedFuture(NetworkError(.nameNotFound, "\(host):\(port) (a port is from 0 to 65535)"))
        }
        if let literal = try? SocketAddress(ipAddress: host, port: port) { return loop.makeSucceededFuture([literal]) }
        // getaddrinfo blocks, so it has a thread of the pool; only host names that are no literals come here.
        return NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
            do {
                return [try SocketAddress.makeAddressResolvingHost(host, port: port)]
            } catch {
                throw NetworkError(.nameNotFound, host)
            }
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

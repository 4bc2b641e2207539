// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Keeps a loopback port for somebody who will listen on it, now and again after every restart: a socket that is bound
/// and never listens.
///
/// The kernel gives a bound port to nobody else, neither for a bind to port 0 nor for an outgoing connection, but lets
/// a listener with SO_REUSEADDR have it (tcp(7): two bound sockets may share an address as long as none listens). While
/// nobody listens a connect is refused. So there is no moment in which another program could take the port.
package final class PortReservation: Sendable {
    package let port: Int
    private let descriptor: CInt

    /// The address, in the byte order of the host.
    private let host: UInt32

    /// Whether nothing holds a port but connections that were closed a moment ago: a run before this one had it. Linux
    /// tells; elsewhere it is somebody else's.
    private static func onlyLingers(_ port: Int) -> Bool {
        guard let bytes = try? BoundedFile.bytes(of: "/proc/net/tcp", limit: 1 << 24) else { return false }
        let digits = String(port, radix: 16, uppercase: true)
        let end = ":" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        let states = String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line -> Substring? in
            let columns = line.split(separator: " ")
            return columns.count > 3 && columns[1].hasSuffix(end) ? columns[3] : nil
        }
        return !states.isEmpty && states.allSatisfy { $0 == "06" }
    }

    /// - Parameters:
    ///   - host: an address of loopback.
    ///   - port: 0 takes a free one.
    /// - Throws: `TopologyError` when the port is somebody else's.
    package init(host: UInt32 = 0x7F00_0001, port wanted: Int = 0) throws(TopologyError) {
        #if canImport(Glibc)
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        #elseif canImport(Musl)
        let type = SOCK_STREAM | SOCK_CLOEXEC
        #else
        let type = SOCK_STREAM
        #endif
        let socket = socket(AF_INET, type, 0)
        guard socket >= 0 else { throw TopologyError("no socket could be made: \(systemMessage(errno))") }
        var on: CInt = 1
        // A port that was asked for is bound without the option first, so that it is nobody's: two that only keep it
        // would not disturb each other.
        if wanted == 0 { setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size)) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(truncatingIfNeeded: wanted)).bigEndian
        address.sin_addr = in_addr(s_addr: host.bigEndian)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        func binds() -> Bool {
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                    bind(socket, generic, length) == 0 && getsockname(socket, generic, &length) == 0
                }
            }
        }
        var isBound = binds()
        if !isBound, errno == EADDRINUSE, wanted != 0, Self.onlyLingers(wanted) {
            setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size))
            isBound = binds()
        }
        guard isBound else {
            let code = errno
            close(socket)
            throw TopologyError(
                "port \(wanted) of \(SocketAddress(loopback: host, port: 0).ipAddress ?? "") cannot be had: "
                    + "\(systemMessage(code)); free it, or leave the port out of the scenario so that any free one "
                    + "is taken")
        }
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size))
        descriptor = socket
        self.host = host
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }

    package var address: SocketAddress { SocketAddress(loopback: host, port: port) }
}

extension SocketAddress {
    /// 127.0.0.1 and a port.
    package init(loopbackPort port: Int) { self.init(loopback: 0x7F00_0001, port: port) }

    /// - Parameter host: an IPv4 address in the byte order of the host.
    init(loopback host: UInt32, port: Int) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
        address.sin_addr = in_addr(s_addr: host.bigEndian)
        self.init(address)
    }
}

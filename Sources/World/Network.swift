// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Sockets and names. Nobody else names a bootstrap or a resolver.
package protocol Network: Sendable {
    /// Listens on a TCP address and hands every accepted connection to `accept` on that connection's event loop, before
    /// it reads anything.
    ///
    /// - Parameters:
    ///   - address: port 0 asks for a free one; the channel's `localAddress` says which.
    ///   - loops: where accepted connections live; the listener lives on one of them.
    /// - Returns: the listening channel; closing it ends listening and leaves accepted connections alone. Fails with
    ///   `NetworkError`.
    func listen(
        on address: SocketAddress, loops: any EventLoopGroup, options: ListenOptions,
        accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel>

    /// Opens a TCP connection on `loop`; `prepare` adds the handlers before anything is read.
    ///
    /// - Returns: the open channel. Fails with `NetworkError`: `.refused`, `.timedOut` after `timeout`,
    ///   `.unreachable`….
    func connect(
        to address: SocketAddress, on loop: any EventLoop, timeout: TimeAmount,
        prepare: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel>

    /// Opens a UDP socket on `loop`, bound to `address` (port 0 takes a free one); `prepare` adds the handlers before
    /// anything is read. They see and write `AddressedEnvelope<ByteBuffer>`, one a datagram.
    ///
    /// - Returns: the open channel. Fails with `NetworkError`.
    func datagrams(
        on address: SocketAddress, loop: any EventLoop,
        prepare: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel>

    /// Every address of a host name or literal address by the system's resolver, in its order, at least one. Fails with
    /// `NetworkError.nameNotFound`.
    func resolve(_ host: String, port: Int, on loop: any EventLoop) -> EventLoopFuture<[SocketAddress]>
}

package struct ListenOptions: Sendable {
    /// Connections that the kernel completes before the program accepts them.
    package var backlog: Int32 = 1024
    /// Several listeners on one address share its connections (SO_REUSEPORT).
    package var sharesPort = false
    /// False: nothing is accepted until somebody calls `read()` on the listening channel.
    package var acceptsAtOnce = true

    package init() {}
}

/// Why the network refused. Carries what a person needs, and what a gateway counts.
package struct NetworkError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        case refused, timedOut, reset, unreachable, nameNotFound, nameServerFailed, addressInUse, notPermitted, other
    }

    package var code: Code
    /// The address or name, and the system's words.
    package var detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    package var description: String {
        let words =
            switch code {
            case .refused: "connection refused"
            case .timedOut: "timed out"
            case .reset: "connection reset"
            case .unreachable: "unreachable"
            case .nameNotFound: "name not found"
            case .nameServerFailed: "name server failed"
            case .addressInUse: "address already in use"
            case .notPermitted: "not permitted"
            case .other: "network error"
            }
        return "\(detail): \(words)"
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Where one try goes: an address that a balancer chose, or one of a service's own host.
struct Peer {
    /// The address of a host that no upstream stands for. Lives as long as the snapshot it belongs to.
    final class Direct: Sendable {
        let socketAddress: SocketAddress
        let host: String
        /// As `host`, an IPv6 address in brackets.
        let authority: String
        let port: Int

        init(_ socketAddress: SocketAddress, host: String, port: Int) {
            self.socketAddress = socketAddress
            self.host = host
            authority = TargetAddress.authority(host)
            self.port = port
        }
    }

    /// Nil for an address without balancer: nobody asks about its health.
    let target: TargetAddress?
    private let direct: Direct?

    init(_ target: TargetAddress) {
        self.target = target
        direct = nil
    }

    init(_ direct: Direct) {
        target = nil
        self.direct = direct
    }

    /// What tells this peer from others, also when a new configuration has made a new `TargetAddress` of it.
    var identity: AnyObject {
        if let target { return target.health }
        guard let direct else { preconditionFailure("a peer is balanced or direct") }
        return direct
    }

    var socketAddress: SocketAddress {
        if let target { return target.socketAddress }
        guard let direct else { preconditionFailure("a peer is balanced or direct") }
        return direct.socketAddress
    }

    /// The name (or literal address) that the configuration gives it.
    var host: String { target?.host ?? direct?.host ?? "" }
    /// As `host`, an IPv6 address in brackets.
    var authority: String { target?.authority ?? direct?.authority ?? "" }
    var port: Int { target?.port ?? direct?.port ?? 0 }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

extension SocketAddress {
    /// 127.0.0.1 with a port.
    ///
    /// - Precondition: 0…65535.
    package static func loopback(port: Int) -> SocketAddress {
        guard let address = try? SocketAddress(ipAddress: "127.0.0.1", port: port) else {
            preconditionFailure("127.0.0.1:\(port) is an address")
        }
        return address
    }

    /// Reads `address:port`, `[address]:port` or `localhost:port`; nil for anything else.
    package init?(listening text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host == "localhost" { host = "127.0.0.1" }
        guard let address = try? SocketAddress(ipAddress: host, port: port) else { return nil }
        self = address
    }

    /// `address:port`, IPv6 in brackets, as a person writes it.
    package var text: String {
        guard let ip = ipAddress, let port else { return "\(self)" }
        return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }
}

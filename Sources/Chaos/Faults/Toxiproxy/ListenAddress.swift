// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import World

/// `host:port` as Go's `net` package takes it, with its words for what it does not.
enum ListenAddress {
    /// Where to listen. Without a host on every address of the machine, as Go does; `localhost` is 127.0.0.1.
    static func listening(_ text: String) throws(ToxiproxyError) -> SocketAddress {
        // Nothing at all would be any port of every address; loopback is what a test wants.
        if text.isEmpty { return .loopback(port: 0) }
        let (host, port) = try parts(text)
        let ip = host.isEmpty ? "::" : host == "localhost" ? "127.0.0.1" : host
        guard let address = try? SocketAddress(ipAddress: ip, port: port) else {
            throw ToxiproxyError("listen tcp: lookup \(host): no such host", status: 500)
        }
        return address
    }

    /// Where connections go. A host name is looked up for each of them.
    static func target(_ text: String) -> Link.Target? {
        guard let (host, port) = try? parts(text), port > 0 else { return nil }
        let ip = host.isEmpty || host == "localhost" ? "127.0.0.1" : host
        if let address = try? SocketAddress(ipAddress: ip, port: port) { return .address(address) }
        return .name(host: host, port: port)
    }

    static func parts(_ text: String) throws(ToxiproxyError) -> (host: String, port: Int) {
        guard let colon = text.lastIndex(of: ":") else {
            throw ToxiproxyError("listen tcp: address \(text): missing port in address", status: 500)
        }
        var host = String(text[..<colon])
        let digits = text[text.index(after: colon)...]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            throw ToxiproxyError("listen tcp: address \(text): too many colons in address", status: 500)
        }
        if digits.isEmpty { return (host, 0) }
        guard let port = Int(digits), digits.allSatisfy(\.isNumber) else {
            throw ToxiproxyError("listen tcp: lookup tcp/\(digits): unknown port", status: 500)
        }
        guard (0...65_535).contains(port) else {
            throw ToxiproxyError("listen tcp: address \(port): invalid port", status: 500)
        }
        return (host, port)
    }
}

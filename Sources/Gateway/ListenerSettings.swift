// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import World

/// One address that clients connect to and what is spoken there (kong.conf `proxy_listen`).
package struct ListenerSettings: Sendable, Hashable {
    package var address: SocketAddress
    /// `ssl`: connections begin with a TLS handshake.
    package var isEncrypted: Bool
    /// `http2`: chosen by ALPN under TLS, by the client's connection preface without.
    package var speaksHTTP2: Bool
    /// `proxy_protocol`: each connection begins with that of a load balancer, before anything else.
    package var expectsProxyProtocol = false
    /// Nobody asked for it: where its address is taken the gateway does without.
    package var mayBeMissing = false

    package init(_ address: SocketAddress, isEncrypted: Bool = false, speaksHTTP2: Bool = false) {
        self.address = address
        self.isEncrypted = isEncrypted
        self.speaksHTTP2 = speaksHTTP2
    }

    /// As Kong shows it.
    package var text: String {
        address.text + (isEncrypted ? " ssl" : "") + (speaksHTTP2 ? " http2" : "")
            + (expectsProxyProtocol ? " proxy_protocol" : "")
    }
}

extension ListenerSettings {
    /// Why a text names no listener: a clause, and what to write instead.
    struct Mistake: Error {
        var clause: String
        var advice: String
    }

    /// nginx's flags that change nothing here: what they tune, the event loops do in their own way.
    private static let ignored: Set<Substring> = ["reuseport", "deferred", "bind"]
    private static let ignoredWithValue = ["backlog=", "so_keepalive=", "ipv6only=", "rcvbuf=", "sndbuf=", "fastopen="]

    /// Reads `address:port [ssl] [http2] [proxy_protocol] …`.
    init(_ text: Substring) throws(Mistake) {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard let first = words.first, let address = SocketAddress(listening: String(first)) else {
            throw Mistake(
                clause: "no address to listen on", advice: "write ADDRESS:PORT, for example 127.0.0.1:8000")
        }
        self.init(address)
        for word in words.dropFirst() {
            switch word {
            case "ssl": isEncrypted = true
            case "http2": speaksHTTP2 = true
            case "proxy_protocol": expectsProxyProtocol = true
            case _ where Self.ignored.contains(word): continue
            case _ where Self.ignoredWithValue.contains(where: { word.hasPrefix($0) }): continue
            default: throw Mistake(clause: "unknown flag '\(word)'", advice: "known are ssl, http2 and proxy_protocol")
            }
        }
    }

    /// Reads a list of them, separated by commas.
    static func list(_ text: String) throws(Mistake) -> [ListenerSettings] {
        var list: [ListenerSettings] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            list.append(try ListenerSettings(part))
        }
        return list
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Which peers are believed when they say for whom they speak, and how they say it: kong.conf `trusted_ips`,
/// `real_ip_header` and `real_ip_recursive`, decided as nginx's ngx_http_realip_module does.
package struct TrustedProxies: Sendable, Hashable {
    /// Where the client's address stands.
    package enum Source: Sendable, Hashable {
        /// A field of the request, in lower case. X-Forwarded-For is read from all its lines, others from the first.
        case field(String)
        /// The PROXY protocol's line before the first request.
        case proxyProtocol

        /// - Parameter text: `X-Real-IP`, or `proxy_protocol`.
        package init(_ text: String) {
            self = text.lowercased() == "proxy_protocol" ? .proxyProtocol : .field(text.lowercased())
        }
    }

    private var ranges: [AddressRange] = []
    package var source = Source.field("x-real-ip")
    /// The last address of a list that is no trusted one, instead of the last one.
    package var isRecursive = false
    /// Nobody has said whom to trust. A listener with `proxy_protocol` then believes the line that it asks for; Kong
    /// reads it and uses nothing of it.
    package private(set) var isUnset = true

    package init() {}

    package var isEmpty: Bool { ranges.isEmpty }

    /// Reads `trusted_ips`: addresses and ranges with commas between them; `unix:` is taken and has no effect.
    ///
    /// - Returns: the first part that is neither, or nil.
    package mutating func read(_ text: String) -> String? {
        ranges = []
        isUnset = false
        for part in text.split(separator: ",") {
            let word = part.filter { !$0.isWhitespace }
            if word.isEmpty || word == "unix:" { continue }
            guard let range = AddressRange(Substring(word)) else { return word }
            ranges.append(range)
        }
        return nil
    }

    package func trusts(_ address: SocketAddress) -> Bool {
        guard !ranges.isEmpty, let address = IPAddress(address) else { return false }
        return ranges.contains { $0.contains(address) }
    }

    /// The client's address by the fields of a request from a trusted peer; nil leaves the peer's.
    ///
    /// - Parameter values: of the field `source` names, in their order.
    package func client(accordingTo values: [String]) -> SocketAddress? {
        guard case .field(let name) = source else { return nil }
        let lines = name == "x-forwarded-for" ? values : Array(values.prefix(1))
        var found: SocketAddress?
        for line in lines.reversed() {
            for word in line.split(whereSeparator: { $0 == "," || $0 == " " || $0 == "\t" }).reversed() {
                guard let address = Self.address(word) else { return found }
                found = address
                if !isRecursive || !trusts(address) { return found }
            }
        }
        return found
    }

    /// An address with or without a port: `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]:80`.
    private static func address(_ word: Substring) -> SocketAddress? {
        let text = String(word)
        if let plain = try? SocketAddress(ipAddress: text, port: 0) { return plain }
        if text.hasPrefix("["), text.hasSuffix("]") {
            return try? SocketAddress(ipAddress: String(text.dropFirst().dropLast()), port: 0)
        }
        return text == "localhost" || text.hasPrefix("localhost:") ? nil : SocketAddress(listening: text)
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// What kong.conf says about names (`dns_*`), with its defaults.
package struct DNSSettings: Hashable, Sendable {
    /// The name servers, asked in turn; empty leaves names to the system's resolver.
    package var servers: [SocketAddress] = []
    /// `dns_order`.
    package var order: [RecordType] = [.srv, .a, .cname]
    /// `LAST` in `dns_order`: the type that led somewhere comes first the next time.
    package var prefersLast = true
    /// `dns_stale_ttl`: how long an answer that has run out is used while no server gives another.
    package var staleTime = TimeAmount.seconds(3600)
    /// `dns_not_found_ttl`: for names that do not exist and for empty answers.
    package var notFoundTime = TimeAmount.seconds(30)
    /// `dns_error_ttl`: for every other error.
    package var errorTime = TimeAmount.seconds(1)
    /// `dns_valid_ttl`: replaces the time that answers carry; nil keeps it.
    package var validTime: TimeAmount?
    /// How long one attempt waits for its answer, and how many there are (resolv.conf's `timeout` and `attempts`).
    package var timeout = TimeAmount.seconds(2)
    package var attempts = 5

    package init() {}
}

extension DNSSettings {
    package typealias Mistake = (what: String, advice: String)

    /// Every variable that is understood.
    package static let variables = [
        "KONG_DNS_RESOLVER", "KONG_DNS_ORDER", "KONG_DNS_STALE_TTL", "KONG_DNS_NOT_FOUND_TTL", "KONG_DNS_ERROR_TTL",
        "KONG_DNS_VALID_TTL", "RES_OPTIONS",
    ]

    /// - Parameters:
    ///   - resolver: `--dns-resolver`; it wins over KONG_DNS_RESOLVER.
    ///   - report: called for every mistake.
    package init(resolver: String?, environment: [String: String], report: (Mistake) -> Void) {
        func text(_ variable: String) -> String? { environment[variable].flatMap { $0.isEmpty ? nil : $0 } }
        if let list = resolver ?? text("KONG_DNS_RESOLVER") {
            let place = resolver == nil ? "KONG_DNS_RESOLVER=\(list)" : "--dns-resolver \(list)"
            for part in list.split(whereSeparator: { $0 == "," || $0 == " " }) {
                if let server = Self.server(String(part)) {
                    servers.append(server)
                } else {
                    report(("\(place): \(part) is no address", "write 127.0.0.1:53"))
                }
            }
            if servers.isEmpty, list.allSatisfy({ $0 == "," || $0 == " " }) {
                report(("\(place): no address", "write 127.0.0.1:53"))
            }
        }
        if let list = text("KONG_DNS_ORDER") { readOrder(list, report) }
        func seconds(_ variable: String) -> TimeAmount? {
            guard let text = text(variable) else { return nil }
            if let number = Double(text), number >= 0, number <= Self.longestSeconds {
                return .nanoseconds(Int64(number * 1e9))
            }
            report(("\(variable)=\(text): no number of seconds", "write one such as 30"))
            return nil
        }
        staleTime = seconds("KONG_DNS_STALE_TTL") ?? staleTime
        notFoundTime = seconds("KONG_DNS_NOT_FOUND_TTL") ?? notFoundTime
        errorTime = seconds("KONG_DNS_ERROR_TTL") ?? errorTime
        validTime = seconds("KONG_DNS_VALID_TTL") ?? validTime
        readOptions(text("RES_OPTIONS") ?? "")
    }

    /// A year; longer ones are mistakes, and would overflow a deadline.
    private static let longestSeconds = 31_536_000.0

    /// `address` or `address:port`, IPv6 in brackets with one; the port is 53 as a rule.
    private static func server(_ text: String) -> SocketAddress? {
        if let plain = try? SocketAddress(ipAddress: text, port: 53) { return plain }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return try? SocketAddress(ipAddress: host == "localhost" ? "127.0.0.1" : String(host), port: port)
    }

    private mutating func readOrder(_ list: String, _ report: (Mistake) -> Void) {
        (order, prefersLast) = ([], false)
        for part in list.split(whereSeparator: { $0 == "," || $0 == " " }) {
            if part.uppercased() == "LAST" {
                prefersLast = true
            } else if let type = RecordType(String(part)), !order.contains(type) {
                order.append(type)
            } else {
                report(("KONG_DNS_ORDER=\(list): \(part) is no record type", "choose of LAST, SRV, A, AAAA and CNAME"))
            }
        }
        if order.isEmpty {
            report(("KONG_DNS_ORDER=\(list): no record type", "choose of LAST, SRV, A, AAAA and CNAME"))
            order = [.srv, .a, .cname]
        }
    }

    /// `timeout:1 attempts:2` (resolv.conf(5)); like the C library, without a word about what it does not know.
    private mutating func readOptions(_ text: String) {
        for part in text.split(separator: " ") {
            let pair = part.split(separator: ":")
            guard pair.count == 2, let number = Int(pair[1]), number > 0 else { continue }
            // The limits of the C library (resolv.h, RES_MAXRETRANS and RES_MAXRETRY).
            if pair[0] == "timeout" { timeout = .seconds(Int64(min(number, 30))) }
            if pair[0] == "attempts" { attempts = min(number, 5) }
        }
    }
}

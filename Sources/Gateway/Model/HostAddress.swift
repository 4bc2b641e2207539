// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A host name or an IP address with an optional port, taken apart as Kong does (kong/tools/ip.lua).
package struct HostAddress: Hashable, Sendable {
    package enum Kind: Hashable, Sendable { case name, ipv4, ipv6 }

    /// What is wrong with a text that is no address.
    package enum Invalid: Error, Hashable { case host, port }

    /// Kong's words for a text that is no address.
    package static func message(for problem: Invalid, in text: String) -> String {
        if problem == .port { return "invalid port number" }
        let words = [Kind.name: "hostname", .ipv4: "ipv4 address", .ipv6: "ipv6 address"]
        return "invalid \(words[kind(of: text)] ?? "hostname"): \(text)"
    }

    package var kind: Kind
    /// A name as written, an IPv4 address without leading zeros, an IPv6 address expanded and without brackets.
    package var host: String
    package var port: Int?

    package init(_ text: String) throws(Invalid) {
        kind = Self.kind(of: text)
        (host, port) =
            switch kind {
            case .ipv6: try Self.ipv6(text)
            case .ipv4: try Self.ipv4(text)
            case .name: try Self.name(text)
            }
    }

    /// What a text looks like; it need not be valid.
    private static func kind(of text: String) -> Kind {
        if text.utf8.count(where: { $0 == 0x3A }) > 1 { return .ipv6 }
        let isNumeric = text.utf8.allSatisfy { $0.isASCIIDigit || $0 == 0x2E || $0 == 0x3A }
        return isNumeric && !text.isEmpty ? .ipv4 : .name
    }

    /// `host:port`, the host of an IPv6 address in brackets.
    package func text(defaultPort: Int) -> String {
        (kind == .ipv6 ? "[\(host)]" : host) + ":\(port ?? defaultPort)"
    }

    private static func port(_ digits: Substring) throws(Invalid) -> Int {
        guard !digits.isEmpty, digits.utf8.allSatisfy(\.isASCIIDigit) else { throw .host }
        guard let port = Int(digits), port <= 65535 else { throw .port }
        return port
    }

    private static func ipv4(_ text: String) throws(Invalid) -> (String, Int?) {
        let halves = text.split(separator: ":", omittingEmptySubsequences: false)
        let parts = halves[0].split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { throw .host }
        var numbers: [String] = []
        for part in parts {
            guard (1...3).contains(part.count), let number = Int(part), number <= 255 else { throw .host }
            numbers.append(String(number))
        }
        return (numbers.joined(separator: "."), halves.count == 2 ? try port(halves[1]) : nil)
    }

    private static func ipv6(_ text: String) throws(Invalid) -> (String, Int?) {
        var address = Substring(text)
        var found: Int?
        if text.hasPrefix("["), let close = text.lastIndex(of: "]") {
            address = text[text.index(after: text.startIndex)..<close]
            let rest = text[text.index(after: close)...]
            if !rest.isEmpty {
                guard rest.hasPrefix(":") else { throw .host }
                found = try port(rest.dropFirst())
            }
        }
        return (try expanded(address), found)
    }

    /// Eight groups of four hexadecimal digits; `::` stands for as many zeros as are missing.
    private static func expanded(_ address: Substring) throws(Invalid) -> String {
        let groups = address.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        var all: [String] = []
        var hasGap = false
        let missing = 8 - groups.count(where: { !$0.isEmpty })
        for (place, group) in groups.enumerated() {
            if !group.isEmpty {
                all.append(group)
            } else if place > 0 && place < groups.count - 1 {
                if hasGap || missing < 1 { throw .host }
                hasGap = true
                all += [String](repeating: "0", count: missing)
            } else if groups[place == 0 ? 1 : groups.count - 2] != "" {
                throw .host
            }
        }
        let isHexadecimal = all.allSatisfy { group in
            group.utf8.count <= 4 && group.utf8.allSatisfy { $0.hexadecimalDigit != nil }
        }
        guard all.count == 8, isHexadecimal else { throw .host }
        return all.map { String(repeating: "0", count: 4 - $0.count) + $0.lowercased() }.joined(separator: ":")
    }

    private static func name(_ text: String) throws(Invalid) -> (String, Int?) {
        var name = Substring(text)
        var found: Int?
        if let colon = text.lastIndex(of: ":") {
            let digits = text[text.index(after: colon)...]
            found = try port(digits)
            name = text[..<colon]
        }
        let isPlain = name.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || [0x2D, 0x2E, 0x5F].contains($0) }
        guard !name.isEmpty, isPlain else { throw .host }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        for (place, label) in labels.enumerated() {
            // A fully qualified name may end in a dot; no other label is empty, none ends in a dash.
            if label.hasSuffix("-") || (label.isEmpty && place != labels.count - 1) { throw .host }
        }
        return (String(name), found)
    }
}

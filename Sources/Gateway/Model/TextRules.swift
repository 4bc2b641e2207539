// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Kong's rules for strings (kong/db/schema/typedefs.lua). Each returns what is wrong with a text, or nil.
enum TextRules {
    static func name(_ text: String) -> String? {
        text.utf8.allSatisfy { isWordByte($0) || $0 >= 0x80 }
            ? nil : "invalid value '\(text)': the only accepted ascii characters are alphanumerics or ., -, _, and ~"
    }

    static func tag(_ text: String) -> String? {
        let isPrintable = text.utf8.allSatisfy { byte in
            (0x20...0x7E).contains(byte) && byte != 0x2C && byte != 0x2F || byte >= 0x80
        }
        return isPrintable
            ? nil
            : "invalid tag '\(text)': expected printable ascii (except `,` and `/`) or valid utf-8 sequences"
    }

    static func httpMethod(_ text: String) -> String? {
        text.utf8.allSatisfy { (0x41...0x5A).contains($0) } ? nil : "invalid value: \(text)"
    }

    static func headerName(_ text: String) -> String? {
        text.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || $0 == 0x2D || $0 == 0x5F }
            ? nil : "bad header name '\(text)', allowed characters are A-Z, a-z, 0-9, '_', and '-'"
    }

    static func routeHeaderName(_ text: String) -> String? {
        text.lowercased() == "host"
            ? "cannot contain 'host' header, which must be specified in the 'hosts' attribute" : headerName(text)
    }

    /// An RFC 9110 token.
    static func cookieName(_ text: String) -> String? {
        let marks = Set("!#$%&'*+-.^_`|~".utf8)
        let isToken = text.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || marks.contains($0) }
        return isToken
            ? nil
            : "contains one or more invalid characters. ASCII control characters (0-31;127), space, tab and the "
                + #"characters ()<>@,;:\"/?={}[] are not allowed."#
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        byte.isASCIILetter || byte.isASCIIDigit || [0x2E, 0x2D, 0x5F, 0x7E].contains(byte)
    }
}

// MARK: Hosts

extension TextRules {
    /// A host name or IP address without a port.
    static func host(_ text: String) -> String? {
        do throws(HostAddress.Invalid) {
            return try HostAddress(text).port == nil ? nil : "must not have a port"
        } catch {
            return error == .port ? "must not have a port" : "invalid value: \(text)"
        }
    }

    static func hostWithOptionalPort(_ text: String) -> String? {
        do throws(HostAddress.Invalid) {
            _ = try HostAddress(text)
            return nil
        } catch {
            return HostAddress.message(for: error, in: text)
        }
    }

    /// A host of a route: at most one `*`, which is the first or the last label.
    static func routeHost(_ text: String) -> String? {
        let stars = text.utf8.count { $0 == 0x2A }
        if stars > 1 { return "invalid wildcard: must have at most one wildcard" }
        if stars == 1 && !text.hasPrefix("*.") && !text.hasSuffix(".*") {
            return "invalid wildcard: must be placed at leftmost or rightmost label"
        }
        return hostWithOptionalPort(withoutStar(text, replacement: "abc"))
    }

    /// A server name of TLS: a host name, no address, no port.
    static func serverName(_ text: String) -> String? {
        do throws(HostAddress.Invalid) {
            let address = try HostAddress(text)
            if address.kind != .name { return "must not be an IP" }
            return address.port == nil ? nil : "must not have a port"
        } catch {
            return error == .port ? "must not have a port" : "invalid value: \(text)"
        }
    }

    /// A server name that may begin or end with `*`.
    static func wildcardServerName(_ text: String) -> String? {
        guard text.contains("*") else { return serverName(text) }
        if !text.hasPrefix("*") && !text.hasSuffix("*") { return "wildcard must be leftmost or rightmost character" }
        if text.utf8.count(where: { $0 == 0x2A }) > 1 { return "only one wildcard must be specified" }
        return serverName(withoutStar(text, replacement: "wildcard"))
    }

    static func upstreamName(_ text: String) -> String? {
        guard let address = try? HostAddress(text) else { return "Invalid name ('\(text)'); must be a valid hostname" }
        if address.kind != .name { return "Invalid name ('\(text)'); no ip addresses allowed" }
        return address.port == nil ? nil : "Invalid name ('\(text)'); no port allowed"
    }

    static func target(_ text: String) -> String? {
        (try? HostAddress(text)) == nil ? "Invalid target ('\(text)'); not a valid hostname or ip address" : nil
    }

    /// An IP address, or a range of them as `address/bits`.
    static func addressOrRange(_ text: String) -> String? {
        let message = "invalid ip or cidr range: '\(text)'"
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, let address = try? HostAddress(String(first)), address.kind != .name,
            address.port == nil, parts.count <= 2
        else { return message }
        if parts.count == 1 { return nil }
        let limit = address.kind == .ipv4 ? 32 : 128
        return Int(parts[1]).map { (0...limit).contains($0) } == true ? nil : message
    }

    private static func withoutStar(_ text: String, replacement: String) -> String {
        text.split(separator: "*", omittingEmptySubsequences: false).joined(separator: replacement)
    }
}

// MARK: Paths

extension TextRules {
    /// A path of a URL.
    static func path(_ text: String) -> String? {
        if !text.hasPrefix("/") { return "should start with: /" }
        if text.contains("//") { return "must not have empty segments" }
        if !isOfPathCharacters(text) {
            return "invalid path: '\(text)' (characters outside of the reserved list of RFC 3986 found)"
        }
        return badEncoding(text)
    }

    /// A path of a route: a normalised prefix `/x` or a regular expression `~/x`.
    static func routePath(_ text: String) -> String? {
        if text.contains("//") { return "must not have empty segments" }
        if !text.hasPrefix("/") && !text.hasPrefix("~/") {
            return "should start with: / (fixed path) or ~/ (regex path)"
        }
        if isOfPathCharacters(text), let problem = badEncoding(text) { return problem }
        if text.hasPrefix("~") { return expression(String(text.dropFirst())) }
        let normalized = PathNormalization.normalized(text)
        return text == normalized ? nil : "non-normalized path, consider use '\(normalized)' instead"
    }

    private static func expression(_ pattern: String) -> String? {
        do {
            _ = try Regex(pattern)
            return nil
        } catch {
            let reason = "\(error)".split(whereSeparator: \.isNewline).first ?? "not a regular expression"
            return "invalid regex: '\(pattern)' (PCRE returned: \(reason))"
        }
    }

    private static func isOfPathCharacters(_ text: String) -> Bool {
        let marks = Set("/%:@!$&'()*+,;=".utf8)
        return text.hasPrefix("/") && text.utf8.allSatisfy { isWordByte($0) || marks.contains($0) }
    }

    /// A `%` that two hexadecimal digits do not follow.
    private static func badEncoding(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        var place = 0
        while let percent = bytes[place...].firstIndex(of: 0x25) {
            let digits = bytes[(percent + 1)...].prefix(2)
            if digits.count < 2 || !digits.allSatisfy({ $0.hexadecimalDigit != nil }) {
                let wrong = String(decoding: [0x25] + digits, as: UTF8.self)
                return "invalid url-encoded value: '\(wrong)'"
            }
            place = percent + 3
        }
        return nil
    }
}

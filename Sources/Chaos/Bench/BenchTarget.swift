// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// A server that is measured, as its URL names it: `http://127.0.0.1:8000/hello`, `https://localhost:8443/`. A name may
/// stand before it (`edge=http://…`); without one the URL's authority is the name.
package struct BenchTarget: Hashable, Sendable {
    /// In tables, files and expectations (`edge.p99 < 5ms`).
    package var name: String
    package var isTLS: Bool
    /// A name or a literal address, IPv6 without brackets.
    package var host: String
    package var port: Int
    /// Path and query as they stand in a request line.
    package var path: String

    package init(name: String, isTLS: Bool = false, host: String, port: Int, path: String) {
        self.name = name
        self.isTLS = isTLS
        self.host = host
        self.port = port
        self.path = path
    }

    /// - Throws: what is wrong with the text, and what to write.
    package init(_ text: String) throws(Problem) {
        let (name, url) = Self.split(text)
        let (scheme, rest) = try Self.scheme(of: url)
        isTLS = scheme == "https"
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        let authority = rest[..<end]
        if authority.contains("@") {
            throw Problem(
                at: nil, "\(url): credentials in a URL are not sent", advice: "use --header 'Authorization: …'")
        }
        (host, port) = try Self.hostAndPort(authority, of: url, isTLS: isTLS)
        path = try Self.path(rest[end...], of: url)
        self.name = ""
        self.name = name ?? self.authority
    }

    /// For the Host field: without the scheme's own port.
    package var authority: String {
        let host = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? host : "\(host):\(port)"
    }

    package var url: String { "\(isTLS ? "https" : "http")://\(authority)\(path)" }

    /// `edge=http://…`; an equals sign within the URL names nothing.
    private static func split(_ text: String) -> (name: String?, url: String) {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex,
            text[..<equals].allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" })
        else { return (nil, text) }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    private static func scheme(of url: String) throws(Problem) -> (String, Substring) {
        guard let colon = url.firstRange(of: "://") else {
            let looksLikeHost = url.first.map { $0.isLetter || $0.isNumber || $0 == "[" } ?? false
            throw Problem(
                at: nil, "`\(url)` is no URL",
                advice: looksLikeHost ? "write http://\(url)" : "write one such as http://127.0.0.1:8000/hello")
        }
        let scheme = url[..<colon.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else {
            let near = nearestKey(to: scheme, among: ["http", "https"])
            throw Problem(
                at: nil, "\(url): the scheme `\(scheme)` is not known",
                advice: near.map { "did you mean \($0)://\(url[colon.upperBound...])?" } ?? "use http:// or https://")
        }
        return (scheme, url[colon.upperBound...])
    }

    private static func hostAndPort(
        _ authority: Substring, of url: String, isTLS: Bool
    ) throws(Problem) -> (String, Int) {
        var host = authority
        var port: Int? = isTLS ? 443 : 80
        let afterBracket = authority.firstIndex(of: "]").map { authority.index(after: $0) }
        if let colon = authority[(afterBracket ?? authority.startIndex)...].firstIndex(of: ":") {
            host = authority[..<colon]
            let text = authority[authority.index(after: colon)...]
            port = text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
            guard let port, (1...65_535).contains(port) else {
                throw Problem(at: nil, "\(url): `\(text)` is no port", advice: "a port is from 1 to 65535")
            }
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        let allowed = host.unicodeScalars.allSatisfy {
            $0.isASCII
                && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "-._:%".unicodeScalars.contains($0))
        }
        guard !host.isEmpty, allowed else {
            let what = host.isEmpty ? "has no host" : "`\(host)` is no host"
            throw Problem(at: nil, "\(url): \(what)", advice: "write one such as http://127.0.0.1:8000/hello")
        }
        return (String(host), port ?? 80)
    }

    private static func path(_ text: Substring, of url: String) throws(Problem) -> String {
        let path = text.prefix { $0 != "#" }
        if let bad = path.unicodeScalars.first(where: { $0.value <= 0x20 || $0.value >= 0x7f }) {
            throw Problem(
                at: nil, "\(url): a path cannot hold \(bad.escaped(asASCII: false) == " " ? "a space" : "`\(bad)`")",
                advice: "write it percent-encoded")
        }
        return path.hasPrefix("/") ? String(path) : "/" + path
    }
}

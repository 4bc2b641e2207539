// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOSSL

/// From the oldest to the newest version of TLS that is spoken, as nginx lists them: `TLSv1.2 TLSv1.3`.
package struct TLSVersions: Hashable, Sendable {
    package let oldest: TLSVersion
    package let newest: TLSVersion

    /// What Kong and nginx (since 1.23.4) speak unless told otherwise.
    package static let current = TLSVersions(.tlsv12, .tlsv13)

    /// From the oldest to the newest.
    private static let all: [(name: String, version: TLSVersion)] = [
        ("TLSv1", .tlsv1), ("TLSv1.1", .tlsv11), ("TLSv1.2", .tlsv12), ("TLSv1.3", .tlsv13),
    ]

    package init(_ oldest: TLSVersion, _ newest: TLSVersion) { (self.oldest, self.newest) = (oldest, newest) }

    /// Nil for a list that names another version, or leaves one out between two of its own.
    package init?(listed text: String) {
        let names = text.split(separator: " ").map(String.init)
        let places = Set(names.compactMap { name in Self.all.firstIndex { $0.name == name } })
        guard places.count == Set(names).count, let first = places.min(), let last = places.max(),
            last - first + 1 == places.count
        else { return nil }
        self.init(Self.all[first].version, Self.all[last].version)
    }

    func apply(to configuration: inout TLSConfiguration) {
        configuration.minimumTLSVersion = oldest
        configuration.maximumTLSVersion = newest
    }
}

/// Which TLS is spoken, and to whom.
package struct TLSSettings: Hashable, Sendable {
    /// Mozilla's profiles of what clients may agree on, as kong.conf `ssl_cipher_suite` names them.
    package enum Suite: String, Sendable, CaseIterable {
        case modern, intermediate, old
        /// What `ssl_protocols` and `ssl_ciphers` say, which count for nothing else.
        case custom
    }

    package var suite = Suite.intermediate
    package var customVersions = TLSVersions.current
    /// In OpenSSL's notation, for versions before TLS 1.3; nil for the intermediate ones.
    package var customCiphers: String?
    /// Towards upstreams (nginx `proxy_ssl_protocols`).
    package var upstreamVersions = TLSVersions.current
    /// Of active checks (kong.conf `lua_ssl_protocols`).
    package var probeVersions = TLSVersions.current

    package init() {}

    /// Spoken with clients.
    package var versions: TLSVersions {
        switch suite {
        case .modern: TLSVersions(.tlsv13, .tlsv13)
        case .intermediate: .current
        case .old: TLSVersions(.tlsv1, .tlsv13)
        case .custom: customVersions
        }
    }

    /// Mozilla's Server Side TLS, version 5.7, as Kong has it, without DHE: BoringSSL has no finite fields.
    private static let intermediateCiphers = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ]
    /// Those of the same list that BoringSSL still has.
    private static let oldCiphers = [
        "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA",
        "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA",
    ]

    /// For versions before TLS 1.3, in OpenSSL's notation.
    package var ciphers: String {
        switch suite {
        case .modern, .intermediate: Self.intermediateCiphers.joined(separator: ":")
        case .old: (Self.intermediateCiphers + Self.oldCiphers).joined(separator: ":")
        case .custom: customCiphers ?? Self.intermediateCiphers.joined(separator: ":")
        }
    }

    /// The ciphers of a list that there are here; as with OpenSSL others may stand beside them.
    ///
    /// - Returns: nil for a list without any, or with words that are no name of a cipher (`HIGH`, `!MD5`): they would
    ///   say something else to BoringSSL than to OpenSSL.
    static func known(ciphers text: String) -> String? {
        let names = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let isPlain = names.allSatisfy { name in
            name.contains("-") && name.wholeMatch(of: /[A-Z0-9-]+/) != nil
        }
        let known = names.filter { intermediateCiphers.contains($0) || oldCiphers.contains($0) }
        return isPlain && !known.isEmpty ? known.joined(separator: ":") : nil
    }
}

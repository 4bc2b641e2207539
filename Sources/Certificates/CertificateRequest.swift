// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// When a certificate is valid, in seconds since 1970, both ends included.
package struct CertificateValidity: Sendable, Hashable {
    package var notBefore: Int64
    package var notAfter: Int64

    package init(notBefore: Int64, notAfter: Int64) {
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    package static let day: Int64 = 86_400

    /// Valid for a year around `now`: clocks of two hosts never agree, so it begins a day early.
    package static func current(_ now: Int64) -> Self { Self(notBefore: now - day, notAfter: now + 364 * day) }

    /// Ended a day ago.
    package static func expired(_ now: Int64) -> Self { Self(notBefore: now - 30 * day, notAfter: now - day) }

    /// Begins in a day.
    package static func notYetValid(_ now: Int64) -> Self { Self(notBefore: now + day, notAfter: now + 30 * day) }
}

/// What a certificate is to say. Everything may be said, also what no honest authority would sign.
package struct CertificateRequest: Sendable {
    package enum Usage: Sendable { case server, client }

    /// The common name of the subject; the first of `names` when nil.
    package var commonName: String?
    /// Subject alternative names: host names, wildcards, IP addresses as text.
    package var names: [String]
    package var validity: CertificateValidity
    package var key: KeyKind
    /// Empty: no extended key usage is written, which allows all.
    package var usages: [Usage]

    package init(
        commonName: String? = nil, names: [String], validity: CertificateValidity, key: KeyKind = .p256,
        usages: [Usage] = [.server, .client]
    ) {
        self.commonName = commonName
        self.names = names
        self.validity = validity
        self.key = key
        self.usages = usages
    }
}

/// A certificate with its key, as text that every TLS library reads.
package struct IssuedCertificate: Sendable {
    /// The certificate alone, PEM.
    package let certificate: String
    /// The certificate and those between it and the root, the root left out: what a server presents.
    package let chain: String
    /// PEM: SEC 1 for curves, PKCS #1 for RSA, PKCS #8 for Ed25519.
    package let key: String
}

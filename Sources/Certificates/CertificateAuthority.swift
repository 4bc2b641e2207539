// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftASN1
internal import X509

/// A certificate authority that exists only in memory: tests and faults make one, let it sign whatever they need, and
/// forget it. Never for anything that others should trust.
package struct CertificateAuthority: Sendable {
    private let subject: DistinguishedName
    private let signer: Certificate.PrivateKey
    private let own: Certificate
    /// From the one below the root to this one, for the chains of what it signs.
    private let intermediates: String

    /// The authority's own certificate, PEM: what a client that is to trust it gets.
    package let certificate: String

    /// Makes a root: it signs itself.
    ///
    /// - Throws: when the system cannot make a key.
    package static func makeRoot(
        name: String = "Gatecrash test authority", validity: CertificateValidity, key: KeyKind = .p256
    ) throws -> CertificateAuthority {
        let signer = try key.makeKey()
        let subject = try DistinguishedName { CommonName(name) }
        let own = try Self.sign(
            subject: subject, publicKey: signer.publicKey, validity: validity, issuer: subject, signer: signer,
            extensions: try Self.authorityExtensions(signer.publicKey))
        return try CertificateAuthority(subject: subject, signer: signer, own: own, intermediates: "")
    }

    private init(
        subject: DistinguishedName, signer: Certificate.PrivateKey, own: Certificate, intermediates: String
    ) throws {
        self.subject = subject
        self.signer = signer
        self.own = own
        self.intermediates = intermediates
        certificate = try own.serializeAsPEM().pemString + "\n"
    }

    /// Makes an authority that this one has signed.
    package func makeIntermediate(
        name: String, validity: CertificateValidity, key: KeyKind = .p256
    ) throws -> CertificateAuthority {
        let signer = try key.makeKey()
        let subject = try DistinguishedName { CommonName(name) }
        let own = try Self.sign(
            subject: subject, publicKey: signer.publicKey, validity: validity, issuer: self.subject,
            signer: self.signer, extensions: try Self.authorityExtensions(signer.publicKey))
        let pem = try own.serializeAsPEM().pemString + "\n"
        return try CertificateAuthority(
            subject: subject, signer: signer, own: own, intermediates: pem + intermediates)
    }

    /// Signs a certificate for a new key.
    ///
    /// - Throws: for a name that is neither a host name nor an address, and when the system cannot make a key.
    package func issue(_ request: CertificateRequest) throws -> IssuedCertificate {
        let key = try request.key.makeKey()
        let leaf = try Self.sign(
            subject: try request.subject, publicKey: key.publicKey, validity: request.validity, issuer: subject,
            signer: signer, extensions: try request.extensions)
        return try IssuedCertificate(leaf, key: key, intermediates: intermediates)
    }

    /// A certificate that nobody but itself vouches for.
    package static func selfSigned(_ request: CertificateRequest) throws -> IssuedCertificate {
        let key = try request.key.makeKey()
        let subject = try request.subject
        let leaf = try sign(
            subject: subject, publicKey: key.publicKey, validity: request.validity, issuer: subject, signer: key,
            extensions: try request.extensions)
        return try IssuedCertificate(leaf, key: key, intermediates: "")
    }

    private static func sign(
        subject: DistinguishedName, publicKey: Certificate.PublicKey, validity: CertificateValidity,
        issuer: DistinguishedName, signer: Certificate.PrivateKey, extensions: Certificate.Extensions
    ) throws -> Certificate {
        try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey,
            notValidBefore: Date(timeIntervalSince1970: Double(validity.notBefore)),
            notValidAfter: Date(timeIntervalSince1970: Double(validity.notAfter)), issuer: issuer, subject: subject,
            extensions: extensions, issuerPrivateKey: signer)
    }

    private static func authorityExtensions(_ key: Certificate.PublicKey) throws -> Certificate.Extensions {
        try Certificate.Extensions {
            Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
            Critical(KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true))
            SubjectKeyIdentifier(hash: key)
        }
    }
}

extension CertificateRequest {
    fileprivate var subject: DistinguishedName {
        get throws { try DistinguishedName { CommonName(commonName ?? names.first ?? "localhost") } }
    }

    fileprivate var extensions: Certificate.Extensions {
        get throws {
            let names = try names.map { try GeneralName(text: $0) }
            let usages = usages.map { $0 == .server ? ExtendedKeyUsage.Usage.serverAuth : .clientAuth }
            return try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                // Key encipherment is for RSA without Diffie-Hellman, which TLS 1.2 clients may still ask for.
                Critical(KeyUsage(digitalSignature: true, keyEncipherment: key == .rsa2048))
                if !usages.isEmpty { try ExtendedKeyUsage(usages) }
                if !names.isEmpty { SubjectAlternativeNames(names) }
            }
        }
    }
}

extension IssuedCertificate {
    fileprivate init(_ leaf: Certificate, key: Certificate.PrivateKey, intermediates: String) throws {
        certificate = try leaf.serializeAsPEM().pemString + "\n"
        chain = certificate + intermediates
        self.key = try key.serializeAsPEM().pemString + "\n"
    }
}

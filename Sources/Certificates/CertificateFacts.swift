// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import FoundationEssentials
internal import SwiftASN1
internal import X509

/// What a certificate says, read from PEM.
package struct CertificateFacts: Sendable, Hashable {
    package let commonName: String?
    /// Subject alternative names that are host names or addresses.
    package let names: [String]
    package let validity: CertificateValidity
    /// It may sign others (basic constraints).
    package let isAuthority: Bool
    /// Nil for a kind of key that cannot be made here; it may be served all the same.
    package let keyKind: KeyKind?
    /// SHA-256 of the DER bytes, 64 lower-case hexadecimal digits.
    package let digest: String
    /// The certificate's public key as SubjectPublicKeyInfo.
    private let publicKey: [UInt8]

    /// Reads every certificate of a text, in its order.
    ///
    /// - Throws: `CertificateProblem` for a text without a certificate or with a broken one.
    package static func read(_ pem: String) throws(CertificateProblem) -> [CertificateFacts] {
        let documents: [PEMDocument]
        do { documents = try PEMDocument.parseMultiple(pemString: pem) } catch {
            throw CertificateProblem("not PEM")
        }
        let found = documents.filter { $0.discriminator == "CERTIFICATE" }
        guard !found.isEmpty else { throw CertificateProblem("no certificate") }
        var facts: [CertificateFacts] = []
        for document in found {
            do { facts.append(try CertificateFacts(der: document.derBytes)) } catch {
                throw CertificateProblem("a broken certificate")
            }
        }
        return facts
    }

    private init(der: [UInt8]) throws {
        let certificate = try Certificate(derEncoded: der)
        commonName = certificate.subject.lazy.flatMap { $0 }.first { $0.type == .RDNAttributeType.commonName }
            .flatMap { String($0.value) }
        names = try certificate.extensions.subjectAlternativeNames?.compactMap(\.text) ?? []
        validity = CertificateValidity(
            notBefore: Int64(certificate.notValidBefore.timeIntervalSince1970),
            notAfter: Int64(certificate.notValidAfter.timeIntervalSince1970))
        if case .isCertificateAuthority? = try certificate.extensions.basicConstraints {
            isAuthority = true
        } else {
            isAuthority = false
        }
        keyKind = KeyKind(certificate.publicKey)
        digest = hexadecimal(SHA256.hash(data: der))
        var serializer = DER.Serializer()
        try serializer.serialize(certificate.publicKey)
        publicKey = serializer.serializedBytes
    }

    /// Whether a private key (PEM) is the one this certificate speaks for.
    ///
    /// - Throws: `CertificateProblem` when the text holds no key.
    package func isFor(key pem: String) throws(CertificateProblem) -> Bool {
        do {
            let key = try Self.key(pem)
            var serializer = DER.Serializer()
            try serializer.serialize(key.publicKey)
            return serializer.serializedBytes == publicKey
        } catch { throw CertificateProblem("no private key") }
    }

    /// - Throws: `CertificateProblem` for a text that holds no private key, or a broken one.
    package static func check(key pem: String) throws(CertificateProblem) {
        do { _ = try key(pem) } catch let problem as CertificateProblem { throw problem } catch {
            throw CertificateProblem("a broken private key, or one that is encrypted")
        }
    }

    /// Curve parameters may stand before the key.
    private static func key(_ pem: String) throws -> Certificate.PrivateKey {
        let documents = try PEMDocument.parseMultiple(pemString: pem)
        guard let found = documents.first(where: { $0.discriminator.hasSuffix("PRIVATE KEY") }) else {
            throw CertificateProblem("no private key")
        }
        return try Certificate.PrivateKey(pemDocument: found)
    }
}

/// Lower-case digits, two a byte.
private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    return String(decoding: text, as: UTF8.self)
}

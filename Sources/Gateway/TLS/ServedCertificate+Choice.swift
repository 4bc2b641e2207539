// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
package import Wire

/// What a key signs with: what a client must understand to be shown its certificate.
package enum SignatureKind: Sendable, Hashable {
    case rsa, ecdsa, ed25519

    /// - Parameter chain: PEM; its first certificate counts. Nil when there is none.
    init?(chain: String) {
        guard let facts = (try? CertificateFacts.read(chain))?.first else { return nil }
        switch facts.keyKind {
        case .rsa2048: self = .rsa
        // The only other kind that is read is P-521.
        case .p256, .p384, nil: self = .ecdsa
        case .ed25519: self = .ed25519
        }
    }

    /// - Parameter scheme: a code point of `signature_algorithms` (RFC 8446 section 4.2.3).
    init?(scheme: UInt16) {
        switch scheme {
        case 0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806: self = .rsa
        case 0x0403, 0x0503, 0x0603: self = .ecdsa
        case 0x0807: self = .ed25519
        default: return nil
        }
    }

    /// - Parameter cipher: a cipher suite of TLS 1.2 that signs its key exchange (RFC 5289, RFC 7905, RFC 8422).
    init?(cipher: UInt16) {
        switch cipher {
        case 0xc02b, 0xc02c, 0xcca9, 0xc009, 0xc00a: self = .ecdsa
        case 0xc02f, 0xc030, 0xcca8, 0xc013, 0xc014: self = .rsa
        default: return nil
        }
    }
}

extension ClientHello {
    /// The kind of key that this client would rather see, as OpenSSL finds it: with TLS 1.3 by its signature
    /// algorithms, before by its cipher suites. Nil when it wants none of `kinds`, or does not say.
    package func favourite(among kinds: [SignatureKind], speakingTLS13: Bool) -> SignatureKind? {
        let wanted =
            offersTLS13 && speakingTLS13
            ? signatures.lazy.compactMap { SignatureKind(scheme: $0) }
            : ciphers.lazy.compactMap { SignatureKind(cipher: $0) }
        return wanted.first { kinds.contains($0) }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import X509
internal import _CryptoExtras

/// What kind of key a certificate is made for.
package enum KeyKind: String, Sendable, CaseIterable {
    /// Made in well under a millisecond; what to take unless a test is about another one.
    case p256
    case p384
    /// Understood by TLS 1.3 clients, refused by many.
    case ed25519
    /// Takes up to a second to make.
    case rsa2048
}

extension KeyKind {
    /// Draws a key. Keys and serial numbers are the system's chance, never that of a seed: nothing that a run decides
    /// depends on them.
    ///
    /// - Throws: when the system has no chance to give, or no memory.
    func makeKey() throws -> Certificate.PrivateKey {
        switch self {
        case .p256: Certificate.PrivateKey(P256.Signing.PrivateKey())
        case .p384: Certificate.PrivateKey(P384.Signing.PrivateKey())
        case .ed25519: Certificate.PrivateKey(Curve25519.Signing.PrivateKey())
        case .rsa2048: Certificate.PrivateKey(try _RSA.Signing.PrivateKey(keySize: .bits2048))
        }
    }

    /// Nil for a kind that is none of these.
    init?(_ key: Certificate.PublicKey) {
        if P256.Signing.PublicKey(key) != nil {
            self = .p256
        } else if P384.Signing.PublicKey(key) != nil {
            self = .p384
        } else if Curve25519.Signing.PublicKey(key) != nil {
            self = .ed25519
        } else if _RSA.Signing.PublicKey(key) != nil {
            self = .rsa2048
        } else {
            return nil
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftASN1
@_spi(FixedExpiryValidationTime) internal import X509

/// Verifies what a server presents where it matters how long the way to a root is, which BoringSSL does not let us
/// limit: signatures, validity, constraints and the server's name by swift-certificates, then the length.
package struct ChainVerifier: Sendable {
    private let roots: [Certificate]
    private let includesSystem: Bool
    private let depth: Int

    /// - Parameters:
    ///   - roots: PEM of those who may sign.
    ///   - includesSystem: those that the system trusts may sign too.
    ///   - depth: how many certificates may stand between the server's and a root.
    /// - Throws: `CertificateProblem` for a text that holds no certificate.
    package init(roots: [String], includesSystem: Bool, depth: Int) throws {
        self.roots = try roots.flatMap { pem in
            try PEMDocument.parseMultiple(pemString: pem).map { try Certificate(derEncoded: $0.derBytes) }
        }
        self.includesSystem = includesSystem
        self.depth = depth
    }

    /// - Parameters:
    ///   - chain: DER, the server's own first.
    ///   - name: a host name or an address, as text.
    ///   - now: seconds since 1970.
    /// - Throws: `CertificateProblem` in words.
    package func verify(chain: [[UInt8]], name: String, now: Int64) async throws {
        let presented = try chain.map { try Certificate(derEncoded: $0) }
        guard let leaf = presented.first else { throw CertificateProblem("the server presented no certificate") }
        let isAddress = GeneralName.isAddress(name)
        var store = CertificateStore(roots)
        if includesSystem {
            var system = CertificateStore.systemTrustRoots
            system.append(contentsOf: roots)
            store = system
        }
        var verifier = Verifier(rootCertificates: store) {
            RFC5280Policy(fixedExpiryValidationTime: Date(timeIntervalSince1970: Double(now)))
            ServerIdentityPolicy(serverHostname: isAddress ? nil : name, serverIP: isAddress ? name : nil)
        }
        let result = await verifier.validate(leaf: leaf, intermediates: CertificateStore(presented.dropFirst()))
        guard case .validCertificate(let way) = result else {
            throw CertificateProblem("the server's certificate is not trusted for '\(name)'")
        }
        // The leaf and the root do not count (SSL_CTX_set_verify_depth).
        let between = max(0, way.count - 2)
        guard between <= depth else {
            throw CertificateProblem(
                "\(between) certificates stand between the server's and its root, at most \(depth)")
        }
    }
}

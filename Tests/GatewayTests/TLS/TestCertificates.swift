// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import World

/// Certificates for tests, made once a run: a root that the tests trust, one that nobody does, and what they signed.
enum TestCertificates {
    static let now = RealWallClock().secondsSinceEpoch

    // Proof: P-256 keys need nothing but the system's chance, without which no test could run.
    // swift-format-ignore: NeverUseForceTry
    static let root = try! CertificateAuthority.makeRoot(name: "the root", validity: .current(now))
    // Proof: as above.
    // swift-format-ignore: NeverUseForceTry
    static let stranger = try! CertificateAuthority.makeRoot(name: "a stranger", validity: .current(now))

    static func issue(
        _ names: [String], by authority: CertificateAuthority = root, validity: CertificateValidity = .current(now),
        key: KeyKind = .p256
    ) throws -> IssuedCertificate {
        try authority.issue(CertificateRequest(names: names, validity: validity, key: key))
    }

    /// Text as a JSON or flow YAML string.
    static func quoted(_ pem: String) -> String { "\"\(pem.replacing("\n", with: "\\n"))\"" }
}

extension IssuedCertificate {
    /// `"cert": …, "key": …` of an entity.
    var members: String { "\"cert\": \(TestCertificates.quoted(chain)), \"key\": \(TestCertificates.quoted(key))" }
}

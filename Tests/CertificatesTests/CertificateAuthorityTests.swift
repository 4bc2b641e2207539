// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import NIOSSL
import Testing

@Suite struct CertificateAuthorityTests {
    private let now: Int64 = 1_750_000_000

    @Test(arguments: KeyKind.allCases)
    func `certificate and key of every kind are read by the TLS library and belong together`(kind: KeyKind) throws {
        let root = try CertificateAuthority.makeRoot(validity: .current(now))
        let issued = try root.issue(
            CertificateRequest(
                names: ["a.example", "*.b.example", "127.0.0.1", "::1"], validity: .current(now), key: kind))
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(issued.chain.utf8)).map {
            NIOSSLCertificateSource.certificate($0)
        }
        let key = try NIOSSLPrivateKey(bytes: Array(issued.key.utf8), format: .pem)
        // The context refuses a key that is not the certificate's.
        _ = try NIOSSLContext(
            configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))

        let facts = try #require(try CertificateFacts.read(issued.certificate).first)
        #expect(facts.names == ["a.example", "*.b.example", "127.0.0.1", "::1"])
        #expect(facts.commonName == "a.example")
        #expect(facts.keyKind == kind)
        #expect(!facts.isAuthority)
        #expect(facts.validity == .current(now))
        #expect(facts.digest.utf8.count == 64)
        #expect(try facts.isFor(key: issued.key))
        let other = try root.issue(CertificateRequest(names: ["a.example"], validity: .current(now), key: kind))
        #expect(try !facts.isFor(key: other.key))
    }

    @Test func `an intermediate stands in the chain of what it signs; the root does not`() throws {
        let root = try CertificateAuthority.makeRoot(name: "root", validity: .current(now))
        let intermediate = try root.makeIntermediate(name: "between", validity: .current(now))
        let issued = try intermediate.issue(CertificateRequest(names: ["a.example"], validity: .expired(now)))
        let chain = try CertificateFacts.read(issued.chain)
        #expect(chain.map(\.commonName) == ["a.example", "between"])
        #expect(chain.map(\.isAuthority) == [false, true])
        #expect(chain[0].validity.notAfter == now - CertificateValidity.day)
        #expect(try CertificateFacts.read(root.certificate)[0].isAuthority)
    }

    @Test(arguments: [
        ("", "no certificate"), ("hello", "no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "a broken certificate"),
        ("-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n", "not PEM"),
    ])
    func `what is no certificate is refused in words`(text: String, words: String) {
        #expect(throws: CertificateProblem(words)) { try CertificateFacts.read(text) }
    }

    @Test func `a name that nobody could call is refused`() throws {
        let request = CertificateRequest(names: ["é.example"], validity: .current(now))
        #expect(throws: CertificateProblem.self) { try CertificateAuthority.selfSigned(request) }
    }
}

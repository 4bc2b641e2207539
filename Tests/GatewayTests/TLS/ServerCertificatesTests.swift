// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway
import Testing

/// Which certificate a client is shown (kong/runloop/certificate.lua).
@Suite struct ServerCertificatesTests {
    @Test(
        arguments: [
            // asked for, the configured name that answers; nil is the default
            ("a.example", "a.example"), ("A.Example", "a.example"), ("a.example.", "a.example"),
            ("b.example", "*.example"), ("x.b.example", nil), ("shop.test", "shop.*"), ("shop.co.test", nil),
            ("example", nil), (nil, nil),
        ] as [(String?, String?)])
    func `names, then the first label, then the last one`(asked: String?, answer: String?) throws {
        let harness = try AdminHarness()
        let certificate = try TestCertificates.issue(["any"])
        var ids: [String: String] = [:]
        for name in ["a.example", "*.example", "shop.*"] {
            let made = harness.json("POST", "/certificates", "{\(certificate.members), \"snis\": [\"\(name)\"]}")
            ids[name] = made.json?["id"]?.stringValue
        }
        let fallback = ServedCertificate.selfSigned { TestCertificates.now }
        let certificates = ServerCertificates(harness.configuration.tls, fallback: fallback)
        let found = certificates.certificate(for: asked)
        #expect(found.id == answer.flatMap { ids[$0] })
        #expect((found === fallback) == (answer == nil))
    }

    @Test func `a catch-all answers whatever is asked for`() throws {
        let harness = try AdminHarness()
        let certificate = try TestCertificates.issue(["any"])
        let made = harness.json("POST", "/certificates", "{\(certificate.members), \"snis\": [\"*\"]}")
        let fallback = ServedCertificate.selfSigned { TestCertificates.now }
        let certificates = ServerCertificates(harness.configuration.tls, fallback: fallback)
        #expect(certificates.certificate(for: "x.y").id == made.json?["id"]?.stringValue)
        #expect(certificates.certificate(for: nil) === fallback)
    }

    @Test func `what did not change keeps its contexts`() throws {
        let harness = try AdminHarness()
        let certificate = try TestCertificates.issue(["any"])
        harness.json("POST", "/certificates", "{\(certificate.members), \"snis\": [\"a.example\"]}")
        let fallback = ServedCertificate.selfSigned { TestCertificates.now }
        let before = ServerCertificates(harness.configuration.tls, fallback: fallback)
        harness.json("POST", "/services", #"{"url": "http://h"}"#)
        let after = ServerCertificates(harness.configuration.tls, fallback: fallback, reusing: before)
        #expect(after.certificate(for: "a.example") === before.certificate(for: "a.example"))
    }
}

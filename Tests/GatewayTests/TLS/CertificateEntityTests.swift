// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import Document
import Gateway
import Testing

/// Certificates, SNIs and CA certificates over the Admin API and in files (kong-facts 1.7).
@Suite struct CertificateEntityTests {
    private let certificate = Result { try TestCertificates.issue(["a.example"]) }
    private let unknownID = "00000000-0000-4000-8000-000000000001"

    private func members() throws -> String { try certificate.get().members }

    @Test func `a certificate is written with its server names and shown with them`() throws {
        let harness = try AdminHarness()
        let made = harness.json(
            "POST", "/certificates", "{\(try members()), \"snis\": [\"b.example\", \"a.example\"], \"tags\": [\"t\"]}")
        #expect(made.status == 201)
        #expect(made.json?["snis"] == ["a.example", "b.example"])
        #expect(made.json?["cert_alt"] == .null)
        let id = try #require(made.json?["id"]?.stringValue)
        #expect(harness.get("/certificates/b.example")["id"] == .string(id))
        #expect(harness.get("/certificates/\(id)")["key"]?.stringValue == (try certificate.get().key))
        #expect(harness.get("/certificates")["data"]?.arrayValue?.count == 1)
        #expect(harness.get("/certificates/\(id)/snis")["data"]?.arrayValue?.count == 2)
        #expect(harness.get("/snis/a.example")["certificate"] == ["id": .string(id)])
        #expect(harness.get("/snis/a.example/certificate")["id"] == .string(id))
        #expect(harness.configuration.tls.serverNames == ["a.example": id, "b.example": id])

        // A list replaces the one before; what is not in it goes.
        let changed = harness.json("PATCH", "/certificates/a.example", #"{"snis": ["c.example"]}"#)
        #expect(changed.status == 200)
        #expect(changed.json?["snis"] == ["c.example"])
        #expect(harness.send("GET", "/snis/a.example").status == 404)
        #expect(harness.json("POST", "/certificates/\(id)/snis", #"{"name": "d.example"}"#).status == 201)
        #expect(harness.get("/certificates/\(id)")["snis"] == ["c.example", "d.example"])
        #expect(harness.send("DELETE", "/certificates/\(id)/snis/d.example").status == 204)

        // With a certificate its server names go.
        #expect(harness.send("DELETE", "/certificates/c.example").status == 204)
        #expect(harness.get("/snis")["data"] == [])
        #expect(harness.send("DELETE", "/certificates/c.example").status == 404)
    }

    @Test func `PUT under a server name that is new makes a certificate for it`() throws {
        let harness = try AdminHarness()
        let made = harness.json("PUT", "/certificates/a.example", "{\(try members())}")
        #expect(made.status == 200)
        #expect(made.json?["snis"] == ["a.example"])
        let again = harness.json("PUT", "/certificates/a.example", "{\(try members()), \"tags\": [\"x\"]}")
        #expect(again.json?["id"] == made.json?["id"])
        #expect(again.json?["snis"] == ["a.example"])
    }

    @Test func `what does not fit together is refused in Kong's words`() throws {
        let harness = try AdminHarness()
        let (one, other) = (try certificate.get(), try TestCertificates.issue(["b.example"]))
        let alternative = try TestCertificates.issue(["a.example"], key: .p384)
        let quoted = TestCertificates.quoted
        let table: [(body: String, fields: JSONValue)] = [
            ("{}", ["cert": "required field missing", "key": "required field missing"]),
            (
                "{\"cert\": \"x\", \"key\": \"y\"}",
                ["cert": "invalid certificate: no certificate", "key": "invalid key: no private key"]
            ),
            (
                "{\"cert\": \(quoted(one.chain)), \"key\": \(quoted(other.key))}",
                ["@entity": ["certificate does not match key"]]
            ),
            (
                "{\(one.members), \"cert_alt\": \(quoted(alternative.chain))}",
                ["@entity": ["all or none of these fields must be set: 'cert_alt', 'key_alt'"]]
            ),
            (
                "{\(one.members), \"cert_alt\": \(quoted(other.chain)), \"key_alt\": \(quoted(other.key))}",
                [
                    "@entity": [
                        .string(
                            "certificate and alternative certificate need to have different type (e.g. RSA and ECDSA), "
                                + "the provided certificates were both of the same type")
                    ]
                ]
            ),
            ("{\(one.members), \"snis\": [\"1.2.3.4\"]}", ["snis": ["must not be an IP"]]),
            ("{\(one.members), \"snis\": 3}", ["snis": "expected a set"]),
        ]
        for (body, fields) in table {
            let answer = harness.json("POST", "/certificates", body)
            #expect(answer.status == 400)
            #expect(answer.json?["fields"] == fields)
        }
        // Nothing of a refused write stays.
        #expect(harness.get("/certificates")["data"] == [])
    }

    @Test func `an alternative certificate of another kind of key is taken`() throws {
        let harness = try AdminHarness()
        let other = try TestCertificates.issue(["a.example"], key: .p384)
        let quoted = TestCertificates.quoted
        let answer = harness.json(
            "POST", "/certificates",
            "{\(try members()), \"cert_alt\": \(quoted(other.chain)), \"key_alt\": \(quoted(other.key))}")
        #expect(answer.status == 201)
    }

    @Test func `a server name belongs to one certificate`() throws {
        let harness = try AdminHarness()
        let first = harness.json("POST", "/certificates", "{\(try members()), \"snis\": [\"a.example\"]}")
        let id = first.json?["id"]?.stringValue ?? ""
        let second = harness.json("POST", "/certificates", "{\(try members()), \"snis\": [\"a.example\"]}")
        #expect(second.status == 400)
        #expect(
            second.json?["fields"]
                == ["snis": .string("a.example already associated with existing certificate '\(id)'")])
        let sni = harness.json(
            "POST", "/snis", "{\"name\": \"a.example\", \"certificate\": {\"id\": \"\(id)\"}}")
        #expect(sni.status == 409)
        #expect(
            harness.json("POST", "/snis", #"{"name": "x.example"}"#).json?["fields"]
                == ["certificate": "required field missing"])
        for (name, message) in [
            ("a.*.b", "wildcard must be leftmost or rightmost character"),
            ("*.a.*", "only one wildcard must be specified"), ("a:1", "must not have a port"),
        ] {
            let answer = harness.json(
                "POST", "/snis", "{\"name\": \"\(name)\", \"certificate\": {\"id\": \"\(id)\"}}")
            #expect(answer.json?["fields"] == ["name": .string(message)])
        }
    }

    @Test func `a certificate stays while a service or an upstream presents it`() throws {
        let harness = try AdminHarness()
        let id = try #require(harness.json("POST", "/certificates", "{\(try members())}").json?["id"]?.stringValue)
        let reference = "\"client_certificate\": {\"id\": \"\(id)\"}"
        harness.json("POST", "/services", "{\"name\": \"s\", \"url\": \"https://h\", \(reference)}")
        #expect(harness.configuration.services.first?.clientCertificateID == id)
        #expect(harness.get("/services/s/client_certificate")["id"] == .string(id))
        #expect(harness.get("/certificates/\(id)/services")["data"]?.arrayValue?.count == 1)
        let refused = harness.send("DELETE", "/certificates/\(id)")
        #expect(refused.status == 400)
        #expect(refused.json?["message"] == "an existing 'services' entity references this 'certificates' entity")
        harness.send("DELETE", "/services/s")
        harness.json("POST", "/upstreams", "{\"name\": \"u\", \(reference)}")
        #expect(harness.get("/upstreams/u/client_certificate")["id"] == .string(id))
        #expect(harness.send("DELETE", "/certificates/\(id)").json?["fields"] == ["@referenced_by": "upstreams"])
        let unknown = harness.json("PATCH", "/upstreams/u", "{\"client_certificate\": {\"id\": \"\(unknownID)\"}}")
        #expect(unknown.json?["code"] == 4)
        let plain = harness.json("POST", "/services", "{\"url\": \"http://h\", \(reference)}")
        #expect(plain.json?["fields"]?["client_certificate"] == "value must be null")
    }

    @Test func `a CA certificate signs others, is valid and is there once`() throws {
        let harness = try AdminHarness()
        let quoted = TestCertificates.quoted
        func post(_ pem: String) -> AdminResponse {
            harness.json("POST", "/ca_certificates", "{\"cert\": \(quoted(pem))}")
        }
        let root = TestCertificates.root.certificate
        let made = post(root)
        #expect(made.status == 201)
        #expect(made.json?["cert_digest"]?.stringValue == (try CertificateFacts.read(root)[0].digest))
        #expect(post(root).status == 409)
        let old = try CertificateAuthority.makeRoot(validity: CertificateValidity(notBefore: 0, notAfter: 86_400))
        let table = [
            (
                try certificate.get().certificate,
                "certificate does not appear to be a CA because it is missing the \"CA\" basic constraint"
            ),
            (old.certificate, "certificate expired, \"Not After\" time is in the past"),
            (root + TestCertificates.stranger.certificate, "please submit only one certificate at a time"),
        ]
        for (pem, words) in table { #expect(post(pem).json?["fields"] == ["@entity": [.string(words)]]) }

        let id = try #require(made.json?["id"]?.stringValue)
        harness.json("POST", "/services", "{\"url\": \"https://h\", \"ca_certificates\": [\"\(id)\"]}")
        let refused = harness.send("DELETE", "/ca_certificates/\(id)")
        #expect(refused.status == 400)
        #expect(refused.json?["code"] == 18)
        let message = refused.json?["message"]?.stringValue ?? ""
        #expect(message.hasPrefix("ca certificate \(id) is still referenced by services (id = "))
    }

    @Test func `a file nests server names and references certificates`() throws {
        let id = unknownID
        let file = """
            _format_version: "3.0"
            certificates:
            - {id: \(id), \(try members()), snis: [{name: a.example}, "*.b.example"]}
            ca_certificates:
            - {cert: \(TestCertificates.quoted(TestCertificates.root.certificate))}
            services:
            - {name: s, url: "https://h", client_certificate: \(id)}
            upstreams:
            - {name: u, client_certificate: {id: \(id)}}
            """
        let harness = try AdminHarness(file: file)
        #expect(harness.get("/certificates/\(id)")["snis"] == ["*.b.example", "a.example"])
        #expect(harness.get("/services/s")["client_certificate"] == ["id": .string(id)])
        #expect(harness.get("/upstreams/u")["client_certificate"] == ["id": .string(id)])
        #expect(harness.get("/ca_certificates")["data"]?.arrayValue?.first?["cert_digest"]?.stringValue?.count == 64)
        #expect(harness.json("POST", "/certificates", "{}").status == 405)
        // What is exported can be read again.
        let exported = try #require(harness.get("/config")["config"]?.stringValue)
        #expect(try AdminHarness(file: exported).get("/snis")["data"]?.arrayValue?.count == 2)
    }

    @Test func `mistakes in a file are told with their place`() throws {
        let file = """
            _format_version: "3.0"
            certificates:
            - cert: x
              key: y
              snis:
              - name: 1.2.3.4
            services:
            - {name: s, url: "https://h", client_certificate: \(unknownID)}
            """
        let error = #expect(throws: DeclarativeError.self) { try AdminHarness(file: file) }
        let problems = error?.problems.sorted.map(\.description) ?? []
        #expect(problems.count == 4)
        #expect(problems[0].hasPrefix("kong.yml:3:9: certificates[0].cert: invalid certificate: no certificate"))
        #expect(problems[2].hasPrefix("kong.yml:6:11: certificates[0].snis[0].name: must not be an IP"))
        #expect(problems[3].contains("invalid reference 'client_certificate: \(unknownID)'"))
    }
}

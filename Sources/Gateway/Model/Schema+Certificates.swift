// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Certificates
import Document

extension RecordSchema {
    /// kong/db/schema/entities/certificates.lua.
    static let certificate = RecordSchema(
        fields: [
            "id": .id, "created_at": .createdAt, "updated_at": .updatedAt,
            "cert": FieldSchema(.string, required: true, rules: [.text(TextRules.certificate)]),
            "key": FieldSchema(.string, required: true, rules: [.text(TextRules.privateKey)]),
            "cert_alt": .string(TextRules.certificate), "key_alt": .string(TextRules.privateKey), "tags": .tags,
        ],
        checks: [
            .allOrNone(["cert_alt", "key_alt"]),
            .agreement(["cert", "key"]) { keyViolation($0, "cert", "key") },
            .agreement(["cert_alt", "key_alt"]) { keyViolation($0, "cert_alt", "key_alt") },
            .agreement(["cert", "cert_alt"], typeViolation),
        ])

    private static func keyViolation(_ row: JSONValue, _ certificate: String, _ key: String) -> String? {
        guard let facts = facts(row, certificate), let key = row[key]?.stringValue else { return nil }
        return (try? facts.isFor(key: key)) == false ? "certificate does not match key" : nil
    }

    private static func typeViolation(_ row: JSONValue) -> String? {
        guard let first = facts(row, "cert"), let second = facts(row, "cert_alt") else { return nil }
        guard first.keyKind == second.keyKind else { return nil }
        return "certificate and alternative certificate need to have different type (e.g. RSA and ECDSA), "
            + "the provided certificates were both of the same type"
    }

    /// kong/db/schema/entities/snis.lua.
    static let serverName = RecordSchema(fields: [
        "id": .id, "name": FieldSchema(.string, required: true, rules: [.text(TextRules.wildcardServerName)]),
        "created_at": .createdAt, "updated_at": .updatedAt, "tags": .tags,
        "certificate": FieldSchema(.foreign(.certificates), required: true),
    ])

    /// kong/db/schema/entities/ca_certificates.lua.
    static let caCertificate = RecordSchema(
        fields: [
            "id": .id, "created_at": .createdAt, "updated_at": .updatedAt,
            "cert": FieldSchema(.string, required: true, rules: [.text(TextRules.certificate)]),
            "cert_digest": FieldSchema(.string), "tags": .tags,
        ], checks: [.agreement(["cert"], authorityViolation)])

    /// The row says when it is looked at.
    private static func authorityViolation(_ row: JSONValue) -> String? {
        guard let all = try? CertificateFacts.read(row["cert"]?.stringValue ?? ""), let facts = all.first else {
            return nil
        }
        if all.count > 1 { return "please submit only one certificate at a time" }
        if facts.validity.notAfter < Int64(row["updated_at"]?.intValue ?? 0) {
            return "certificate expired, \"Not After\" time is in the past"
        }
        return facts.isAuthority
            ? nil
            : "certificate does not appear to be a CA because it is missing the \"CA\" basic constraint"
    }

    private static func facts(_ row: JSONValue, _ field: String) -> CertificateFacts? {
        row[field]?.stringValue.flatMap { try? CertificateFacts.read($0) }?.first
    }

    /// What is made of other fields of a row, whatever was sent for it.
    static func addDerivedFields(_ kind: EntityKind, to row: inout JSONValue) {
        guard kind == .caCertificates else { return }
        row["cert_digest"] = facts(row, "cert").map { .string($0.digest) }
    }
}

extension TextRules {
    static func certificate(_ text: String) -> String? {
        do throws(CertificateProblem) {
            _ = try CertificateFacts.read(text)
            return nil
        } catch {
            return "invalid certificate: \(error)"
        }
    }

    static func privateKey(_ text: String) -> String? {
        do throws(CertificateProblem) {
            try CertificateFacts.check(key: text)
            return nil
        } catch {
            return "invalid key: \(error)"
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import OrderedCollections

extension RecordSchema {
    /// kong/db/schema/entities/services.lua.
    static let service = makeService()

    private static func makeService() -> RecordSchema {
        let timeout = FieldSchema.integer(1, 2_147_483_646, default: 60_000)
        var schema = RecordSchema(
            fields: [
                "id": .id, "created_at": .createdAt, "updated_at": .updatedAt, "name": .name,
                "retries": .integer(0, 32_767, default: 5),
                "protocol": FieldSchema(
                    .string, required: true, default: "http",
                    rules: [.oneOf(ServiceProtocol.allCases.map { .string($0.rawValue) })]),
                "host": FieldSchema(.string, required: true, rules: [.text(TextRules.host)]),
                "port": FieldSchema(.integer, required: true, default: 80, rules: [.between(0, 65_535)]),
                "path": .string(TextRules.path),
                "connect_timeout": timeout, "write_timeout": timeout, "read_timeout": timeout, "tags": .tags,
                "client_certificate": .certificate, "tls_verify": FieldSchema(.boolean),
                "tls_verify_depth": .integer(0, 64),
                "ca_certificates": FieldSchema(.array(of: FieldSchema(.string, rules: [.uuid]))),
                "enabled": .flag(true),
            ],
            checks: [
                .conditional(
                    if: "protocol", .isOneOf(["tcp", "tls", "udp", "grpc", "grpcs"]), then: "path", .isNull)
            ])
        schema.checks += ["client_certificate", "tls_verify", "tls_verify_depth", "ca_certificates"].map {
            .conditional(if: "protocol", .isNotOneOf(["https", "tls"]), then: $0, .isNull)
        }
        schema.shorthands = [Shorthand(name: "url", expand: expandURL)]
        return schema
    }

    /// A service that may carry health checks itself, which Kong does not have.
    static let serviceWithHealthChecks = makeServiceWithHealthChecks()

    private static func makeServiceWithHealthChecks() -> RecordSchema {
        var schema = service
        schema.fields["healthchecks"] = FieldSchema(.record(.serviceHealthChecks))
        return schema
    }

    private static func expandURL(_ value: JSONValue) -> OrderedDictionary<String, JSONValue> {
        guard let text = value.stringValue else { return [:] }
        let url = URLParts(text)
        let port = url.port.flatMap { Int($0) }
        let proto = url.scheme ?? (port == 443 ? "https" : "http")
        return [
            "protocol": .string(proto), "host": url.host.map { .string($0) } ?? .null,
            "port": port.map { .integer($0) } ?? url.port.map { .string($0) } ?? (proto == "https" ? 443 : 80),
            "path": url.path.map { .string($0) } ?? .null,
        ]
    }
}

/// A URL taken apart without judging it (LuaSocket's url.parse, which Kong uses): query and fragment are dropped.
struct URLParts: Hashable {
    var scheme: String?
    var host: String?
    /// The text behind the colon, a number or not.
    var port: String?
    var path: String?

    init(_ text: String) {
        var rest = Substring(text)
        if let colon = rest.firstIndex(of: ":"), Self.isScheme(rest[..<colon]) {
            scheme = String(rest[..<colon])
            rest = rest[rest.index(after: colon)...]
        }
        if rest.hasPrefix("//") {
            let authority = rest.dropFirst(2).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
            rest = rest[authority.endIndex...]
            readAuthority(authority)
        }
        for mark in ["#", "?", ";"] as [Character] { rest = rest.prefix { $0 != mark } }
        if !rest.isEmpty { path = String(rest) }
    }

    private mutating func readAuthority(_ authority: Substring) {
        var rest = authority
        if let at = rest.firstIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("]") {
            port = String(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
        }
        if rest.hasPrefix("["), rest.hasSuffix("]"), rest.count > 2 { rest = rest.dropFirst().dropLast() }
        if !rest.isEmpty { host = String(rest) }
    }

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, first.isASCIILetter || first.isASCIIDigit else { return false }
        return text.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || [0x2B, 0x2D, 0x2E].contains($0) }
    }
}

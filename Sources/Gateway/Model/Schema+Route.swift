// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension RecordSchema {
    /// kong/db/schema/entities/routes.lua and routes_subschemas.lua, router flavours traditional and
    /// traditional_compatible.
    static let route = makeRoute()

    private static func makeRoute() -> RecordSchema {
        var schema = RecordSchema(
            fields: [
                "id": .id, "created_at": .createdAt, "updated_at": .updatedAt, "name": .name,
                "protocols": protocols,
                "methods": FieldSchema(.set(of: .string(TextRules.httpMethod))),
                "hosts": FieldSchema(.array(of: .string(TextRules.routeHost))),
                "paths": FieldSchema(.array(of: .string(TextRules.routePath))),
                "headers": headers(key: TextRules.routeHeaderName),
                "https_redirect_status_code": FieldSchema(
                    .integer, required: true, default: 426, rules: [.oneOf([426, 301, 302, 307, 308])]),
                "regex_priority": FieldSchema(.integer, default: 0), "strip_path": .flag(true),
                "path_handling": .choice(["v0", "v1"], default: "v0"), "preserve_host": .flag(false),
                "request_buffering": .flag(true), "response_buffering": .flag(true),
                "snis": FieldSchema(.set(of: .string(TextRules.wildcardServerName))),
                "sources": addresses, "destinations": addresses, "tags": .tags,
                "service": FieldSchema(.foreign(.services)),
            ],
            checks: [
                .conditional(
                    if: "protocols", .isNotOneOf(["grpcs", "https", "tls", "tls_passthrough"]), then: "snis", .isEmpty,
                    message:
                        "'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'")
            ])
        schema.variants = Variants(keyField: "protocols", variant: variant)
        return schema
    }

    static func headers(key: @escaping @Sendable (String) -> String?) -> FieldSchema {
        FieldSchema(.map(keys: .string(key), values: FieldSchema(.array(of: FieldSchema(.string)))))
    }

    private static var protocols: FieldSchema {
        FieldSchema(
            .set(of: .choice(ServiceProtocol.allCases.map(\.rawValue))), required: true, default: ["http", "https"],
            rules: [
                .lengthAtLeast(1),
                .exclusiveSubsets([["http", "https"], ["tcp", "tls", "udp"], ["tls_passthrough"], ["grpc", "grpcs"]]),
            ])
    }

    private static var addresses: FieldSchema {
        let record = RecordSchema(
            fields: ["ip": .string(TextRules.addressOrRange), "port": .integer(0, 65_535)],
            checks: [.atLeastOneOf(["ip", "port"])])
        return FieldSchema(.set(of: FieldSchema(.record(record))))
    }

    private static func forbidden(_ field: String, _ protocols: String) -> FieldSchema {
        FieldSchema(.string, forbidden: "cannot set '\(field)' when 'protocols' is \(protocols)")
    }

    private static func matchers(_ name: String, _ fields: [String]) -> EntityCheck.Branch {
        EntityCheck.Branch(
            condition: .contains(name), fields: fields,
            message: "must set one of \(EntityCheck.quoted(fields)) when 'protocols' is '\(name)'")
    }

    @Sendable private static func variant(_ name: String) -> Variant? {
        switch name {
        case "http", "https": web
        case "grpc", "grpcs": grpc
        case "tcp", "tls", "udp", "tls_passthrough": stream
        default: nil
        }
    }

    private static let web = makeWeb()

    private static func makeWeb() -> Variant {
        Variant(
            fields: [
                "sources": forbidden("sources", "'http' or 'https'"),
                "destinations": forbidden("destinations", "'http' or 'https'"),
            ],
            checks: [
                .anyOf(
                    if: "protocols",
                    [
                        matchers("https", ["methods", "hosts", "headers", "paths", "snis"]),
                        matchers("http", ["methods", "hosts", "headers", "paths"]),
                    ])
            ])
    }

    private static let grpc = makeGrpc()

    private static func makeGrpc() -> Variant {
        let stripPath = FieldSchema(
            .boolean, required: true, default: false,
            rules: [.notEqual(true, message: "cannot set 'strip_path' when 'protocols' is 'grpc' or 'grpcs'")])
        return Variant(
            fields: [
                "strip_path": stripPath, "methods": forbidden("methods", "'grpc' or 'grpcs'"),
                "sources": forbidden("sources", "'grpc' or 'grpcs'"),
                "destinations": forbidden("destinations", "'grpc' or 'grpcs'"),
            ],
            checks: [
                .anyOf(
                    if: "protocols",
                    [
                        matchers("grpcs", ["hosts", "headers", "paths", "snis"]),
                        matchers("grpc", ["hosts", "headers", "paths"]),
                    ])
            ])
    }

    private static let stream = makeStream()

    private static func makeStream() -> Variant {
        let names = "'tcp', 'tls', 'tls_passthrough' or 'udp'"
        let addressed = ["sources", "destinations", "snis"]
        return Variant(
            fields: [
                "methods": forbidden("methods", names), "hosts": forbidden("hosts", names),
                "paths": forbidden("paths", names), "headers": forbidden("headers", names),
            ],
            checks: [
                .anyOf(
                    if: "protocols",
                    [
                        EntityCheck.Branch(
                            condition: .isOneOf(["tcp", "tls", "udp"]), fields: addressed,
                            message:
                                "must set one of \(EntityCheck.quoted(addressed)) "
                                + "when 'protocols' is 'tcp', 'tls' or 'udp'"
                        ),
                        EntityCheck.Branch(
                            condition: .isOneOf(["tls_passthrough"]), fields: ["snis"],
                            message: "must set snis when 'protocols' is 'tls_passthrough'"),
                    ])
            ])
    }
}

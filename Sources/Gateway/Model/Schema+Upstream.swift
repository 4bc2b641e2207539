// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import OrderedCollections

extension RecordSchema {
    /// kong/db/schema/entities/upstreams.lua.
    static let upstream = makeUpstream()

    private static func makeUpstream() -> RecordSchema {
        let text = FieldSchema(.string)
        var schema = RecordSchema(
            fields: [
                "id": .id, "created_at": .createdAt, "updated_at": .updatedAt,
                "name": FieldSchema(.string, required: true, rules: [.text(TextRules.upstreamName)]),
                "algorithm": .choice(
                    ["consistent-hashing", "least-connections", "round-robin", "latency"], default: "round-robin"),
                "hash_on": .choice(hashInputs, default: "none"), "hash_fallback": .choice(hashInputs, default: "none"),
                "hash_on_header": .string(TextRules.headerName), "hash_fallback_header": .string(TextRules.headerName),
                "hash_on_cookie": .string(TextRules.cookieName),
                "hash_on_cookie_path": .string(TextRules.path, default: "/"),
                "hash_on_query_arg": text, "hash_fallback_query_arg": text, "hash_on_uri_capture": text,
                "hash_fallback_uri_capture": text, "slots": .integer(10, 65_536, default: 10_000),
                "healthchecks": FieldSchema(.record(.healthChecks), default: RecordSchema.healthChecks.completed([:])),
                "tags": .tags, "host_header": .string(TextRules.hostWithOptionalPort),
                "client_certificate": .certificate, "use_srv_name": FieldSchema(.boolean, default: false),
            ], checks: hashChecks)
        schema.shorthands = [
            Shorthand(name: "algorithm", expand: expandAlgorithm), Shorthand(name: "hash_on", expand: expandHashOn),
        ]
        return schema
    }

    private static let hashInputs = ["none", "consumer", "ip", "header", "cookie", "path", "query_arg", "uri_capture"]

    private static var hashChecks: [EntityCheck] {
        func needs(_ mode: String, _ input: String, _ field: String) -> EntityCheck {
            .conditional(if: mode, .isOneOf([input]), then: field, .isSet)
        }
        func fallback(after input: String, _ choices: [String]) -> EntityCheck {
            .conditional(if: "hash_on", .isOneOf([input]), then: "hash_fallback", .isOneOf(choices))
        }
        return [
            needs("hash_on", "header", "hash_on_header"), needs("hash_fallback", "header", "hash_fallback_header"),
            needs("hash_on", "cookie", "hash_on_cookie"), needs("hash_fallback", "cookie", "hash_on_cookie"),
            fallback(after: "none", ["none"]), fallback(after: "cookie", ["none"]),
            fallback(after: "consumer", ["none", "ip", "header", "cookie", "path", "query_arg", "uri_capture"]),
            fallback(after: "ip", ["none", "consumer", "header", "cookie", "path", "query_arg", "uri_capture"]),
            fallback(after: "path", ["none", "consumer", "header", "cookie", "query_arg", "ip", "uri_capture"]),
            .distinct(["hash_on_header", "hash_fallback_header"]),
            needs("hash_on", "query_arg", "hash_on_query_arg"),
            needs("hash_fallback", "query_arg", "hash_fallback_query_arg"),
            .distinct(["hash_on_query_arg", "hash_fallback_query_arg"]),
            needs("hash_on", "uri_capture", "hash_on_uri_capture"),
            needs("hash_fallback", "uri_capture", "hash_fallback_uri_capture"),
            .distinct(["hash_on_uri_capture", "hash_fallback_uri_capture"]),
        ]
    }

    private static func expandAlgorithm(_ value: JSONValue) -> OrderedDictionary<String, JSONValue> {
        let ignoresHash = value == "least-connections" || value == "latency"
        return ignoresHash ? ["algorithm": value, "hash_on": .null] : ["algorithm": value]
    }

    private static func expandHashOn(_ value: JSONValue) -> OrderedDictionary<String, JSONValue> {
        switch value {
        case .null: ["hash_on": "none"]
        case "none": ["hash_on": value, "algorithm": "round-robin"]
        default: ["hash_on": value, "algorithm": "consistent-hashing"]
        }
    }
}

// MARK: healthchecks

extension RecordSchema {
    /// The `healthchecks` record of an upstream with Kong's defaults.
    static let healthChecks = makeHealthChecks()

    private static func makeHealthChecks() -> RecordSchema {
        RecordSchema(fields: [
            "threshold": FieldSchema(.number, default: 0, rules: [.between(0, 100)]),
            "active": HealthFields.record([
                "type": HealthFields.type, "timeout": HealthFields.seconds(1),
                "concurrency": .integer(1, 2_147_483_648, default: 10),
                "http_path": .string(TextRules.path, default: "/"), "https_sni": .string(TextRules.serverName),
                "https_verify_certificate": .flag(true), "headers": headers(key: TextRules.headerName),
                "healthy": HealthFields.record([
                    "interval": HealthFields.seconds(0), "http_statuses": HealthFields.statuses([200, 302]),
                    "successes": HealthFields.count,
                ]),
                "unhealthy": HealthFields.record([
                    "interval": HealthFields.seconds(0),
                    "http_statuses": HealthFields.statuses([429, 404, 500, 501, 502, 503, 504, 505]),
                    "tcp_failures": HealthFields.count, "timeouts": HealthFields.count,
                    "http_failures": HealthFields.count,
                ]),
            ]),
            "passive": HealthFields.record([
                "type": HealthFields.type,
                "healthy": HealthFields.record([
                    "http_statuses": HealthFields.statuses(Array(200...208) + [226] + Array(300...308)),
                    "successes": HealthFields.count,
                ]),
                "unhealthy": HealthFields.record([
                    "http_statuses": HealthFields.statuses([429, 500, 503]), "tcp_failures": HealthFields.count,
                    "timeouts": HealthFields.count, "http_failures": HealthFields.count,
                ]),
            ]),
        ])
    }
}

/// Fields that recur in `healthchecks`.
enum HealthFields {
    static let type = FieldSchema.choice(["tcp", "http", "https", "grpc", "grpcs"], default: "http")
    /// Failures or successes in a row; 0 switches off.
    static let count = FieldSchema.integer(0, 255, default: 0)

    static func seconds(_ value: JSONValue) -> FieldSchema {
        FieldSchema(.number, default: value, rules: [.between(0, 65_535)])
    }

    static func statuses(_ codes: [Int]) -> FieldSchema {
        FieldSchema(.array(of: .integer(100, 999)), default: .array(codes.map { .integer($0) }))
    }

    /// A record whose default is that of its fields.
    static func record(_ fields: OrderedDictionary<String, FieldSchema>) -> FieldSchema {
        let schema = RecordSchema(fields: fields)
        return FieldSchema(.record(schema), default: schema.completed([:]))
    }
}

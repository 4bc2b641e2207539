// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// Fields that several entities have (kong/db/schema/typedefs.lua).
extension FieldSchema {
    static let id = FieldSchema(.string, automatic: .id, rules: [.uuid])
    static let createdAt = FieldSchema(.integer, automatic: .createdAt, rules: [.timestamp])
    static let updatedAt = FieldSchema(.integer, automatic: .updatedAt, rules: [.timestamp])
    /// Seconds with milliseconds, as targets have.
    static let preciseCreatedAt = FieldSchema(.number, automatic: .createdAt, rules: [.timestamp])
    static let preciseUpdatedAt = FieldSchema(.number, automatic: .updatedAt, rules: [.timestamp])
    static let tags = FieldSchema(.set(of: FieldSchema(.string, rules: [.text(TextRules.tag)])))
    static let name = FieldSchema(.string, rules: [.text(TextRules.name)])
    static let certificate = FieldSchema(.foreign(.certificates))

    static func string(_ check: @escaping @Sendable (String) -> String?, default value: JSONValue? = nil) -> FieldSchema
    {
        FieldSchema(.string, default: value, rules: [.text(check)])
    }

    static func integer(_ low: Double, _ high: Double, default value: JSONValue? = nil) -> FieldSchema {
        FieldSchema(.integer, default: value, rules: [.between(low, high)])
    }

    static func choice(_ names: [String], default value: JSONValue? = nil) -> FieldSchema {
        FieldSchema(.string, default: value, rules: [.oneOf(names.map { .string($0) })])
    }

    /// A boolean that is never null.
    static func flag(_ value: Bool) -> FieldSchema { FieldSchema(.boolean, required: true, default: .bool(value)) }
}

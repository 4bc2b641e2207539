// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension RecordSchema {
    /// kong/db/schema/entities/targets.lua.
    static let target = makeTarget()

    private static func makeTarget() -> RecordSchema {
        RecordSchema(fields: [
            "id": .id, "created_at": .preciseCreatedAt, "updated_at": .preciseUpdatedAt,
            "upstream": FieldSchema(.foreign(.upstreams), required: true),
            "target": FieldSchema(.string, required: true, rules: [.text(TextRules.target)]),
            "weight": .integer(0, 65_535, default: 100), "tags": .tags,
        ])
    }

    /// The port of a target that names none (kong/db/dao/targets.lua).
    static let defaultTargetPort = 8000

    /// `host:port` in the form targets are kept in; a text that is no address stays as it is.
    package static func storedTarget(_ text: String) -> String {
        (try? HostAddress(text))?.text(defaultPort: defaultTargetPort) ?? text
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import FoundationEssentials

/// The `offset` of a list: a JSON list with the id the next page begins with, in base64.
enum Offset {
    static func text(id: String) -> String { Data("[\"\(id)\"]".utf8).base64EncodedString() }

    /// - Throws: 400 with code 7.
    static func id(from text: String) throws(AdminRefusal) -> String {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        guard let bytes = Data(base64Encoded: text + padding) else {
            throw AdminRefusal(badOffset: text, "bad base64 encoding")
        }
        guard let key = try? JSONValue(parsing: bytes), let id = key.arrayValue?.first?.stringValue else {
            throw AdminRefusal(badOffset: text, "bad json encoding")
        }
        return id
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// The certificates of a configuration, as text.
package struct TLSMaterial: Hashable, Sendable {
    package struct Certificate: Hashable, Sendable {
        package var id: String
        /// PEM; those between it and its root follow it.
        package var chain: String
        package var key: String

        /// - Parameter row: a validated row.
        init(json row: JSONValue) {
            id = row["id"]?.stringValue ?? ""
            chain = row["cert"]?.stringValue ?? ""
            key = row["key"]?.stringValue ?? ""
        }
    }

    /// In the order of their ids.
    package var certificates: [Certificate] = []
    /// Server name to the id of its certificate.
    package var serverNames: [String: String] = [:]
    /// Id to PEM.
    package var authorities: [String: String] = [:]

    package init() {}

    func certificate(_ id: String?) -> Certificate? { id.flatMap { id in certificates.first { $0.id == id } } }
}

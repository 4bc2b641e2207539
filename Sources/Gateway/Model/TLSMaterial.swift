// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// The certificates of a configuration, as text.
package struct TLSMaterial: Hashable, Sendable {
    /// PEM of a certificate, with those between it and its root behind it, and of its key.
    package struct Pair: Hashable, Sendable {
        package var chain: String
        package var key: String
    }

    package struct Certificate: Hashable, Sendable {
        package var id: String
        /// PEM; those between it and its root follow it.
        package var chain: String
        package var key: String
        /// `cert_alt` and `key_alt`: for clients that would rather have a key of this kind.
        package var alternative: Pair?

        /// - Parameter row: a validated row.
        init(json row: JSONValue) {
            id = row["id"]?.stringValue ?? ""
            chain = row["cert"]?.stringValue ?? ""
            key = row["key"]?.stringValue ?? ""
            if let chain = row["cert_alt"]?.stringValue, let key = row["key_alt"]?.stringValue {
                alternative = Pair(chain: chain, key: key)
            }
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

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// Why the store refused a write (kong/db/errors.lua). The store is unchanged then.
package enum StoreError: Error, Hashable, Sendable {
    case schemaViolation(Violation)
    /// Another row has the same `key`: a record of the unique fields.
    case uniqueViolation(key: JSONValue)
    case primaryKeyViolation(id: String)
    /// `field` holds `key`, and no row of `collection` has it.
    case foreignKeyViolation(field: String, key: JSONValue, collection: String)
    /// `field` names a row of `collection` by another field than its id, and there is none.
    case foreignKeyUnresolved(field: String, key: String, value: JSONValue, collection: String)
    /// A row of `parent` cannot go while rows of `child` name it.
    case restricted(parent: EntityKind, child: EntityKind)
    /// A row that services name in a list cannot go; in Kong's words.
    case referencedByOthers(String)
    case notFound
}

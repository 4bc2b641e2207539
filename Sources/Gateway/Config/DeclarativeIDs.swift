// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// Ids for entities of a file that have none: version 5 UUIDs made of the collection and the natural key, by the same
/// rule as Kong (generate_ids in kong/db/schema/others/declarative_config.lua), so that both give the same ids.
enum DeclarativeIDs {
    /// Kong's namespace of all collections.
    private static let root = "fd02801f-0957-4a15-a55a-c8d9606f30b5"
    /// Stands for a parent that was not found, so that nothing more is said about it.
    static let unresolved = "00000000-0000-0000-0000-000000000000"

    private static let namespaces = Dictionary(
        uniqueKeysWithValues: EntityKind.allCases.map { ($0, UUIDs.version5(namespace: root, name: $0.rawValue)) })

    static func id(of row: JSONValue, _ item: DeclarativeReader.Item) -> String {
        UUIDs.version5(namespace: namespaces[item.kind] ?? root, name: key(of: row, item))
    }

    /// Whether the id of an entity that has none depends on its place in the document.
    static func isByPlace(_ row: JSONValue, _ item: DeclarativeReader.Item) -> Bool {
        row["name"]?.stringValue == nil && !(item.kind == .targets && item.node["target"]?.scalar != nil)
    }

    /// `name:*`, the star being the default workspace; for targets Kong's cache key. What has no name (Kong draws a
    /// random id then) is known by its place in the document.
    private static func key(of row: JSONValue, _ item: DeclarativeReader.Item) -> String {
        if item.kind == .targets, let target = item.node["target"]?.scalar {
            let parent = item.parentID ?? item.node["upstream"]?.scalar ?? row["upstream"]?["id"]?.stringValue ?? ""
            return "targets:*:\(parent):\(target)"
        }
        if let name = row["name"]?.stringValue { return "\(name):*" }
        return DeclarativeMistake.text(item.path) + ":*"
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// The rows of one collection: found by id and by unique key, listed by id or in the order they were made.
struct EntityTable: Sendable {
    struct Row: Sendable {
        var json: JSONValue
        /// Grows with every row that is made.
        var sequence: Int
    }

    private(set) var rows: [String: Row] = [:]
    /// Ascending.
    private(set) var ids: [String] = []
    private var idsByKey: [String: String] = [:]
    private var nextSequence = 0
    let kind: EntityKind

    init(_ kind: EntityKind) { self.kind = kind }

    var all: [JSONValue] { ids.compactMap { rows[$0]?.json } }

    /// Oldest first.
    var inOrderOfCreation: [JSONValue] { rows.values.sorted { $0.sequence < $1.sequence }.map(\.json) }

    func id(ofKey key: String) -> String? { idsByKey[key] }

    /// Adds a row or replaces the one with its id, which keeps its place in the order of creation.
    mutating func put(_ json: JSONValue, id: String) {
        if let old = rows[id] {
            if let key = Self.key(of: old.json, kind) { idsByKey[key] = nil }
            rows[id]?.json = json
        } else {
            rows[id] = Row(json: json, sequence: nextSequence)
            nextSequence += 1
            ids.insert(id, at: place(of: id))
        }
        if let key = Self.key(of: json, kind) { idsByKey[key] = id }
    }

    mutating func remove(id: String) {
        guard let old = rows.removeValue(forKey: id) else { return }
        if let key = Self.key(of: old.json, kind) { idsByKey[key] = nil }
        ids.remove(at: place(of: id))
    }

    /// Where an id stands in `ids`, or would.
    func place(of id: String) -> Int {
        var (low, high) = (0, ids.count)
        while low < high {
            let middle = (low + high) / 2
            if ids[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// What no two rows may share, as one text; nil when the row has nothing of the kind.
    static func key(of row: JSONValue, _ kind: EntityKind) -> String? {
        guard let name = row[kind.keyField]?.stringValue else { return nil }
        if kind != .targets { return name }
        return row["upstream"]?["id"]?.stringValue.map { targetKey(upstream: $0, target: name) }
    }

    static func targetKey(upstream: String, target: String) -> String { "\(upstream) \(target)" }
}

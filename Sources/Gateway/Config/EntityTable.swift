// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Crypto
import Document

/// A row as it is kept, with everything that is made of it alone. It never changes, so that a store which takes it over
/// from another one has that already.
final class StoredRow: Sendable {
    /// The row as the data plane reads it.
    enum Entity: Sendable {
        case service(Service)
        case route(Route)
        case upstream(Upstream)
        case target(Target)
        case other
    }

    let id: String
    let json: JSONValue
    let entity: Entity
    /// What no two rows may share, as one text; nil when the row has nothing of the kind.
    let key: String?
    /// The row as answers show it; nil where that depends on other rows too.
    let text: [UInt8]?
    /// Over everything but the row's times.
    let digest: Insecure.SHA1.Digest

    /// - Parameter json: valid and complete.
    init(_ json: JSONValue, _ kind: EntityKind, id: String) {
        self.id = id
        self.json = json
        key = Self.key(of: json, kind)
        entity =
            switch kind {
            case .services: .service(Service(json: RecordSchema.service.withoutNulls(json)))
            case .routes: .route(Route(json: RecordSchema.route.withoutNulls(json)))
            case .upstreams: .upstream(Upstream(json: RecordSchema.upstream.withoutNulls(json)))
            case .targets: .target(Target(json: RecordSchema.target.withoutNulls(json)))
            case .certificates, .snis, .caCertificates: .other
            }
        var bytes: [UInt8] = []
        if kind != .certificates { Self.shown(json, kind).write(to: &bytes) }
        text = kind == .certificates ? nil : bytes
        digest = Self.digest(of: json, kind)
    }

    /// A row as answers show it: a service without health checks does not have the field, as in Kong.
    static func shown(_ row: JSONValue, _ kind: EntityKind) -> JSONValue {
        guard kind == .services, row["healthchecks"] == .null else { return row }
        var row = row
        row["healthchecks"] = nil
        return row
    }

    private static func digest(of row: JSONValue, _ kind: EntityKind) -> Insecure.SHA1.Digest {
        var row = row
        row["created_at"] = nil
        row["updated_at"] = nil
        var bytes = Array(kind.rawValue.utf8)
        row.write(to: &bytes)
        return Insecure.SHA1.hash(data: bytes)
    }

    static func key(of row: JSONValue, _ kind: EntityKind) -> String? {
        guard let name = row[kind.keyField]?.stringValue else { return nil }
        if kind != .targets { return name }
        return row["upstream"]?["id"]?.stringValue.map { EntityTable.targetKey(upstream: $0, target: name) }
    }
}

/// The rows of one collection: found by id and by unique key, listed by id or in the order they were made.
struct EntityTable: Sendable {
    struct Row: Sendable {
        var stored: StoredRow
        /// Grows with every row that is made.
        var sequence: Int

        var json: JSONValue { stored.json }
    }

    private(set) var rows: [String: Row] = [:]
    /// Ascending.
    private(set) var ids: [String] = []
    private var idsByKey: [String: String] = [:]
    private var nextSequence = 0
    let kind: EntityKind

    init(_ kind: EntityKind) { self.kind = kind }

    /// In the order of their ids.
    var all: [StoredRow] { ids.compactMap { rows[$0]?.stored } }

    /// Oldest first.
    var inOrderOfCreation: [StoredRow] { rows.values.sorted { $0.sequence < $1.sequence }.map(\.stored) }

    func id(ofKey key: String) -> String? { idsByKey[key] }

    /// Adds a row or replaces the one with its id, which keeps its place in the order of creation.
    mutating func put(_ row: StoredRow) {
        if let old = rows[row.id]?.stored {
            if let key = old.key { idsByKey[key] = nil }
            rows[row.id]?.stored = row
        } else {
            rows[row.id] = Row(stored: row, sequence: nextSequence)
            nextSequence += 1
            ids.insert(row.id, at: place(of: row.id))
        }
        if let key = row.key { idsByKey[key] = row.id }
    }

    mutating func remove(id: String) {
        guard let old = rows.removeValue(forKey: id) else { return }
        if let key = old.stored.key { idsByKey[key] = nil }
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

    static func targetKey(upstream: String, target: String) -> String { "\(upstream) \(target)" }
}

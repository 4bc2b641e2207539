// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
package import World

/// All entities of a gateway as rows, each valid and complete, none naming another one that does not exist.
///
/// A value: whoever owns it (the Admin API, on the control loop) makes a `Configuration` of it after a change. A
/// refused write changes nothing.
package struct EntityStore: Sendable {
    /// Whether services may carry `healthchecks`, which Kong refuses.
    package let acceptsServiceHealthChecks: Bool
    private var services = EntityTable(.services)
    private var routes = EntityTable(.routes)
    private var upstreams = EntityTable(.upstreams)
    private var targets = EntityTable(.targets)
    private var certificates = EntityTable(.certificates)
    private var serverNames = EntityTable(.snis)
    private var caCertificates = EntityTable(.caCertificates)

    package init(acceptsServiceHealthChecks: Bool) {
        self.acceptsServiceHealthChecks = acceptsServiceHealthChecks
    }

    package func schema(of kind: EntityKind) -> RecordSchema {
        kind == .services && acceptsServiceHealthChecks ? .serviceWithHealthChecks : kind.schema
    }

    subscript(table kind: EntityKind) -> EntityTable {
        get {
            switch kind {
            case .services: services
            case .routes: routes
            case .upstreams: upstreams
            case .targets: targets
            case .certificates: certificates
            case .snis: serverNames
            case .caCertificates: caCertificates
            }
        }
        _modify {
            switch kind {
            case .services: yield &services
            case .routes: yield &routes
            case .upstreams: yield &upstreams
            case .targets: yield &targets
            case .certificates: yield &certificates
            case .snis: yield &serverNames
            case .caCertificates: yield &caCertificates
            }
        }
    }
}

// MARK: Reading

extension EntityStore {
    /// Rows of all collections.
    var count: Int { EntityKind.allCases.reduce(0) { $0 + self[table: $1].rows.count } }

    package func row(_ kind: EntityKind, id: String) -> JSONValue? { self[table: kind].rows[id]?.json }

    /// Finds a row as URLs name it: by id when the text is a UUID, else by name; a certificate by one of its server
    /// names. Targets have no name of their own: see `target(_:of:)`.
    package func row(_ kind: EntityKind, idOrName text: String) -> JSONValue? {
        if UUIDs.isValid(text) { return row(kind, id: text.lowercased()) }
        if kind == .certificates {
            let id = row(.snis, idOrName: text)?["certificate"]?["id"]?.stringValue
            return id.flatMap { row(.certificates, id: $0) }
        }
        return self[table: kind].id(ofKey: text).flatMap { row(kind, id: $0) }
    }

    /// Finds a target of an upstream by id or `host:port`.
    package func target(_ text: String, of upstream: String) -> JSONValue? {
        if UUIDs.isValid(text) {
            guard let found = row(.targets, id: text.lowercased()), found["upstream"]?["id"] == .string(upstream) else {
                return nil
            }
            return found
        }
        let key = EntityTable.targetKey(upstream: upstream, target: text)
        return self[table: .targets].id(ofKey: key).flatMap { row(.targets, id: $0) }
    }

    /// Rows in the order of their ids.
    package func rows(_ kind: EntityKind) -> [JSONValue] { self[table: kind].all.map(\.json) }

    /// Rows that name a parent, in the order of their ids.
    package func rows(_ kind: EntityKind, of parent: String) -> [JSONValue] {
        guard let field = kind.parent?.field else { return [] }
        return rows(kind).filter { $0[field]?["id"] == .string(parent) }
    }

    /// The targets of an upstream, newest first.
    package func targetsNewestFirst(of upstream: String) -> [JSONValue] {
        self[table: .targets].inOrderOfCreation.reversed().map(\.json)
            .filter { $0["upstream"]?["id"] == .string(upstream) }
    }
}

// MARK: Writing

/// What the gateway fills in when a row is written.
package struct RowStamp {
    /// Nanoseconds since 1970.
    package var now: Int64
    package var ids: RandomStream

    package init(now: Int64, ids: RandomStream) {
        self.now = now
        self.ids = ids
    }

    func time(for kind: EntityKind) -> JSONValue { Self.time(now, for: kind) }

    /// Targets have milliseconds, all others whole seconds.
    static func time(_ now: Int64, for kind: EntityKind) -> JSONValue {
        kind == .targets ? .number(Double(now / 1_000_000) / 1000) : .integer(Int(now / 1_000_000_000))
    }
}

extension EntityStore {
    /// Adds a row.
    ///
    /// - Returns: the complete row.
    package mutating func insert(
        _ kind: EntityKind, _ input: JSONValue, stamp: inout RowStamp
    ) throws(StoreError) -> JSONValue {
        var input = try prepared(kind, input)
        if input["id"] == nil { input["id"] = .string(stamp.ids.uuid()) }
        return try write(kind, input, replacing: nil, stamp: stamp)
    }

    /// Replaces the row that a URL names, or adds it under that id or name. What is not sent returns to its default.
    package mutating func upsert(
        _ kind: EntityKind, idOrName text: String, _ input: JSONValue, stamp: inout RowStamp
    ) throws(StoreError) -> JSONValue {
        var input = input
        input[UUIDs.isValid(text) ? "id" : kind.keyField] = .string(UUIDs.isValid(text) ? text.lowercased() : text)
        guard let old = row(kind, idOrName: text) else { return try insert(kind, input, stamp: &stamp) }
        input = try prepared(kind, input)
        input["id"] = old["id"]
        input["created_at"] = input["created_at"] ?? old["created_at"]
        return try write(kind, input, replacing: old, stamp: stamp)
    }

    /// Changes a row: records field by field, everything else as a whole.
    package mutating func update(
        _ kind: EntityKind, id: String, _ change: JSONValue, stamp: RowStamp
    ) throws(StoreError) -> JSONValue {
        guard let old = row(kind, id: id) else { throw .notFound }
        var row = schema(of: kind).merged(try prepared(kind, change), over: old)
        row["id"] = old["id"]
        return try write(kind, row, replacing: old, stamp: stamp)
    }

    /// Removes a row and what belongs to it.
    ///
    /// - Throws: `.restricted` when rows that do not belong to it name it.
    package mutating func delete(_ kind: EntityKind, id: String) throws(StoreError) {
        try checkUsers(of: kind, id: id)
        if let children = kind.children {
            let rows = rows(children.kind, of: id)
            if !rows.isEmpty && !children.areDeletedToo { throw .restricted(parent: kind, child: children.kind) }
            for row in rows { self[table: children.kind].remove(id: row["id"]?.stringValue ?? "") }
        }
        self[table: kind].remove(id: id)
    }

    /// Shorthands replaced, the target in its stored form, parents by id.
    private func prepared(_ kind: EntityKind, _ input: JSONValue) throws(StoreError) -> JSONValue {
        var row: JSONValue
        do throws(Violation) { row = try schema(of: kind).expanded(input) } catch { throw .schemaViolation(error) }
        if kind == .targets, let text = row["target"]?.stringValue, !text.isEmpty {
            // As in Kong this stands before the schema and says nothing else (kong/db/dao/targets.lua).
            if TextRules.target(text) != nil {
                throw .schemaViolation(.field("target", "Invalid target; not a valid hostname or ip address"))
            }
            row["target"] = .string(RecordSchema.storedTarget(text))
        }
        return try resolvingParent(of: kind, row)
    }

    private func resolvingParent(of kind: EntityKind, _ row: JSONValue) throws(StoreError) -> JSONValue {
        guard let parent = kind.parent, case .object(let key)? = row[parent.field], key["id"] == nil,
            let name = key[parent.kind.keyField]
        else { return row }
        guard let text = name.stringValue, let id = self[table: parent.kind].id(ofKey: text) else {
            throw .foreignKeyUnresolved(
                field: parent.field, key: parent.kind.keyField, value: name, collection: parent.kind.rawValue)
        }
        var row = row
        row[parent.field] = ["id": .string(id)]
        return row
    }

    private mutating func write(
        _ kind: EntityKind, _ input: JSONValue, replacing old: JSONValue?, stamp: RowStamp
    ) throws(StoreError) -> JSONValue {
        let schema = schema(of: kind)
        var input = input
        input["updated_at"] = stamp.time(for: kind)
        RecordSchema.addDerivedFields(kind, to: &input)
        if input["created_at"] == .null { input["created_at"] = stamp.time(for: kind) }
        var row = schema.completed(input) { $0 == .createdAt ? stamp.time(for: kind) : nil }
        if let violation = schema.violation(of: row) { throw .schemaViolation(violation) }
        // UUIDs are kept in lower case: the same id twice is the same row.
        guard let id = row["id"]?.stringValue?.lowercased() else {
            throw .schemaViolation(.field("id", "required field missing"))
        }
        row["id"] = .string(id)
        row = try checkedReferences(schema, row)
        let stored = StoredRow(row, kind, id: id)
        try checkUnique(kind, stored, isNew: old == nil)
        self[table: kind].put(stored)
        return row
    }

    private func checkUnique(
        _ kind: EntityKind, _ row: StoredRow, isNew: Bool
    ) throws(StoreError) {
        if isNew && self.row(kind, id: row.id) != nil { throw .primaryKeyViolation(id: row.id) }
        guard let key = row.key, let other = self[table: kind].id(ofKey: key), other != row.id else { return }
        var fields: JSONValue = [:]
        for name in [kind.keyField] + (kind == .targets ? ["upstream"] : []) { fields[name] = row.json[name] }
        throw .uniqueViolation(key: fields)
    }

    /// The row with its references reduced to `{"id": …}`.
    private func checkedReferences(_ schema: RecordSchema, _ row: JSONValue) throws(StoreError) -> JSONValue {
        var row = row
        for (name, field) in schema.fields {
            guard let key = row[name], let id = key["id"]?.stringValue else { continue }
            let reference: JSONValue = ["id": .string(id.lowercased())]
            switch field.kind {
            case .foreign(let parent):
                if self.row(parent, id: id.lowercased()) == nil {
                    throw .foreignKeyViolation(field: name, key: reference, collection: parent.rawValue)
                }
                row[name] = reference
            default: continue
            }
        }
        return row
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// Turns one document into the rows of a store, or into all of its mistakes.
///
/// Parents are read before children, so that a reference may stand before what it names.
struct DeclarativeReader {
    /// An entity as it stands in the document.
    struct Item {
        var kind: EntityKind
        var node: DocumentNode
        var path: [DeclarativeMistake.Step]
        /// The id of the entity it is nested in.
        var parentID: String?
    }

    var store: EntityStore
    let now: Int64
    var mistakes: [DeclarativeMistake] = []
    /// The ids of all named entities so far, also of those with mistakes.
    private var declared: [EntityKind: [String: String]] = [:]
    /// Below 3.0 a path that looks like a regular expression is one, without `~` in front.
    private var marksExpressions = false

    init(store: EntityStore, now: Int64) {
        self.store = store
        self.now = now
    }

    mutating func read(_ document: DocumentNode) {
        guard let members = document.members else {
            mistakes.append(
                mistake([], "expected an object", at: document.location, advice: "write _format_version: \"3.0\" first")
            )
            return
        }
        readVersion(document)
        for member in members where !DeclarativeKeys.known.contains(member.key) { refuse(member) }
        var nested: [EntityKind: [Item]] = [:]
        for kind in EntityKind.parentsFirst {
            let items = document[kind.rawValue].map { self.items($0, kind, [.key(kind.rawValue)], parentID: nil) } ?? []
            for item in items + (nested[kind] ?? []) {
                let id = read(item)
                guard let child = kind.children?.kind, let node = item.node[child.rawValue] else { continue }
                nested[child, default: []] += self.items(node, child, item.path + [.key(child.rawValue)], parentID: id)
            }
        }
    }

    private mutating func readVersion(_ document: DocumentNode) {
        let path: [DeclarativeMistake.Step] = [.key("_format_version")]
        guard let node = document["_format_version"], !node.isNull else {
            mistakes.append(
                mistake(path, "required field missing", at: document.location, advice: "add _format_version: \"3.0\""))
            return
        }
        guard let version = node.scalar, ["1.1", "2.1", "3.0"].contains(version) else {
            mistakes.append(
                mistake(path, "expected one of: 1.1, 2.1, 3.0", at: node.location, advice: "write \"3.0\""))
            return
        }
        marksExpressions = version != "3.0"
    }

    private mutating func items(
        _ list: DocumentNode, _ kind: EntityKind, _ path: [DeclarativeMistake.Step], parentID: String?
    ) -> [Item] {
        if list.isNull { return [] }
        guard let nodes = list.items else {
            mistakes.append(
                mistake(path, "expected an array", at: list.location, advice: "begin each entity with a dash"))
            return []
        }
        return nodes.enumerated().compactMap { index, node in
            // A server name within its certificate may stand for itself.
            let isName = kind == .snis && parentID != nil && node.scalar != nil && !node.isNull
            let node = isName ? Self.named(node) : node
            let path = path + [.index(index)]
            guard node.members != nil else {
                mistakes.append(
                    mistake(path, "expected a record", at: node.location, advice: "write its fields as key: value"))
                return nil
            }
            return Item(kind: kind, node: node, path: path, parentID: parentID)
        }
    }
}

extension DeclarativeReader {
    private static func named(_ node: DocumentNode) -> DocumentNode {
        DocumentNode(.mapping([.init(key: "name", keyLocation: node.location, value: node)]), at: node.location)
    }
}

// MARK: One entity

extension DeclarativeReader {
    /// - Returns: the entity's id, also when it has mistakes, so that its children can be read.
    private mutating func read(_ item: Item) -> String {
        let before = mistakes.count
        let schema = store.schema(of: item.kind)
        var row = item.node.json
        if let child = item.kind.children?.kind { row[child.rawValue] = nil }
        if let text = row["target"]?.stringValue, item.kind == .targets {
            row["target"] = .string(RecordSchema.storedTarget(text))
        }
        if marksExpressions, item.kind == .routes { Self.markExpressions(&row) }
        resolveParent(of: item, &row)
        resolveOthers(of: item, schema, &row)
        RecordSchema.addDerivedFields(item.kind, to: &row)
        let given = row["id"]?.stringValue
        let id = given.flatMap { UUIDs.isValid($0) ? $0.lowercased() : nil } ?? DeclarativeIDs.id(of: row, item)
        if given.map(UUIDs.isValid) ?? (row["id"] == nil) { row["id"] = .string(id) }
        for name in [row["name"]?.stringValue, id].compactMap({ $0 }) { declared[item.kind, default: [:]][name] = id }
        do throws(Violation) {
            row = try schema.expanded(row)
        } catch {
            record(error, item, schema)
            return id
        }
        let time = RowStamp.time(now, for: item.kind)
        row = schema.completed(row) { kind in kind == .id ? nil : time }
        if let violation = schema.violation(of: row) { record(violation, item, schema) }
        checkUnique(item, row, id: id)
        if mistakes.count == before { store[table: item.kind].put(row, id: id) }
        return id
    }

    /// Replaces a reference by name with one by id. What cannot be resolved is reported once and then taken as there.
    private mutating func resolveParent(of item: Item, _ row: inout JSONValue) {
        guard let parent = item.kind.parent else { return }
        let given = row[parent.field] ?? .null
        if let parentID = item.parentID {
            if !given.isNull, given["id"] != .string(parentID), given != .string(parentID) {
                let place = item.node[parent.field]?.location ?? item.node.location
                mistakes.append(
                    mistake(
                        item.path + [.key(parent.field)], "all or none of these fields must be set", at: place,
                        advice: "remove it: the entity it is nested in is its \(parent.field)"))
            }
            row[parent.field] = ["id": .string(parentID)]
            return
        }
        resolve(parent.field, to: parent.kind, of: item, &row)
    }

    /// References to what an entity is not nested in: the client certificates of services and upstreams.
    private mutating func resolveOthers(of item: Item, _ schema: RecordSchema, _ row: inout JSONValue) {
        for (name, field) in schema.fields where name != item.kind.parent?.field {
            if case .foreign(let kind) = field.kind { resolve(name, to: kind, of: item, &row) }
        }
    }

    private mutating func resolve(_ field: String, to kind: EntityKind, of item: Item, _ row: inout JSONValue) {
        let given = row[field] ?? .null
        guard let name = given.stringValue ?? given["id"]?.stringValue ?? given[kind.keyField]?.stringValue
        else { return }
        let names = declared[kind] ?? [:]
        if let id = names[UUIDs.isValid(name) ? name.lowercased() : name] {
            row[field] = ["id": .string(id)]
            return
        }
        let place = item.node[field]?.location ?? item.node.location
        let near = nearestKey(to: name, among: names.keys.filter { !UUIDs.isValid($0) }.sorted())
        mistakes.append(
            mistake(
                item.path + [.key(field)],
                "invalid reference '\(field): \(name)' (no such entry in '\(kind.rawValue)')", at: place,
                advice: near.map { "did you mean '\($0)'?" }))
        row[field] = ["id": .string(DeclarativeIDs.unresolved)]
    }

    private mutating func checkUnique(_ item: Item, _ row: JSONValue, id: String) {
        let table = store[table: item.kind]
        let duplicate: String? =
            if let key = EntityTable.key(of: row, item.kind), table.id(ofKey: key) != nil {
                item.kind.keyField
            } else if table.rows[id] != nil {
                "id"
            } else {
                nil
            }
        guard let field = duplicate else { return }
        let value = row[field]?.stringValue ?? id
        mistakes.append(
            mistake(
                item.path + [.key(field)],
                "uniqueness violation: '\(item.kind.rawValue)' entity with \(field) set to '\(value)' already declared",
                at: item.node[field]?.location ?? item.node.location, advice: "choose another \(field)"))
    }

    private static func markExpressions(_ row: inout JSONValue) {
        guard let paths = row["paths"]?.arrayValue else { return }
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_~/%")
        row["paths"] = .array(
            paths.map { path in
                guard let text = path.stringValue, !text.hasPrefix("~"), !text.allSatisfy(plain.contains) else {
                    return path
                }
                return .string("~" + text)
            })
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// Turns one document into the rows of a store, or into all of its mistakes.
///
/// Parents are read before children, so that a reference may stand before what it names.
struct DeclarativeReader {
    /// An entity as it stands in the document.
    struct Item: Sendable {
        var kind: EntityKind
        var node: DocumentNode
        var path: [DeclarativeMistake.Step]
        /// The id of the entity it is nested in.
        var parentID: String?
    }

    /// A name in the document and the id that it stood for.
    struct Reference: Sendable {
        var kind: EntityKind
        var name: String
        var id: String
    }

    private(set) var reading: DeclarativeReading
    let now: Int64
    var mistakes: [DeclarativeMistake] = []
    private let previous: DeclarativeReading?
    /// What the previous reading has under a name; made when the order of the entities has changed.
    private var previousPlaces: [EntityKind: [String: Int]] = [:]
    /// Those of the entity that is being read.
    private var references: [Reference] = []
    /// The ids of all named entities so far, also of those with mistakes.
    private var declared: [EntityKind: [String: String]] = [:]
    /// Below 3.0 a path that looks like a regular expression is one, without `~` in front.
    private var marksExpressions = false

    init(store: EntityStore, now: Int64, after previous: DeclarativeReading?) {
        reading = DeclarativeReading(store: store)
        self.now = now
        self.previous = previous
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
        if let known = known(item) {
            declare(item.kind, id: known.row.id, name: known.row.json["name"]?.stringValue)
            if let field = duplicateField(item.kind, id: known.row.id, key: known.row.key) {
                reportDuplicate(field, item, known.row.json, id: known.row.id)
            } else {
                keep(known)
            }
            return known.row.id
        }
        let before = mistakes.count
        let schema = reading.store.schema(of: item.kind)
        references = []
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
        let givenID = given.flatMap { UUIDs.isValid($0) ? $0.lowercased() : nil }
        let id = givenID ?? DeclarativeIDs.id(of: row, item)
        let isKnownByPlace = givenID == nil && DeclarativeIDs.isByPlace(row, item)
        if given.map(UUIDs.isValid) ?? (row["id"] == nil) { row["id"] = .string(id) }
        declare(item.kind, id: id, name: row["name"]?.stringValue)
        do throws(Violation) {
            row = try schema.expanded(row)
        } catch {
            record(error, item, schema)
            return id
        }
        let time = RowStamp.time(now, for: item.kind)
        row = schema.completed(row) { kind in kind == .id ? nil : time }
        if let violation = schema.violation(of: row) { record(violation, item, schema) }
        // A row with mistakes cannot be stored, but that another one has its name or id is said all the same.
        if mistakes.count > before {
            if let field = duplicateField(item.kind, id: id, key: StoredRow.key(of: row, item.kind)) {
                reportDuplicate(field, item, row, id: id)
            }
            return id
        }
        let stored = StoredRow(row, item.kind, id: id)
        if let field = duplicateField(item.kind, id: id, key: stored.key) {
            reportDuplicate(field, item, row, id: id)
        } else {
            keep(
                DeclarativeReading.Statement(
                    item: item, marksExpressions: marksExpressions, isKnownByPlace: isKnownByPlace,
                    references: references, row: stored))
        }
        return id
    }

    private mutating func declare(_ kind: EntityKind, id: String, name: String?) {
        if let name { declared[kind, default: [:]][name] = id }
        declared[kind, default: [:]][id] = id
    }

    private mutating func keep(_ statement: DeclarativeReading.Statement) {
        reading.store[table: statement.item.kind].put(statement.row)
        reading.add(statement)
    }

    /// What the previous reading made of an entity that is stated as it was then.
    private mutating func known(_ item: Item) -> DeclarativeReading.Statement? {
        guard let previous else { return nil }
        let statements = previous.statements(item.kind)
        var found: DeclarativeReading.Statement?
        let place = reading.statements(item.kind).count
        if place < statements.count, states(item, statements[place]) {
            found = statements[place]
        } else if let name = item.node[item.kind == .targets ? "target" : "name"]?.scalar {
            if previousPlaces[item.kind] == nil {
                previousPlaces[item.kind] = Dictionary(
                    statements.enumerated().compactMap { place, statement in
                        statement.item.node[item.kind == .targets ? "target" : "name"]?.scalar.map { ($0, place) }
                    }, uniquingKeysWith: { first, _ in first })
            }
            found = previousPlaces[item.kind]?[name].map { statements[$0] }.flatMap { states(item, $0) ? $0 : nil }
        }
        guard var found else { return nil }
        found.item = item
        return found
    }

    private func states(_ item: Item, _ known: DeclarativeReading.Statement) -> Bool {
        known.marksExpressions == marksExpressions && known.item.parentID == item.parentID
            && (!known.isKnownByPlace || known.item.path == item.path)
            && item.node.says(known.item.node, leavingOut: item.kind.children?.kind.rawValue)
            && known.references.allSatisfy { declared[$0.kind]?[$0.name] == $0.id }
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
        let key = UUIDs.isValid(name) ? name.lowercased() : name
        if let id = names[key] {
            row[field] = ["id": .string(id)]
            references.append(Reference(kind: kind, name: key, id: id))
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

    /// The field that an entity before has with the same value.
    private func duplicateField(_ kind: EntityKind, id: String, key: String?) -> String? {
        let table = reading.store[table: kind]
        if let key, table.id(ofKey: key) != nil { return kind.keyField }
        return table.rows[id] == nil ? nil : "id"
    }

    private mutating func reportDuplicate(_ field: String, _ item: Item, _ row: JSONValue, id: String) {
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

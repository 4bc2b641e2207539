// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// A whole configuration in one YAML or JSON text (kong/db/schema/others/declarative_config.lua): `_format_version` and
/// lists of entities, routes inside their service and targets inside their upstream or beside them.
///
/// The same text gives the same ids, so that ids can be relied on across restarts.
package enum DeclarativeFile {
    /// Reads a text.
    ///
    /// - Parameters:
    ///   - file: the name that messages begin with.
    ///   - acceptsServiceHealthChecks: see `EntityStore`.
    ///   - now: nanoseconds since 1970, for `created_at` and `updated_at`.
    /// - Throws: all mistakes at once, each with its place.
    package static func read(
        _ text: String, file: String, acceptsServiceHealthChecks: Bool, now: Int64
    ) throws(DeclarativeError) -> EntityStore {
        try read(
            try parse(text, file: file), acceptsServiceHealthChecks: acceptsServiceHealthChecks, now: now,
            after: nil
        ).store
    }

    package static func parse(_ text: String, file: String) throws(DeclarativeError) -> DocumentNode {
        do throws(Problems) {
            return try DocumentNode(parsing: text, file: file)
        } catch {
            throw DeclarativeError(problems: error, fields: ["error": .string(error.sorted[0].message)])
        }
    }

    /// Reads a document. What it states as the one before did is taken over from there, with its times.
    package static func read(
        _ document: DocumentNode, acceptsServiceHealthChecks: Bool, now: Int64, after previous: DeclarativeReading?
    ) throws(DeclarativeError) -> DeclarativeReading {
        var reader = DeclarativeReader(
            store: EntityStore(acceptsServiceHealthChecks: acceptsServiceHealthChecks), now: now, after: previous)
        reader.read(document)
        if !reader.mistakes.isEmpty { throw DeclarativeError(reader.mistakes) }
        return reader.reading
    }
}

/// What was read of a document, kept so that the next reading need only look at what is different.
package struct DeclarativeReading: Sendable {
    package var store: EntityStore
    private var statementsByKind: [EntityKind: [Statement]] = [:]

    init(store: EntityStore) { self.store = store }

    /// What was read of a collection, in the order of reading.
    func statements(_ kind: EntityKind) -> [Statement] { statementsByKind[kind] ?? [] }

    mutating func add(_ statement: Statement) { statementsByKind[statement.item.kind, default: []].append(statement) }

    /// An entity of a document and the row it became.
    struct Statement: Sendable {
        var item: DeclarativeReader.Item
        /// See `DeclarativeReader.marksExpressions`.
        var marksExpressions: Bool
        /// The id comes from the place in the document.
        var isKnownByPlace: Bool
        /// Names and what they stood for.
        var references: [DeclarativeReader.Reference]
        var row: StoredRow
    }
}

/// Why a declarative text was refused.
package struct DeclarativeError: Error, Sendable {
    /// For a person: `kong.yml:7:13: services[0].port: expected an integer; …`.
    package var problems: Problems
    /// For a program, in the shape of the document, as Kong answers `POST /config`.
    package var fields: JSONValue

    init(problems: Problems, fields: JSONValue) {
        self.problems = problems
        self.fields = fields
    }

    init(_ mistakes: [DeclarativeMistake]) {
        problems = Problems(mistakes.compactMap(\.problem))
        fields = mistakes.reduce(into: [:]) { $0.place($1.message, at: $1.path[...]) }
    }
}

/// One mistake and the way to it from the root of the document.
struct DeclarativeMistake: Sendable {
    enum Step: Hashable, Sendable {
        case key(String)
        case index(Int)
    }

    var path: [Step]
    var message: String
    /// Nil when another mistake says the same.
    var problem: Problem?

    /// `services[0].port`
    static func text(_ path: [Step]) -> String {
        path.reduce(into: "") { text, step in
            switch step {
            case .key(let name): text += text.isEmpty ? name : ".\(name)"
            case .index(let index): text += "[\(index)]"
            }
        }
    }
}

extension JSONValue {
    /// Puts a message where a path leads, making objects and lists on the way.
    fileprivate mutating func place(_ message: String, at path: ArraySlice<DeclarativeMistake.Step>) {
        switch path.first {
        case nil:
            self = .string(message)
        case .key(let name):
            if objectValue == nil { self = [:] }
            var member = self[name] ?? .null
            member.place(message, at: path.dropFirst())
            self[name] = member
        case .index(let index):
            var items = arrayValue ?? []
            while items.count <= index { items.append(.null) }
            items[index].place(message, at: path.dropFirst())
            self = .array(items)
        }
    }
}

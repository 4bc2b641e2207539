// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
package import OrderedCollections

/// The fields of an entity or of a record within one, and the rules between them.
///
/// It turns what a person sent into a complete row: `completed` fills in defaults, `merged` lays a change over a row,
/// `violation` says everything that is wrong.
package struct RecordSchema: Sendable {
    package var fields: OrderedDictionary<String, FieldSchema>
    package var checks: [EntityCheck] = []
    /// Fields that only exist in what is sent; each is replaced by others, in this order.
    package var shorthands: [Shorthand] = []
    /// What differs by kind of row (Kong's subschemas).
    package var variants: Variants?
    /// True for a record that shows what was sent and nothing else: nothing is filled in.
    package var isSparse = false

    package struct Shorthand: Sendable {
        package var name: String
        /// The fields that a value stands for. The value is a string or null.
        package var expand: @Sendable (JSONValue) -> OrderedDictionary<String, JSONValue>
    }

    /// One of several sets of fields and checks, chosen by the first known value of a set field.
    package struct Variants: Sendable {
        package var keyField: String
        package var variant: @Sendable (String) -> Variant?
    }

    package struct Variant: Sendable {
        package var fields: OrderedDictionary<String, FieldSchema>
        package var checks: [EntityCheck]
    }

    package init(fields: OrderedDictionary<String, FieldSchema>, checks: [EntityCheck] = []) {
        self.fields = fields
        self.checks = checks
    }

    /// The field as this kind of row has it.
    package func field(_ name: String, of row: JSONValue) -> FieldSchema? {
        variant(of: row)?.fields[name] ?? fields[name]
    }

    private func variant(of row: JSONValue) -> Variant? {
        guard let variants, let key = row[variants.keyField] else { return nil }
        let names = key.stringValue.map { [$0] } ?? (key.arrayValue ?? []).compactMap(\.stringValue)
        return names.lazy.compactMap(variants.variant).first
    }
}

// MARK: Filling in

extension RecordSchema {
    /// Replaces shorthands by the fields they stand for.
    ///
    /// - Throws: the violations of the shorthands; as in Kong nothing else is looked at then.
    package func expanded(_ input: JSONValue) throws(Violation) -> JSONValue {
        guard !shorthands.isEmpty, case .object(var members) = input else { return input }
        var wrong: OrderedDictionary<String, Violation> = [:]
        for shorthand in shorthands {
            guard let value = members[shorthand.name] else { continue }
            if let violation = FieldSchema(.string).violation(of: value) {
                wrong[shorthand.name] = violation
                continue
            }
            members[shorthand.name] = nil
            for (name, value) in shorthand.expand(value) { members[name] = value }
        }
        if !wrong.isEmpty { throw .fields(wrong) }
        return .object(members)
    }

    /// A row with every field: what was given, else the default, else null; sets without repetitions; whole numbers as
    /// integers. Fields come in the order of the schema, unknown ones last.
    ///
    /// - Parameter automatic: values for what the gateway fills in itself when it is not given.
    package func completed(
        _ input: JSONValue, automatic: (FieldSchema.Automatic) -> JSONValue? = { _ in nil }
    ) -> JSONValue {
        guard case .object(let given) = input else { return input }
        var row: OrderedDictionary<String, JSONValue> = [:]
        let base = fields.merging(variant(of: withDefaultKey(input))?.fields ?? [:]) { _, specific in specific }
        for (name, field) in base {
            if let value = given[name] {
                row[name] = field.tidied(value, fillsIn: !isSparse)
            } else if isSparse {
                continue
            } else if let kind = field.automatic, let value = automatic(kind) {
                row[name] = value
            } else {
                row[name] = field.missing
            }
        }
        for (name, value) in given where row[name] == nil { row[name] = value }
        return .object(row)
    }

    /// The kind of a row that does not say is the default one.
    private func withDefaultKey(_ input: JSONValue) -> JSONValue {
        guard let variants, input[variants.keyField] == nil else { return input }
        var input = input
        input[variants.keyField] = fields[variants.keyField]?.defaultValue
        return input
    }

    /// A row changed by what was sent: records field by field, everything else (arrays, sets, maps) as a whole.
    package func merged(_ change: JSONValue, over row: JSONValue) -> JSONValue {
        guard case .object(let changes) = change, case .object(var members) = row else { return change }
        for (name, value) in changes {
            if case .record(let schema) = fields[name]?.kind, let old = members[name], !value.isNull {
                members[name] = schema.merged(value, over: old)
            } else {
                members[name] = fields[name]?.tidied(value, fillsIn: false) ?? value
            }
        }
        return .object(members)
    }
}

extension FieldSchema {
    /// What stands for a value that was not given.
    fileprivate var missing: JSONValue {
        if let defaultValue { return defaultValue }
        if case .record(let schema) = kind, !schema.isSparse, isRequired { return schema.completed([:]) }
        return .null
    }

    /// A given value in the form it is kept.
    fileprivate func tidied(_ value: JSONValue, fillsIn: Bool) -> JSONValue {
        switch (kind, value) {
        case (.integer, .number(let number)):
            return Int(exactly: number).map { .integer($0) } ?? value
        case (.set(let element), .array(let items)):
            return .array(OrderedSet(items.map { element.tidied($0, fillsIn: fillsIn) }).elements)
        case (.array(let element), .array(let items)):
            return .array(items.map { element.tidied($0, fillsIn: fillsIn) })
        case (.record(let schema), .object):
            return fillsIn || schema.isSparse ? schema.completed(value) : value
        default:
            return value
        }
    }
}

// MARK: Validation

extension RecordSchema {
    /// Everything that is wrong with a row that was `completed` or `merged`, or nil.
    package func violation(of row: JSONValue) -> Violation? {
        guard case .object(let members) = row else { return .message("expected a record") }
        if let wrong = variantViolation(of: row) { return wrong }
        let variant = variant(of: row)
        var wrong = ViolationCollector()
        for (name, value) in members {
            guard let field = variant?.fields[name] ?? fields[name] else {
                wrong.add("unknown field", to: name)
                continue
            }
            wrong.add(field.violation(of: value), to: name)
        }
        for (name, field) in fields where field.isRequired && (members[name] ?? .null).isNull {
            wrong.add("required field missing", to: name)
        }
        for check in checks + (variant?.checks ?? []) { check.run(on: row, into: &wrong) }
        return wrong.violation
    }

    private func variantViolation(of row: JSONValue) -> Violation? {
        guard let variants, let key = row[variants.keyField] else { return nil }
        if key.isNull { return .field(variants.keyField, "required field missing") }
        if variant(of: row) != nil { return nil }
        guard let first = key.stringValue ?? key.arrayValue.map({ $0.first?.stringValue ?? "nil" }) else {
            return .field(variants.keyField, "expected a set")
        }
        return .field(variants.keyField, "unknown type: \(first)")
    }
}

/// Gathers the violations of one record.
package struct ViolationCollector {
    private var fields: OrderedDictionary<String, Violation> = [:]
    private var whole: [String] = []

    mutating func add(_ message: String, to field: String) { add(.message(message), to: field) }

    mutating func add(_ violation: Violation?, to field: String) {
        if let violation { fields[field] = violation }
    }

    mutating func add(_ message: String) { whole.append(message) }

    func isWrong(_ field: String) -> Bool { fields[field] != nil }

    var violation: Violation? {
        var all = fields
        if !whole.isEmpty {
            all[Violation.entityKey] = .items(
                whole.enumerated().map { Violation.Item(index: $0.offset, violation: .message($0.element)) })
        }
        return all.isEmpty ? nil : .fields(all)
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// A rule between fields of a record (Schema.entity_checkers in kong/db/schema/init.lua).
package enum EntityCheck: Sendable {
    /// When one field is as said, another one must be so too; else both the field and the entity are reported.
    case conditional(if: String, Condition, then: String, Requirement, message: String? = nil)
    /// Of the branches the first whose condition holds demands one of its fields.
    case anyOf(if: String, [Branch])
    /// The fields that are set differ from each other.
    case distinct([String])
    case atLeastOneOf([String])
    case allOrNone([String])
    /// When these fields are set and each right by itself, they have to agree; the closure says how they do not.
    case agreement([String], @Sendable (JSONValue) -> String?)

    package enum Condition: Sendable {
        /// A string, or a list whose items are all so.
        case isOneOf([String])
        case isNotOneOf([String])
        /// A list that has this item.
        case contains(String)
    }

    package enum Requirement: Sendable {
        case isSet, isNull, isEmpty
        case isOneOf([String])
    }

    package struct Branch: Sendable {
        package var condition: Condition
        package var fields: [String]
        package var message: String
    }

    /// `'a', 'b'`, as Kong lists names.
    static func quoted(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ", ") }
}

extension EntityCheck {
    func run(on row: JSONValue, into wrong: inout ViolationCollector) {
        switch self {
        case .conditional(let field, let condition, let other, let requirement, let message):
            guard condition.holds(for: row[field] ?? .null),
                let problem = requirement.problem(of: row[other] ?? .null)
            else { return }
            wrong.add(problem, to: other)
            wrong.add(message ?? "failed conditional validation given value of field '\(field)'")
        case .anyOf(let field, let branches):
            guard let branch = branches.first(where: { $0.condition.holds(for: row[field] ?? .null) }) else { return }
            if branch.fields.allSatisfy({ (row[$0] ?? .null).isEmptyValue }) { wrong.add(branch.message) }
        case .distinct(let names):
            let values = names.compactMap { row[$0] }.filter { !$0.isEmptyValue }
            if Set(values).count < values.count {
                wrong.add("values of these fields must be distinct: \(Self.quoted(names))")
            }
        case .atLeastOneOf(let names):
            if names.allSatisfy({ (row[$0] ?? .null).isEmptyValue }) {
                wrong.add("at least one of these fields must be non-empty: \(Self.quoted(names))")
            }
        case .allOrNone(let names):
            let count = names.count { !(row[$0] ?? .null).isEmptyValue }
            if count != 0, count != names.count {
                wrong.add("all or none of these fields must be set: \(Self.quoted(names))")
            }
        case .agreement(let names, let check):
            guard !names.contains(where: { wrong.isWrong($0) || (row[$0] ?? .null).isNull }) else { return }
            if let problem = check(row) { wrong.add(problem) }
        }
    }
}

extension EntityCheck.Condition {
    fileprivate func holds(for value: JSONValue) -> Bool {
        let names = value.stringValue.map { [$0] } ?? (value.arrayValue ?? []).compactMap(\.stringValue)
        switch self {
        case .isOneOf(let choices): return !names.isEmpty && names.allSatisfy(choices.contains)
        case .isNotOneOf(let choices): return !names.isEmpty && !names.contains(where: choices.contains)
        case .contains(let name): return names.contains(name)
        }
    }
}

extension EntityCheck.Requirement {
    fileprivate func problem(of value: JSONValue) -> String? {
        switch self {
        case .isSet: return value.isNull ? "required field missing" : nil
        case .isNull: return value.isNull ? nil : "value must be null"
        case .isEmpty: return value.isEmptyValue ? nil : "length must be 0"
        case .isOneOf(let choices):
            if value.isNull || value.stringValue.map(choices.contains) == true { return nil }
            return "expected one of: " + choices.joined(separator: ", ")
        }
    }
}

extension JSONValue {
    /// Null, an empty string, list or object: what Kong calls empty in rules between fields.
    var isEmptyValue: Bool {
        switch self {
        case .null: true
        case .string(let text): text.isEmpty
        case .array(let items): items.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }
}

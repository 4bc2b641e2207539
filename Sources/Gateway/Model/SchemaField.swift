// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// What a field of a record may hold (kong/db/schema/init.lua): a type, a default and rules.
package struct FieldSchema: Sendable {
    package indirect enum Kind: Sendable {
        case string, number, integer, boolean
        case array(of: FieldSchema)
        /// An array without repetitions.
        case set(of: FieldSchema)
        case map(keys: FieldSchema, values: FieldSchema)
        case record(RecordSchema)
        /// `{"id": …}` of a row of another collection.
        case foreign(EntityKind)
    }

    /// What is filled in by the gateway when it is not given.
    package enum Automatic: Sendable { case id, createdAt, updatedAt }

    package var kind: Kind
    package var isRequired = false
    package var defaultValue: JSONValue?
    package var automatic: Automatic?
    package var rules: [FieldRule] = []
    /// Set for a field that this variant of the entity must not have: the message.
    package var forbidden: String?

    package init(
        _ kind: Kind, required: Bool = false, default defaultValue: JSONValue? = nil, automatic: Automatic? = nil,
        rules: [FieldRule] = [], forbidden: String? = nil
    ) {
        self.kind = kind
        isRequired = required
        self.defaultValue = defaultValue
        self.automatic = automatic
        self.rules = rules
        self.forbidden = forbidden
    }
}

/// A restriction of a value that already has the right type.
package enum FieldRule: Sendable {
    case between(Double, Double)
    case oneOf([JSONValue])
    /// Seconds or milliseconds since 1970.
    case timestamp
    case uuid
    case startsWith(String)
    /// A list of at least so many items.
    case lengthAtLeast(Int)
    /// At most one of these sets may have members in the list.
    case exclusiveSubsets([[String]])
    case notEqual(JSONValue, message: String)
    /// Returns what is wrong with a string, or nil.
    case text(@Sendable (String) -> String?)
}

// MARK: Validation

extension FieldSchema {
    /// Kong's message for a value of this field, or nil when there is nothing to say. Null is nothing.
    package func violation(of value: JSONValue) -> Violation? {
        if value.isNull {
            return isRequired ? .message("required field missing") : nil
        }
        if let forbidden { return .message(forbidden) }
        if let wrong = typeViolation(of: value) { return wrong }
        for rule in rules {
            if let message = rule.message(for: value) { return .message(message) }
        }
        return nil
    }

    private func typeViolation(of value: JSONValue) -> Violation? {
        switch kind {
        case .string:
            guard let text = value.stringValue else { return .message("expected a string") }
            return text.isEmpty ? .message("length must be at least 1") : nil
        case .number:
            return value.doubleValue == nil ? .message("expected a number") : nil
        case .integer:
            return value.intValue == nil ? .message("expected an integer") : nil
        case .boolean:
            return value.boolValue == nil ? .message("expected a boolean") : nil
        case .array(let element):
            guard let items = value.arrayValue else { return .message("expected an array") }
            return Self.violation(of: items, element)
        case .set(let element):
            guard let items = value.arrayValue else { return .message("expected a set") }
            return Self.violation(of: items, element)
        case .map(let keys, let values):
            return Self.violation(ofMap: value, keys, values)
        case .record(let schema):
            return value.objectValue == nil ? .message("expected a record") : schema.violation(of: value)
        case .foreign:
            return Self.violation(ofReference: value)
        }
    }

    private static func violation(of items: [JSONValue], _ element: FieldSchema) -> Violation? {
        var element = element
        element.isRequired = true
        let found = items.enumerated().compactMap { index, item in
            element.violation(of: item).map { Violation.Item(index: index, violation: $0) }
        }
        return found.isEmpty ? nil : .items(found)
    }

    /// Kong stops at the first mistake of a map and does not say which key it belongs to.
    private static func violation(ofMap value: JSONValue, _ keys: FieldSchema, _ values: FieldSchema) -> Violation? {
        guard let members = value.objectValue else { return .message("expected a map") }
        var values = values
        values.isRequired = true
        for (key, value) in members {
            if let wrong = keys.violation(of: .string(key)) ?? values.violation(of: value) { return wrong }
        }
        return nil
    }

    private static func violation(ofReference value: JSONValue) -> Violation? {
        guard let id = value["id"], !id.isNull else { return .field("id", "missing primary key") }
        let schema = FieldSchema(.string, rules: [.uuid])
        return schema.violation(of: id).map { .fields(["id": $0]) }
    }
}

extension FieldRule {
    /// - Parameter value: a value of the field's type, not null.
    fileprivate func message(for value: JSONValue) -> String? {
        switch self {
        case .between(let low, let high):
            guard let number = value.doubleValue else { return nil }
            return (low...high).contains(number) ? nil : "value should be between \(Int(low)) and \(Int(high))"
        case .oneOf(let choices):
            let names = choices.map { $0.stringValue ?? $0.description }.joined(separator: ", ")
            return choices.contains(value) ? nil : "expected one of: \(names)"
        case .timestamp:
            return (value.doubleValue ?? 0) > 0 ? nil : "expected a valid timestamp"
        case .uuid:
            return value.stringValue.map(UUIDs.isValid) == true ? nil : "expected a valid UUID"
        case .startsWith(let prefix):
            return value.stringValue?.hasPrefix(prefix) == true ? nil : "should start with: \(prefix)"
        case .lengthAtLeast(let count):
            return (value.arrayValue?.count ?? 0) >= count ? nil : "length must be at least \(count)"
        case .exclusiveSubsets(let subsets):
            return Self.conflict(in: value.arrayValue ?? [], of: subsets)
        case .notEqual(let other, let message):
            return value == other ? message : nil
        case .text(let check):
            return value.stringValue.flatMap(check)
        }
    }

    private static func conflict(in items: [JSONValue], of subsets: [[String]]) -> String? {
        var members: [[String]] = []
        for name in items.compactMap(\.stringValue) {
            if let subset = subsets.first(where: { $0.contains(name) }), !members.contains(subset) {
                members.append(subset)
            }
        }
        if members.count <= 1 { return nil }
        let lists = members.map { "(" + EntityCheck.quoted($0) + ")" }
        return "these sets are mutually exclusive: " + lists.joined(separator: ", ")
    }
}

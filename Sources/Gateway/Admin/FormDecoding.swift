// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import OrderedCollections

/// Nested values from flat arguments (kong/api/arguments_decoder.lua): `a.b=1` and `a[b]=1` are members, `a[]=1`
/// appends, `a[1]=1` is the first item, the same name again makes a list.
enum FormDecoding {
    static func object(_ arguments: [FormArgument]) -> JSONValue {
        var root = Node()
        for argument in arguments { root.add(argument.value, at: steps(of: argument.name)[...]) }
        return .object(root.children.mapValues(\.json))
    }

    /// Deeper names are not taken apart: no field is that deep.
    private static let maximumDepth = 16

    enum Step: Hashable {
        case key(String)
        case append
        case index(Int)
    }

    static func steps(of name: String) -> [Step] {
        if name.hasPrefix(".") || name.hasSuffix(".") { return [.key(name)] }
        var steps: [Step] = []
        var word = ""
        var rest = Substring(name)
        func isKept(_ word: String) -> Bool { !word.isEmpty || steps.isEmpty }
        while let character = rest.popFirst() {
            if character == "[", !(steps.isEmpty && word.isEmpty), let close = rest.firstIndex(of: "]") {
                if !word.isEmpty { steps.append(.key(word)) }
                word = ""
                steps.append(bracket(rest[..<close]))
                rest = rest[rest.index(after: close)...]
            } else if character == "." {
                if !word.isEmpty { steps.append(.key(word)) }
                word = ""
            } else {
                word.append(character)
            }
        }
        if isKept(word) { steps.append(.key(word)) }
        return steps.count > maximumDepth ? [.key(name)] : steps
    }

    private static func bracket(_ text: Substring) -> Step {
        if text.isEmpty { return .append }
        return Int(text).map { .index($0) } ?? .key(String(text))
    }

    private struct Node {
        var values: [JSONValue] = []
        /// Items stand under their number from 1.
        var children: OrderedDictionary<String, Node> = [:]

        mutating func add(_ value: JSONValue, at steps: ArraySlice<Step>) {
            let rest = steps.dropFirst()
            switch steps.first {
            case nil: values.append(value)
            case .key(let key): children[key, default: Node()].add(value, at: rest)
            case .index(let index):
                let key = children[String(index)] != nil && rest.isEmpty ? nextItem : String(index)
                children[key, default: Node()].add(value, at: rest)
            case .append:
                // As in Kong an empty index inside a name is the first item.
                children[rest.isEmpty ? nextItem : "1", default: Node()].add(value, at: rest)
            }
        }

        private var nextItem: String {
            var number = children.count + 1
            while children[String(number)] != nil { number += 1 }
            return String(number)
        }

        var json: JSONValue {
            if children.isEmpty { return values.count == 1 ? values[0] : .array(values) }
            let numbers = children.keys.compactMap { Int($0) }.sorted()
            guard numbers.count == children.count, numbers == Array(1...numbers.count) else {
                return .object(children.mapValues(\.json))
            }
            return .array(values + numbers.compactMap { children[String($0)]?.json })
        }
    }
}

// MARK: Types

/// Gives the texts of a form the types of a schema. What does not fit stays text, for the schema to refuse.
enum FormTypes {
    static func typed(_ object: JSONValue, as schema: RecordSchema) -> JSONValue {
        guard case .object(var members) = object else { return object }
        for (name, value) in members {
            if let field = schema.fields[name] {
                members[name] = typed(value, as: field)
            } else if schema.shorthands.contains(where: { $0.name == name }) {
                members[name] = typed(value, as: FieldSchema(.string))
            }
        }
        return .object(members)
    }

    private static func typed(_ value: JSONValue, as field: FieldSchema) -> JSONValue {
        if value == .string("") { return .null }
        switch field.kind {
        case .number, .integer:
            return value.stringValue.flatMap(number) ?? value
        case .boolean:
            return value == "true" ? true : value == "false" ? false : value
        case .array(let element), .set(let element):
            if value.objectValue != nil { return value }
            return .array((value.arrayValue ?? [value]).map { typed($0, as: element) })
        case .map(_, let values):
            return value.objectValue.map { .object($0.mapValues { typed($0, as: values) }) } ?? value
        case .record(let schema):
            return typed(value, as: schema)
        case .string, .foreign:
            return value
        }
    }

    /// A number as Lua's `tonumber` reads it: decimal or `0x…`, blanks around it do not count.
    private static func number(_ text: String) -> JSONValue? {
        var digits = Substring(text)
        while digits.first == " " { digits.removeFirst() }
        while digits.last == " " { digits.removeLast() }
        if let value = Int(digits) { return .integer(value) }
        if digits.lowercased().hasPrefix("0x") { return Int(digits.dropFirst(2), radix: 16).map { .integer($0) } }
        let isDecimal = digits.utf8.allSatisfy { $0.isASCIIDigit || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains($0) }
        guard isDecimal, let value = Double(digits), value.isFinite else { return nil }
        return Int(exactly: value).map { .integer($0) } ?? .number(value)
    }
}

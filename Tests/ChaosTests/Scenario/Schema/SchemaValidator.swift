// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// Checks a value against a JSON Schema of draft 07: all of the keywords that our schema uses, and an objection to any
/// other, so that none is passed over in silence. Written from the specification, not from the schema's maker.
struct SchemaValidator {
    let root: JSONValue

    /// One line a violation, with a JSON pointer.
    func violations(_ value: JSONValue) -> [String] { check(value, root, at: "") }

    private static let silent: Set<String> = ["$schema", "$id", "title", "description", "definitions", "then", "else"]

    private func check(_ value: JSONValue, _ schema: JSONValue, at path: String) -> [String] {
        if case .bool(let allowed) = schema { return allowed ? [] : ["\(path): nothing is allowed here"] }
        if let reference = schema["$ref"]?.stringValue { return check(value, resolved(reference), at: path) }
        return (schema.objectValue ?? [:]).flatMap { keyword, argument -> [String] in
            if Self.silent.contains(keyword) { return [] }
            return check(value, keyword, argument, schema, at: path)
        }
    }

    private func resolved(_ reference: String) -> JSONValue {
        var node = root
        for part in reference.split(separator: "/").dropFirst() { node = node[String(part)] ?? .bool(false) }
        return node
    }

    private func check(
        _ value: JSONValue, _ keyword: String, _ argument: JSONValue, _ schema: JSONValue, at path: String
    ) -> [String] {
        switch keyword {
        case "type":
            let names = argument.arrayValue?.compactMap(\.stringValue) ?? [argument.stringValue ?? ""]
            return names.contains { Self.isOf($0, value) }
                ? [] : ["\(path): \(value) is no \(names.joined(separator: " or "))"]
        case "enum":
            return argument.arrayValue?.contains(value) == true ? [] : ["\(path): \(value) is none of \(argument)"]
        case "pattern": return matches(value, argument, at: path)
        case "minimum", "maximum": return compares(value, keyword, argument, at: path)
        case "anyOf", "oneOf", "allOf": return combines(value, keyword, argument, at: path)
        case "if":
            let isTrue = check(value, argument, at: path).isEmpty
            return schema[isTrue ? "then" : "else"].map { check(value, $0, at: path) } ?? []
        case "required", "properties", "patternProperties", "additionalProperties", "minProperties", "maxProperties":
            return members(value, keyword, argument, schema, at: path)
        case "items", "minItems", "maxItems": return items(value, keyword, argument, at: path)
        default: return ["\(path): the schema uses \(keyword), which this validator does not know"]
        }
    }

    private static func isOf(_ type: String, _ value: JSONValue) -> Bool {
        switch (type, value) {
        case ("string", .string), ("boolean", .bool), ("null", .null), ("array", .array), ("object", .object),
            ("number", .integer), ("number", .number), ("integer", .integer):
            true
        case ("integer", .number(let number)): number == number.rounded()
        default: false
        }
    }

    private func matches(_ value: JSONValue, _ pattern: JSONValue, at path: String) -> [String] {
        guard let text = value.stringValue else { return [] }
        guard let expression = try? Regex(pattern.stringValue ?? "") else {
            return ["\(path): \(pattern) is no pattern"]
        }
        return text.contains(expression) ? [] : ["\(path): \"\(text)\" does not fit \(pattern)"]
    }

    private func compares(_ value: JSONValue, _ keyword: String, _ limit: JSONValue, at path: String) -> [String] {
        guard let number = value.doubleValue, let limit = limit.doubleValue else { return [] }
        let isWell = keyword == "minimum" ? number >= limit : number <= limit
        return isWell ? [] : ["\(path): \(number) is beyond the \(keyword) \(limit)"]
    }

    private func combines(_ value: JSONValue, _ keyword: String, _ schemas: JSONValue, at path: String) -> [String] {
        let results = (schemas.arrayValue ?? []).map { check(value, $0, at: path) }
        let good = results.count { $0.isEmpty }
        switch keyword {
        case "allOf": return results.flatMap(\.self)
        case "anyOf": return good > 0 ? [] : ["\(path): fits none of \(results.count): \(results.first?.first ?? "")"]
        default: return good == 1 ? [] : ["\(path): fits \(good) of \(results.count), one is wanted"]
        }
    }

    private func members(
        _ value: JSONValue, _ keyword: String, _ argument: JSONValue, _ schema: JSONValue, at path: String
    ) -> [String] {
        guard let members = value.objectValue else { return [] }
        switch keyword {
        case "required":
            return (argument.arrayValue ?? []).compactMap(\.stringValue).filter { members[$0] == nil }
                .map { "\(path): \($0) is missing" }
        case "properties":
            return members.flatMap { key, member in
                argument[key].map { check(member, $0, at: "\(path)/\(key)") } ?? []
            }
        case "patternProperties":
            return members.flatMap { key, member in
                (argument.objectValue ?? [:]).filter { Self.fits(key, $0.key) }
                    .flatMap { check(member, $0.value, at: "\(path)/\(key)") }
            }
        case "additionalProperties":
            let known = schema["properties"]?.objectValue?.keys
            let patterns = schema["patternProperties"]?.objectValue?.keys
            let others = members.filter { key, _ in
                known?.contains(key) != true && patterns?.contains { Self.fits(key, $0) } != true
            }
            return others.flatMap { key, member in
                argument == .bool(false)
                    ? ["\(path): unknown key \(key)"] : check(member, argument, at: "\(path)/\(key)")
            }
        case "minProperties": return members.count >= argument.intValue ?? 0 ? [] : ["\(path): too few keys"]
        default: return members.count <= argument.intValue ?? 0 ? [] : ["\(path): too many keys"]
        }
    }

    private static func fits(_ text: String, _ pattern: String) -> Bool {
        (try? Regex(pattern)).map { text.contains($0) } ?? false
    }

    private func items(_ value: JSONValue, _ keyword: String, _ argument: JSONValue, at path: String) -> [String] {
        guard let items = value.arrayValue else { return [] }
        switch keyword {
        case "minItems": return items.count >= argument.intValue ?? 0 ? [] : ["\(path): too few items"]
        case "maxItems": return items.count <= argument.intValue ?? 0 ? [] : ["\(path): too many items"]
        default: return items.enumerated().flatMap { check($1, argument, at: "\(path)/\($0)") }
        }
    }
}

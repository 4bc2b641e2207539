// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
package import OrderedCollections

/// What is wrong with a value, in the shape of the value: a message, or the violations of its parts.
package indirect enum Violation: Hashable, Sendable, Error {
    case message(String)
    /// By field; what concerns several fields stands under `entityKey`.
    case fields(OrderedDictionary<String, Violation>)
    /// By index from 0, ascending.
    case items([Item])

    package struct Item: Hashable, Sendable {
        package var index: Int
        package var violation: Violation
    }

    /// The key under which Kong reports what concerns a record as a whole.
    package static let entityKey = "@entity"

    /// One violation of one field.
    package static func field(_ name: String, _ message: String) -> Violation { .fields([name: .message(message)]) }
}

// MARK: As Kong's answers

extension Violation {
    /// The `fields` member of an answer. Items without a mistake before one with a mistake are null.
    package var json: JSONValue {
        switch self {
        case .message(let text):
            return .string(text)
        case .fields(let members):
            return .object(members.mapValues(\.json))
        case .items(let items):
            var list = [JSONValue](repeating: .null, count: (items.last?.index ?? -1) + 1)
            for item in items { list[item.index] = item.violation.json }
            return .array(list)
        }
    }

    /// The `message` of an answer (schema_violation in kong/db/errors.lua): what concerns the entity first, then the
    /// fields sorted by name, one level deep; deeper ones are printed as Lua tables.
    package var summary: String {
        let lines = summaryLines
        return lines.count == 1
            ? "schema violation (\(lines[0]))"
            : "\(lines.count) schema violations (\(lines.joined(separator: "; ")))"
    }

    private var summaryLines: [String] {
        guard case .fields(let members) = self else { return [luaText(depth: 0)] }
        var lines: [String] = []
        if let whole = members[Self.entityKey] { lines += whole.parts.map { $0.violation.luaText(depth: 0) } }
        for name in members.keys.sorted() where name != Self.entityKey {
            guard let violation = members[name] else { continue }
            if case .message(let text) = violation {
                lines.append("\(name): \(text)")
            } else {
                lines += violation.parts.map { "\(name).\($0.name): \($0.violation.luaText(depth: 0))" }
            }
        }
        return lines
    }

    /// Members sorted by name, or items numbered from 1 as Lua counts.
    private var parts: [(name: String, violation: Violation)] {
        switch self {
        case .message: [("", self)]
        case .fields(let members): members.elements.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        case .items(let items): items.map { ("\($0.index + 1)", $0.violation) }
        }
    }

    /// A message as it is; a table as Penlight's `pretty.write` prints it.
    private func luaText(depth: Int) -> String {
        if case .message(let text) = self { return depth == 0 ? text : "\"\(text)\"" }
        let indent = String(repeating: "  ", count: depth + 1)
        let lines = parts.map { part -> String in
            let value = part.violation.luaText(depth: depth + 1)
            if case .items = self { return indent + "[\(part.name)] = " + value }
            return indent + LuaText.key(part.name) + " = " + value
        }
        return "{\n" + lines.joined(separator: ",\n") + "\n" + String(repeating: "  ", count: depth) + "}"
    }
}

/// How Kong writes tables in messages: Penlight's `pretty.write`.
package enum LuaText {
    /// A key as Lua accepts it: bare when it is an identifier.
    static func key(_ name: String) -> String {
        let isIdentifier =
            name.utf8.allSatisfy { $0 == 0x5F || $0.isASCIILetter || $0.isASCIIDigit }
            && name.utf8.first.map { !$0.isASCIIDigit } == true
        return isIdentifier ? name : "[\"\(name)\"]"
    }

    /// A value on one line without spaces, the keys sorted: `{name="x",upstream={id="…"}}`.
    package static func compact(_ value: JSONValue) -> String {
        switch value {
        case .object(let members):
            let parts = members.elements.sorted { $0.key < $1.key }.map { "\(key($0.key))=\(compact($0.value))" }
            return "{" + parts.joined(separator: ",") + "}"
        case .array(let items): return "{" + items.map(compact).joined(separator: ",") + "}"
        default: return value.description
        }
    }
}

extension UInt8 {
    var isASCIILetter: Bool { (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) }
    var isASCIIDigit: Bool { (0x30...0x39).contains(self) }
    /// The value of a hexadecimal digit, or nil.
    var hexadecimalDigit: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x37
        case 0x61...0x66: self - 0x57
        default: nil
        }
    }
}

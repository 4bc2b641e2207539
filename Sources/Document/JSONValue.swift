// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import OrderedCollections

/// A JSON value that keeps the order of its keys and the difference between `1` and `1.0`.
package indirect enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(OrderedDictionary<String, JSONValue>)

    /// The member of an object, or nil when this is no object or has no such key.
    package subscript(key: String) -> JSONValue? {
        get { if case .object(let members) = self { members[key] } else { nil } }
        set {
            guard case .object(var members) = self else { return }
            members[key] = newValue
            self = .object(members)
        }
    }

    package var stringValue: String? { if case .string(let text) = self { text } else { nil } }
    package var boolValue: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    package var arrayValue: [JSONValue]? { if case .array(let items) = self { items } else { nil } }
    package var objectValue: OrderedDictionary<String, JSONValue>? {
        if case .object(let members) = self { members } else { nil }
    }
    package var isNull: Bool { self == .null }

    /// A whole number, also one written as `5.0`.
    package var intValue: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    package var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(OrderedDictionary(elements, uniquingKeysWith: { _, last in last }))
    }
    package init(nilLiteral: ()) { self = .null }
}

// MARK: Reading

extension JSONValue {
    /// Reads one RFC 8259 text: keys keep their order, the last of equal keys wins, `1` is an integer and `1.0` a
    /// number.
    ///
    /// - Throws: `Problem` without a location (its message names line and column) when the text is not JSON or is
    ///   nested deeper than `maximumJSONDepth`.
    package init(parsing text: some Sequence<UInt8>) throws(Problem) {
        var parser = JSONParser(Array(text))
        self = try parser.document()
    }
}

// MARK: Writing

extension JSONValue: CustomStringConvertible {
    /// The value as one line of JSON without spaces, keys in their own order, `/` not escaped.
    package var description: String { text() }

    /// The value as JSON; `indent` spaces a level, or on one line when it is nil.
    package func text(indent: Int? = nil) -> String {
        var out = ""
        write(to: &out, indent: indent, depth: 0)
        return out
    }

    private func write(to out: inout String, indent: Int?, depth: Int) {
        switch self {
        case .null: out += "null"
        case .bool(let flag): out += flag ? "true" : "false"
        case .integer(let value): out += String(value)
        case .number(let value): out += Self.text(of: value)
        case .string(let text): Self.quote(text, to: &out)
        case .array(let items):
            Self.writeList(items, "[", "]", to: &out, indent: indent, depth: depth) { item, out in
                item.write(to: &out, indent: indent, depth: depth + 1)
            }
        case .object(let members):
            Self.writeList(members.elements, "{", "}", to: &out, indent: indent, depth: depth) { member, out in
                Self.quote(member.key, to: &out)
                out += indent == nil ? ":" : ": "
                member.value.write(to: &out, indent: indent, depth: depth + 1)
            }
        }
    }

    private static func writeList<Items: Collection>(
        _ items: Items, _ open: String, _ close: String, to out: inout String, indent: Int?, depth: Int,
        item: (Items.Element, inout String) -> Void
    ) {
        out += open
        var first = true
        for element in items {
            if !first { out += "," }
            first = false
            if let indent { out += "\n" + String(repeating: " ", count: indent * (depth + 1)) }
            item(element, &out)
        }
        if let indent, !items.isEmpty { out += "\n" + String(repeating: " ", count: indent * depth) }
        out += close
    }

    /// JSON has no infinities and no NaN: they become null.
    private static func text(of value: Double) -> String {
        guard value.isFinite else { return "null" }
        if let whole = Int(exactly: value), abs(whole) < 1 << 53 { return String(whole) }
        return "\(value)"
    }

    /// Writes `text` as a JSON string (RFC 8259 section 7).
    package static func quote(_ text: String, to out: inout String) {
        out += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}

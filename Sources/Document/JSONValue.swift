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
        var parser = JSONParser<JSONValue>(Array(text))
        self = try parser.document()
    }
}

extension JSONValue: JSONTree {
    static var keepsPlaces: Bool { false }

    static func scalar(_ scalar: JSONScalar, at place: SourceLocation) -> JSONValue? {
        switch scalar {
        case .null: return .null
        case .bool(let flag): return .bool(flag)
        case .string(let text): return .string(text)
        case .number(let text, let isWhole):
            if isWhole, let value = Int(text) { return .integer(value) }
            guard let value = Double(text), value.isFinite else { return nil }
            return .number(value)
        }
    }

    static func array(_ items: [JSONValue], at place: SourceLocation) -> JSONValue { .array(items) }

    static func object(_ members: OrderedDictionary<String, JSONValue>, at place: SourceLocation) -> JSONValue {
        .object(members)
    }

    static func add(
        _ value: JSONValue, key: String, at place: SourceLocation,
        to members: inout OrderedDictionary<String, JSONValue>
    ) -> Bool {
        members[key] = value
        return true
    }
}

// MARK: Writing

extension JSONValue: CustomStringConvertible {
    /// The value as one line of JSON without spaces, keys in their own order, `/` not escaped.
    package var description: String { text() }

    /// The value as JSON; `indent` spaces a level, or on one line when it is nil.
    package func text(indent: Int? = nil) -> String {
        var bytes: [UInt8] = []
        write(to: &bytes, indent: indent)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends what `text(indent:)` returns, in UTF-8.
    package func write(to out: inout [UInt8], indent: Int? = nil) { write(to: &out, indent: indent, depth: 0) }

    private func write(to out: inout [UInt8], indent: Int?, depth: Int) {
        switch self {
        case .null: out += "null".utf8
        case .bool(let flag): out += (flag ? "true" : "false").utf8
        case .integer(let value): out += String(value).utf8
        case .number(let value): out += Self.text(of: value).utf8
        case .string(let text): Self.quote(text, to: &out)
        case .array(let items):
            out.append(UInt8(ascii: "["))
            var isFirst = true
            for item in items {
                Self.separate(isFirst, to: &out, indent: indent, depth: depth + 1)
                isFirst = false
                item.write(to: &out, indent: indent, depth: depth + 1)
            }
            if !isFirst { Self.breakLine(to: &out, indent: indent, depth: depth) }
            out.append(UInt8(ascii: "]"))
        case .object(let members):
            out.append(UInt8(ascii: "{"))
            var isFirst = true
            for (key, value) in members {
                Self.separate(isFirst, to: &out, indent: indent, depth: depth + 1)
                isFirst = false
                Self.quote(key, to: &out)
                out.append(UInt8(ascii: ":"))
                if indent != nil { out.append(UInt8(ascii: " ")) }
                value.write(to: &out, indent: indent, depth: depth + 1)
            }
            if !isFirst { Self.breakLine(to: &out, indent: indent, depth: depth) }
            out.append(UInt8(ascii: "}"))
        }
    }

    private static func separate(_ isFirst: Bool, to out: inout [UInt8], indent: Int?, depth: Int) {
        if !isFirst { out.append(UInt8(ascii: ",")) }
        breakLine(to: &out, indent: indent, depth: depth)
    }

    private static func breakLine(to out: inout [UInt8], indent: Int?, depth: Int) {
        guard let indent else { return }
        out.append(UInt8(ascii: "\n"))
        out.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indent * depth))
    }

    /// JSON has no infinities and no NaN: they become null.
    private static func text(of value: Double) -> String {
        guard value.isFinite else { return "null" }
        if let whole = Int(exactly: value), abs(whole) < 1 << 53 { return String(whole) }
        return "\(value)"
    }

    /// Writes `text` as a JSON string (RFC 8259 section 7).
    package static func quote(_ text: String, to out: inout String) {
        var bytes: [UInt8] = []
        quote(text, to: &bytes)
        out += String(decoding: bytes, as: UTF8.self)
    }

    /// Writes `text` as a JSON string (RFC 8259 section 7), in UTF-8.
    package static func quote(_ text: String, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { bytes in
            var start = 0
            for place in bytes.indices where isEscaped(bytes[place]) {
                out.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<place]))
                escape(bytes[place], to: &out)
                start = place + 1
            }
            out.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start...]))
        }
        out.append(UInt8(ascii: "\""))
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private static func escape(_ byte: UInt8, to out: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""): out += "\\\"".utf8
        case UInt8(ascii: "\\"): out += "\\\\".utf8
        case UInt8(ascii: "\n"): out += "\\n".utf8
        case UInt8(ascii: "\r"): out += "\\r".utf8
        case UInt8(ascii: "\t"): out += "\\t".utf8
        default:
            let digits = Array("0123456789abcdef".utf8)
            out += "\\u00".utf8
            out += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
}

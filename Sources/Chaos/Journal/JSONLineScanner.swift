// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import OrderedCollections

/// Reads one JSON text (RFC 8259) from bytes in place, keys in their own order.
///
/// `JSONValue(parsing:)` goes through a general decoder; a journal of 10⁶ lines needs one that does not. Never traps:
/// what is not JSON is a `Problem` with a column.
struct JSONLineScanner {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    private static let maximumDepth = 64

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The one value of the text.
    static func value(of bytes: UnsafeRawBufferPointer) throws(Problem) -> JSONValue {
        var scanner = JSONLineScanner(bytes)
        let value = try scanner.value(depth: 0)
        scanner.skipSpace()
        guard scanner.position == bytes.count else { throw scanner.problem("something follows the value") }
        return value
    }

    private func problem(_ message: String) -> Problem {
        Problem(at: nil, position >= bytes.count ? "the line ends too early" : "\(message) at column \(position + 1)")
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(Problem) -> JSONValue {
        guard depth <= Self.maximumDepth else { throw problem("nested too deeply") }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Problem) -> JSONValue {
        let length = word.utf8CodeUnitCount
        guard position + length <= bytes.count else {
            position = bytes.count
            throw problem("")
        }
        for offset in 0..<length where bytes[position + offset] != word.utf8Start[offset] {
            throw problem("not a JSON value")
        }
        position += length
        return value
    }

    private mutating func object(depth: Int) throws(Problem) -> JSONValue {
        position += 1
        var members: OrderedDictionary<String, JSONValue> = [:]
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw problem("a key is expected") }
            let key = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw problem("a colon is expected") }
            members[key] = try value(depth: depth + 1)
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw problem("a comma is expected") }
        }
    }

    private mutating func array(depth: Int) throws(Problem) -> JSONValue {
        position += 1
        var items: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(items) }
        while true {
            items.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(items) }
            guard take(UInt8(ascii: ",")) else { throw problem("a comma is expected") }
        }
    }

    private mutating func number() throws(Problem) -> JSONValue {
        let start = position
        var isWhole = true
        scan: while let byte = current {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
            case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): isWhole = false
            default: break scan
            }
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let value = Int(text) { return .integer(value) }
        if let value = Double(text), value.isFinite { return .number(value) }
        position = start
        throw problem("not a JSON value")
    }
}

// MARK: Strings

extension JSONLineScanner {
    private mutating func string() throws(Problem) -> String {
        position += 1
        let start = position
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                let text = try text(of: start..<position)
                position += 1
                return text
            case UInt8(ascii: "\\"): return try escapedString(from: start)
            case 0..<0x20: throw problem("a control character in a string")
            default: position += 1
            }
        }
        throw problem("")
    }

    private func text(of range: Range<Int>) throws(Problem) -> String {
        guard let text = String(validating: bytes[range], as: UTF8.self) else { throw problem("not valid UTF-8") }
        return text
    }

    /// The slow path: a string with at least one escape; `position` stands on the first backslash.
    private mutating func escapedString(from start: Int) throws(Problem) -> String {
        var collected = [UInt8](bytes[start..<position])
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                guard let text = String(validating: collected, as: UTF8.self) else { throw problem("not valid UTF-8") }
                return text
            case UInt8(ascii: "\\"):
                position += 1
                collected.append(contentsOf: String(Character(try escape())).utf8)
            case 0..<0x20: throw problem("a control character in a string")
            default:
                collected.append(byte)
                position += 1
            }
        }
        throw problem("")
    }

    private mutating func escape() throws(Problem) -> Unicode.Scalar {
        guard let byte = current else { throw problem("") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default:
            position -= 1
            throw problem("an unknown escape")
        }
    }

    private mutating func unicodeEscape() throws(Problem) -> Unicode.Scalar {
        let high = try hexadecimal()
        if let scalar = Unicode.Scalar(high) { return scalar }
        guard (0xD800..<0xDC00).contains(high), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            throw problem("half a surrogate pair")
        }
        let low = try hexadecimal()
        guard (0xDC00..<0xE000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
        else { throw problem("half a surrogate pair") }
        return scalar
    }

    private mutating func hexadecimal() throws(Problem) -> UInt32 {
        guard position + 4 <= bytes.count else {
            position = bytes.count
            throw problem("")
        }
        let text = String(decoding: bytes[position..<position + 4], as: UTF8.self)
        guard text.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }), let value = UInt32(text, radix: 16)
        else {
            throw problem("four hexadecimal digits are expected")
        }
        position += 4
        return value
    }
}

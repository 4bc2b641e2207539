// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import OrderedCollections

/// Deepest nesting of a JSON text; deeper ones are refused rather than overflow the stack.
package let maximumJSONDepth = 512

/// Reads one RFC 8259 text into a `JSONValue`: strict grammar, keys in their order, the last of equal keys wins.
struct JSONParser {
    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // RFC 8259 section 8.1: a byte order mark may be ignored.
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { place = 3 }
    }

    mutating func document() throws(Problem) -> JSONValue {
        skipWhiteSpace()
        let result = try value(depth: 0)
        skipWhiteSpace()
        guard place == bytes.count else { throw problem("something behind the value") }
        return result
    }

    private mutating func value(depth: Int) throws(Problem) -> JSONValue {
        guard depth <= maximumJSONDepth else { throw problem("nested more than \(maximumJSONDepth) levels deep") }
        switch peek {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), .some(0x30...0x39): return try number()
        case nil: throw problem("the text ends where a value should be")
        default: throw problem("no value begins like this")
        }
    }

    private mutating func object(depth: Int) throws(Problem) -> JSONValue {
        var members: OrderedDictionary<String, JSONValue> = [:]
        place += 1
        skipWhiteSpace()
        if skip("}") { return .object(members) }
        while true {
            guard peek == UInt8(ascii: "\"") else { throw problem("a key in quotes should be here") }
            let key = try string()
            skipWhiteSpace()
            guard skip(":") else { throw problem("a colon should be here") }
            skipWhiteSpace()
            members[key] = try value(depth: depth + 1)
            skipWhiteSpace()
            if skip("}") { return .object(members) }
            guard skip(",") else { throw problem("a comma or } should be here") }
            skipWhiteSpace()
        }
    }

    private mutating func array(depth: Int) throws(Problem) -> JSONValue {
        var items: [JSONValue] = []
        place += 1
        skipWhiteSpace()
        if skip("]") { return .array(items) }
        while true {
            items.append(try value(depth: depth + 1))
            skipWhiteSpace()
            if skip("]") { return .array(items) }
            guard skip(",") else { throw problem("a comma or ] should be here") }
            skipWhiteSpace()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Problem) -> JSONValue {
        let end = place + word.utf8CodeUnitCount
        let expected = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard end <= bytes.count, bytes[place..<end].elementsEqual(expected) else {
            throw problem("no value begins like this")
        }
        place = end
        return value
    }

    // MARK: Numbers

    private mutating func number() throws(Problem) -> JSONValue {
        let start = place
        _ = skip("-")
        if !skip("0") { try digits() }
        let isWhole = peek != UInt8(ascii: ".") && peek != UInt8(ascii: "e") && peek != UInt8(ascii: "E")
        if skip(".") { try digits() }
        if skip("e") || skip("E") {
            if !skip("+") { _ = skip("-") }
            try digits()
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        if isWhole, let value = Int(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw problem("a number out of range") }
        return .number(value)
    }

    private mutating func digits() throws(Problem) {
        let start = place
        while let byte = peek, (0x30...0x39).contains(byte) { place += 1 }
        if place == start { throw problem("a digit should be here") }
    }

    // MARK: Strings

    private mutating func string() throws(Problem) -> String {
        place += 1
        let start = place
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { place += 1 }
        if peek == UInt8(ascii: "\"") {
            defer { place += 1 }
            return try text(bytes[start..<place])
        }
        var unescaped = Array(bytes[start..<place])
        while true {
            switch peek {
            case UInt8(ascii: "\""):
                defer { place += 1 }
                return try text(unescaped[...])
            case UInt8(ascii: "\\"): unescaped.append(contentsOf: try escape().utf8)
            case nil: throw problem("the text ends within a string")
            case .some(let byte) where byte < 0x20: throw problem("a control character within a string")
            case .some(let byte):
                unescaped.append(byte)
                place += 1
            }
        }
    }

    private func text(_ bytes: ArraySlice<UInt8>) throws(Problem) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw problem("a string that is not UTF-8") }
        return text
    }

    /// A backslash and what it stands for.
    private mutating func escape() throws(Problem) -> String {
        place += 1
        guard let letter = peek else { throw problem("the text ends within a string") }
        place += 1
        switch letter {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let unit = try hexadecimalUnit()
            if let scalar = Unicode.Scalar(unit) { return String(scalar) }
            // Half of a pair: the other half must follow (RFC 8259 section 7).
            guard unit < 0xdc00, skip("\\"), skip("u") else { throw problem("half a surrogate pair") }
            let low = try hexadecimalUnit()
            guard (0xdc00...0xdfff).contains(low) else { throw problem("half a surrogate pair") }
            let code = 0x10000 + (UInt32(unit) - 0xd800) << 10 + UInt32(low) - 0xdc00
            guard let scalar = Unicode.Scalar(code) else { throw problem("half a surrogate pair") }
            return String(scalar)
        default: throw problem("no such escape")
        }
    }

    private mutating func hexadecimalUnit() throws(Problem) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw problem("four hexadecimal digits should be here")
            }
            unit = unit << 4 | UInt16(digit)
            place += 1
        }
        return unit
    }

    // MARK: Bytes

    private var peek: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        place += 1
        return true
    }

    private mutating func skipWhiteSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { place += 1 }
    }

    private func problem(_ words: String) -> Problem {
        let before = bytes[..<min(place, bytes.count)]
        let line = before.split(separator: 0x0a, omittingEmptySubsequences: false).last ?? before
        let column = String(decoding: line, as: UTF8.self).count + 1
        return Problem(at: nil, "not valid JSON: \(words) (line \(before.count { $0 == 0x0a } + 1), column \(column))")
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Deepest nesting of a JSON text; deeper ones are refused rather than overflow the stack.
package let maximumJSONDepth = 512

/// What a JSON text is read into.
protocol JSONTree {
    associatedtype JSONMembers: ExpressibleByDictionaryLiteral

    /// Whether the places that it is given mean anything; they cost time.
    static var keepsPlaces: Bool { get }

    /// - Returns: nil for a number out of range.
    static func scalar(_ scalar: JSONScalar, at place: SourceLocation) -> Self?
    static func array(_ items: [Self], at place: SourceLocation) -> Self
    static func object(_ members: JSONMembers, at place: SourceLocation) -> Self
    /// - Parameter place: that of the key.
    /// - Returns: false when there may not be another member with this key.
    static func add(_ value: Self, key: String, at place: SourceLocation, to members: inout JSONMembers) -> Bool
}

/// A value without parts.
enum JSONScalar {
    case null
    case bool(Bool)
    case string(String)
    /// As it is written; whole without a point and without an exponent.
    case number(String, isWhole: Bool)
}

/// Reads one RFC 8259 text: strict grammar, members in their order.
struct JSONParser<Tree: JSONTree> {
    private let bytes: [UInt8]
    private let file: String
    private let maximumDepth: Int
    /// Values that may still come.
    private var budget: Int
    private var place = 0
    /// The place that was asked for last, and where that is.
    private var known = (offset: 0, line: 1, column: 1)

    init(_ bytes: [UInt8], file: String = "", maximumDepth: Int = maximumJSONDepth, maximumValues: Int = .max) {
        self.bytes = bytes
        self.file = file
        self.maximumDepth = maximumDepth
        budget = maximumValues
        // RFC 8259 section 8.1: a byte order mark may be ignored.
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { place = 3 }
    }

    mutating func document() throws(Problem) -> Tree {
        skipWhiteSpace()
        let result = try value(depth: 0)
        skipWhiteSpace()
        guard place == bytes.count else { throw problem("something behind the value") }
        return result
    }

    private mutating func value(depth: Int) throws(Problem) -> Tree {
        guard depth <= maximumDepth else { throw problem("nested more than \(maximumDepth) levels deep") }
        budget -= 1
        guard budget >= 0 else { throw problem("the text is too large") }
        let start = location()
        switch peek {
        case UInt8(ascii: "{"): return try object(depth: depth, at: start)
        case UInt8(ascii: "["): return try array(depth: depth, at: start)
        case UInt8(ascii: "\""): return try scalar(.string(try string()), at: start)
        case UInt8(ascii: "t"): return try scalar(try word("true", .bool(true)), at: start)
        case UInt8(ascii: "f"): return try scalar(try word("false", .bool(false)), at: start)
        case UInt8(ascii: "n"): return try scalar(try word("null", .null), at: start)
        case UInt8(ascii: "-"), .some(0x30...0x39): return try scalar(try number(), at: start)
        case nil: throw problem("the text ends where a value should be")
        default: throw problem("no value begins like this")
        }
    }

    private mutating func scalar(_ scalar: JSONScalar, at start: SourceLocation) throws(Problem) -> Tree {
        guard let value = Tree.scalar(scalar, at: start) else { throw problem("a number out of range") }
        return value
    }

    private mutating func object(depth: Int, at start: SourceLocation) throws(Problem) -> Tree {
        var members: Tree.JSONMembers = [:]
        place += 1
        skipWhiteSpace()
        if skip("}") { return .object(members, at: start) }
        while true {
            guard peek == UInt8(ascii: "\"") else { throw problem("a key in quotes should be here") }
            let keyPlace = location()
            let key = try string()
            skipWhiteSpace()
            guard skip(":") else { throw problem("a colon should be here") }
            skipWhiteSpace()
            guard Tree.add(try value(depth: depth + 1), key: key, at: keyPlace, to: &members) else {
                throw problem("a second member with the key '\(key)'")
            }
            skipWhiteSpace()
            if skip("}") { return .object(members, at: start) }
            guard skip(",") else { throw problem("a comma or } should be here") }
            skipWhiteSpace()
        }
    }

    private mutating func array(depth: Int, at start: SourceLocation) throws(Problem) -> Tree {
        var items: [Tree] = []
        place += 1
        skipWhiteSpace()
        if skip("]") { return .array(items, at: start) }
        while true {
            items.append(try value(depth: depth + 1))
            skipWhiteSpace()
            if skip("]") { return .array(items, at: start) }
            guard skip(",") else { throw problem("a comma or ] should be here") }
            skipWhiteSpace()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONScalar) throws(Problem) -> JSONScalar {
        let end = place + word.utf8CodeUnitCount
        let expected = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard end <= bytes.count, bytes[place..<end].elementsEqual(expected) else {
            throw problem("no value begins like this")
        }
        place = end
        return value
    }

    // MARK: Numbers

    private mutating func number() throws(Problem) -> JSONScalar {
        let start = place
        _ = skip("-")
        if !skip("0") { try digits() }
        let isWhole = peek != UInt8(ascii: ".") && peek != UInt8(ascii: "e") && peek != UInt8(ascii: "E")
        if skip(".") { try digits() }
        if skip("e") || skip("E") {
            if !skip("+") { _ = skip("-") }
            try digits()
        }
        return .number(String(decoding: bytes[start..<place], as: UTF8.self), isWhole: isWhole)
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
            return try text(bytes, start..<place)
        }
        var unescaped = Array(bytes[start..<place])
        while true {
            switch peek {
            case UInt8(ascii: "\""):
                defer { place += 1 }
                return try text(unescaped, 0..<unescaped.count)
            case UInt8(ascii: "\\"): unescaped.append(contentsOf: try escape().utf8)
            case nil: throw problem("the text ends within a string")
            case .some(let byte) where byte < 0x20: throw problem("a control character within a string")
            case .some(let byte):
                unescaped.append(byte)
                place += 1
            }
        }
    }

    private mutating func text(_ bytes: [UInt8], _ range: Range<Int>) throws(Problem) -> String {
        let text = bytes.withUnsafeBufferPointer { bytes in
            String(validating: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
        }
        guard let text else { throw problem("a string that is not UTF-8") }
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

    // MARK: Places

    /// Where the next byte stands, for a tree that keeps places.
    private mutating func location() -> SourceLocation {
        if Tree.keepsPlaces { count() }
        return SourceLocation(file: file, line: known.line, column: known.column)
    }

    /// Counts on from the last place that was asked for: they come from front to back.
    private mutating func count() {
        let end = min(place, bytes.count)
        guard known.offset < end else { return }
        for offset in known.offset..<end {
            if bytes[offset] == 0x0a {
                known.line += 1
                known.column = 1
            } else if bytes[offset] & 0xc0 != 0x80 {
                known.column += 1
            }
        }
        known.offset = end
    }

    private mutating func problem(_ words: String) -> Problem {
        count()
        return Problem(at: nil, "not valid JSON: \(words) (line \(known.line), column \(known.column))")
    }
}

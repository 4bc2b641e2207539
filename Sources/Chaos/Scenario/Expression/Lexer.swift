// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Cuts an expression into tokens. A `-` between letters or digits of a name belongs to the name (`errors-on`,
/// `api-1`), so a minus after a name needs a blank before it.
struct Lexer {
    /// Longest expression: deeper trees than this many tokens can make do not exist.
    static let maximumTokens = 256

    private let text: [Unicode.Scalar]
    private var position = 0

    init(_ text: String) { self.text = Array(text.unicodeScalars) }

    /// All tokens, the last one `end`.
    static func tokens(of text: String) throws(SyntaxMistake) -> [Token] {
        var lexer = Lexer(text)
        var tokens: [Token] = []
        while true {
            let token = try lexer.next()
            tokens.append(token)
            if token.kind == .end { return tokens }
            if tokens.count > maximumTokens {
                throw SyntaxMistake(token.offset, "the expression is too long", advice: "name its parts in `vars:`")
            }
        }
    }

    private mutating func next() throws(SyntaxMistake) -> Token {
        while let scalar = peek(), scalar.properties.isWhitespace { position += 1 }
        let start = position
        guard let scalar = peek() else { return Token(kind: .end, offset: start) }
        if Self.isDigit(scalar) || scalar == "." && peek(1).map(Self.isDigit) == true {
            return Token(kind: .literal(try amount()), offset: start)
        }
        if Self.isLetter(scalar) { return Token(kind: name(), offset: start) }
        if scalar == "'" || scalar == "\"" { return Token(kind: .literal(.text(try quoted(scalar))), offset: start) }
        return Token(kind: try punctuation(scalar), offset: start)
    }

    private func peek(_ distance: Int = 0) -> Unicode.Scalar? {
        position + distance < text.count ? text[position + distance] : nil
    }

    static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
    static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
    }

    // MARK: Names, texts, symbols

    private mutating func name() -> Token.Kind {
        var name = String.UnicodeScalarView()
        while let scalar = peek() {
            let isPart = Self.isLetter(scalar) || Self.isDigit(scalar)
            let isInnerHyphen = scalar == "-" && peek(1).map { Self.isLetter($0) || Self.isDigit($0) } == true
            guard isPart || isInnerHyphen else { break }
            name.append(scalar)
            position += 1
        }
        switch String(name) {
        case "true": return .literal(.boolean(true))
        case "false": return .literal(.boolean(false))
        case let name: return .name(name)
        }
    }

    private mutating func quoted(_ quote: Unicode.Scalar) throws(SyntaxMistake) -> String {
        let start = position
        position += 1
        var content = String.UnicodeScalarView()
        while let scalar = peek() {
            position += 1
            if scalar == quote { return String(content) }
            content.append(scalar)
        }
        throw SyntaxMistake(start, "the text has no closing \(quote)")
    }

    private mutating func punctuation(_ scalar: Unicode.Scalar) throws(SyntaxMistake) -> Token.Kind {
        if scalar == "$" {
            guard peek(1) == "(" else {
                throw SyntaxMistake(position, "`$` stands alone", advice: "write $(…)")
            }
            position += 2
            return .open
        }
        if scalar == "(" || scalar == ")" {
            position += 1
            return scalar == "(" ? .open : .close
        }
        if scalar == "+", peek(1) == "-" {
            position += 2
            return .symbol(.plusMinus)
        }
        for symbol in Token.Symbol.allCases.sorted(by: { $0.rawValue.count > $1.rawValue.count }) {
            let scalars = Array(symbol.rawValue.unicodeScalars)
            if text[position...].starts(with: scalars) {
                position += scalars.count
                return .symbol(symbol)
            }
        }
        let advice: String? =
            switch scalar {
            case "=": "write =="
            case "&": "write &&"
            case "|": "write ||"
            default: nil
            }
        throw SyntaxMistake(position, "`\(scalar)` has no meaning in an expression", advice: advice)
    }

    // MARK: Amounts

    private static let unitHint = "units are ns, us, ms, s, m, h (5s, 250ms, 1m30s), % and /s"

    /// `3`, `0.9`, `90%`, `5s`, `1m30s`, `50/s`.
    private mutating func amount() throws(SyntaxMistake) -> Value {
        let start = position
        let number = try decimal()
        if peek() == "%" {
            position += 1
            return .ratio(Ratio(number.value(tens: -2)))
        }
        if peek() == "/", let unit = unit(from: position + 1), let length = Self.lengths[unit.name] {
            position = unit.end
            return .rate(Rate(perSecond: number.value * 1e9 / Double(length)))
        }
        guard let first = peek(), Self.isLetter(first) || first == "µ" || first == "μ" else {
            return .number(number.value)
        }
        if let unit = unit(from: position), let size = ByteCount.units.first(where: { $0.name == unit.name }) {
            position = unit.end
            return .bytes(ByteCount(number.value * size.bytes))
        }
        return .duration(try duration(startingWith: number, at: start))
    }

    private mutating func duration(startingWith first: Decimal, at start: Int) throws(SyntaxMistake) -> Nanoseconds {
        var number = first
        var total = Nanoseconds.zero
        while true {
            guard let unit = unit(from: position), let length = Self.lengths[unit.name] else {
                throw SyntaxMistake(start, "`\(word(from: start))` has no unit known here", advice: Self.unitHint)
            }
            position = unit.end
            guard let part = number.times(length) else {
                throw SyntaxMistake(start, "`\(word(from: start))` is too long a time", advice: "at most 200000h")
            }
            total += part
            guard let scalar = peek(), Self.isDigit(scalar) else { return total }
            number = try decimal()
        }
    }

    /// In nanoseconds.
    static let lengths: [String: Int64] = [
        "ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
        "min": 60_000_000_000, "h": 3_600_000_000_000,
    ]

    /// The letters from a place on; nil when there are none.
    private func unit(from start: Int) -> (name: String, end: Int)? {
        var end = start
        while end < text.count, Self.isLetter(text[end]) || text[end] == "µ" || text[end] == "μ" { end += 1 }
        guard end > start else { return nil }
        return (String(String.UnicodeScalarView(text[start..<end])), end)
    }

    /// Digits and letters from a place on, for messages.
    private func word(from start: Int) -> String {
        let end = text[start...].firstIndex { !Self.isDigit($0) && !Self.isLetter($0) && $0 != "." && $0 != "µ" }
        return String(String.UnicodeScalarView(text[start..<min(end ?? text.count, start + 40)]))
    }

    private mutating func decimal() throws(SyntaxMistake) -> Decimal {
        let start = position
        var digits = ""
        var places = 0
        var isFraction = false
        while let scalar = peek() {
            if Self.isDigit(scalar) {
                digits.unicodeScalars.append(scalar)
                if isFraction { places += 1 }
            } else if scalar == ".", !isFraction, peek(1).map(Self.isDigit) == true {
                isFraction = true
            } else {
                break
            }
            position += 1
        }
        guard digits.count <= 18, let mantissa = Int64(digits) else {
            throw SyntaxMistake(start, "the number has too many digits", advice: "at most 18")
        }
        if let scalar = peek(), scalar == "_" {
            throw SyntaxMistake(start, "a number has no `_`", advice: "write the digits only")
        }
        return Decimal(mantissa: mantissa, places: places)
    }
}

/// A number as written: `mantissa / 10^places`.
private struct Decimal {
    var mantissa: Int64
    var places: Int

    var value: Double { value(tens: 0) }

    /// The nearest double to the number times 10^tens.
    func value(tens: Int) -> Double { Double("\(mantissa)e\(tens - places)") ?? 0 }

    /// Exact where a whole number of nanoseconds can be.
    func times(_ unit: Int64) -> Nanoseconds? {
        var divisor: Int128 = 1
        for _ in 0..<places { divisor *= 10 }
        return Int64(exactly: Int128(mantissa) * Int128(unit) / divisor).map { Nanoseconds($0) }
    }
}

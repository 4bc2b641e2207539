// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// A Pratt parser over the tokens of one scalar. Everything a scenario computes goes through it: `$(…)` in texts, whole
/// scalars that are amounts, bounds, marks or conditions.
///
///     bound      := [ "<=" | ">=" | "==" ] expression [ ( ".." | "±" ) expression ]
///                   [ "requests" ] [ "after" expression ]
///     expression := binary operators by precedence, weakest first:  ?:   ||   &&   == != < <= > >=   + -   * /   - !
///     primary    := literal | "(" expression ")" | "$(" expression ")" | name [ "(" arguments ")" ] { "." name }
struct ExpressionParser {
    /// Deepest nesting of parentheses, calls and choices.
    static let maximumDepth = 32

    private let tokens: [Token]
    private let place: (Int) -> SourceLocation
    private var position = 0
    private var depth = 0

    /// - Parameter place: where the character at an offset of the text stands in the file.
    init(_ text: String, place: @escaping (Int) -> SourceLocation) throws(Problem) {
        self.place = place
        do {
            tokens = try Lexer.tokens(of: text)
        } catch {
            throw Problem(at: place(error.offset), error.message, advice: error.advice)
        }
    }

    /// The whole text as one expression.
    static func expression(_ text: String, place: @escaping (Int) -> SourceLocation) throws(Problem) -> Expression {
        var parser = try ExpressionParser(text, place: place)
        let expression = try parser.expression()
        try parser.expectEnd()
        return expression
    }

    // MARK: Tokens

    var next: Token { tokens[position] }
    var location: SourceLocation { place(next.offset) }
    var isAtEnd: Bool { next.kind == .end }

    /// Takes the symbol when it is next.
    mutating func take(_ symbol: Token.Symbol) -> Bool {
        guard next.kind == .symbol(symbol) else { return false }
        position += 1
        return true
    }

    /// Takes the name when it is next.
    mutating func take(word: String) -> Bool {
        guard next.kind == .name(word) else { return false }
        position += 1
        return true
    }

    func expectEnd() throws(Problem) {
        if isAtEnd { return }
        throw Problem(at: location, "\(next.description) is not expected here", advice: endAdvice)
    }

    private var endAdvice: String? {
        if case .name(let unit) = next.kind, Lexer.lengths[unit] != nil, position > 0,
            case .literal(.number(let number)) = tokens[position - 1].kind
        {
            return "a unit has no blank before it: \(plainNumber(number))\(unit)"
        }
        return switch next.kind {
        case .symbol(.plusMinus), .symbol(.range): "a range stands in a bound or in `during:` only, and only once"
        case .name, .literal: "an operator is missing before it"
        case .close: "a `(` is missing"
        default: nil
        }
    }

    // MARK: Grammar

    mutating func expression() throws(Problem) -> Expression { try choice() }

    private mutating func nested<Result>(
        _ parse: (inout ExpressionParser) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        depth += 1
        defer { depth -= 1 }
        if depth > Self.maximumDepth {
            throw Problem(at: location, "the expression is nested too deeply", advice: "name its parts in `vars:`")
        }
        return try parse(&self)
    }

    private mutating func choice() throws(Problem) -> Expression {
        try nested { (parser) throws(Problem) in
            let condition = try parser.binary(minimum: 0)
            let location = parser.location
            guard parser.take(.question) else { return condition }
            let then = try parser.choice()
            guard parser.take(.colon) else {
                throw Problem(at: parser.location, "`:` is missing", advice: "write condition ? value : other value")
            }
            return .choice(condition, then: then, otherwise: try parser.choice(), location)
        }
    }

    private static func operation(of token: Token) -> (BinaryOperator, precedence: Int)? {
        guard case .symbol(let symbol) = token.kind, let operation = BinaryOperator(rawValue: symbol.rawValue) else {
            return nil
        }
        switch operation {
        case .or: return (operation, 1)
        case .and: return (operation, 2)
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: return (operation, 3)
        case .add, .subtract: return (operation, 4)
        case .multiply, .divide: return (operation, 5)
        }
    }

    private mutating func binary(minimum: Int) throws(Problem) -> Expression {
        var left = try unary()
        while let (operation, precedence) = Self.operation(of: next), precedence > minimum {
            let location = location
            position += 1
            left = .binary(operation, left, try binary(minimum: precedence), location)
        }
        return left
    }

    private mutating func unary() throws(Problem) -> Expression {
        let location = location
        if take(.minus) {
            return try nested { (parser) throws(Problem) in .unary(.negate, try parser.unary(), location) }
        }
        if take(.not) {
            return try nested { (parser) throws(Problem) in .unary(.not, try parser.unary(), location) }
        }
        return try primary()
    }

    private mutating func primary() throws(Problem) -> Expression {
        let (token, location) = (next, location)
        switch token.kind {
        case .literal(let value):
            position += 1
            return .literal(value)
        case .open:
            position += 1
            let inner = try expression()
            try expectClose()
            return inner
        case .name(let name):
            position += 1
            if next.kind == .open, tokens[position].offset == token.offset + name.unicodeScalars.count {
                position += 1
                let arguments = try arguments()
                return .call(name, arguments, path: try path(), location)
            }
            return .name([name] + (try path()), location)
        case .end:
            throw Problem(at: location, position == 0 ? "nothing is written here" : "something is missing at the end")
        case .close, .symbol:
            throw Problem(at: location, "\(token.description) is not expected here")
        }
    }

    private mutating func expectClose() throws(Problem) {
        guard next.kind == .close else { throw Problem(at: location, "`)` is missing before \(next.description)") }
        position += 1
    }

    private mutating func arguments() throws(Problem) -> [Expression] {
        var list: [Expression] = []
        if next.kind == .close {
            position += 1
            return list
        }
        repeat { list.append(try expression()) } while take(.comma)
        try expectClose()
        return list
    }

    /// `.active.healthy`; empty when no `.` follows.
    private mutating func path() throws(Problem) -> [String] {
        var path: [String] = []
        while take(.dot) {
            guard case .name(let member) = next.kind else {
                throw Problem(at: location, "a name is missing after `.`")
            }
            path.append(member)
            position += 1
        }
        return path
    }
}

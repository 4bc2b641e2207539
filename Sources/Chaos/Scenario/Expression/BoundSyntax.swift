// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// A bound as written, before names and units are looked at.
struct BoundSyntax {
    enum Shape {
        /// A bare amount: what it means depends on the key.
        case plain(Expression)
        case range(lower: Expression?, upper: Expression?)
        case around(Expression, slack: Expression)
    }
    var shape: Shape
    /// `requests` or `errors` after the amount.
    var noun: String?
    /// `after tripped`.
    var mark: Expression?

    static let nouns = ["requests", "request", "errors", "error"]

    /// - Parameter allowsMark: whether `after <mark>` may follow.
    init(_ text: String, allowsMark: Bool, place: @escaping (Int) -> SourceLocation) throws(Problem) {
        var parser = try ExpressionParser(text, place: place)
        shape = try Self.shape(from: &parser)
        for word in Self.nouns where noun == nil && parser.take(word: word) { noun = word }
        if allowsMark, parser.take(word: "after") { mark = try parser.expression() }
        if !allowsMark, case .name("after") = parser.next.kind {
            throw Problem(at: parser.location, "`after` is a key of its own here", advice: "write after: <mark>")
        }
        try parser.expectEnd()
    }

    private static func shape(from parser: inout ExpressionParser) throws(Problem) -> Shape {
        if parser.take(.lessOrEqual) { return .range(lower: nil, upper: try parser.expression()) }
        if parser.take(.greaterOrEqual) { return .range(lower: try parser.expression(), upper: nil) }
        if parser.take(.equal) {
            let value = try parser.expression()
            return .range(lower: value, upper: value)
        }
        for (symbol, better) in [(Token.Symbol.less, "<="), (.greater, ">="), (.notEqual, "== or a range")]
        where parser.next.kind == .symbol(symbol) {
            throw Problem(
                at: parser.location, "a bound cannot start with `\(symbol.rawValue)`", advice: "write \(better)")
        }
        let first = try parser.expression()
        if parser.take(.range) { return .range(lower: first, upper: try parser.expression()) }
        if parser.take(.plusMinus) { return .around(first, slack: try parser.expression()) }
        return .plain(first)
    }
}

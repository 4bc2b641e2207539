// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A piece of an expression with the number of characters before it.
struct Token: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// A number, duration, ratio, rate or quoted text, read exactly.
        case literal(Value)
        case name(String)
        /// `(` and `$(` mean the same.
        case open
        case close
        case symbol(Symbol)
        case end
    }

    enum Symbol: String, Hashable, Sendable, CaseIterable {
        case comma = ","
        case range = ".."
        case dot = "."
        case plusMinus = "±"
        case plus = "+"
        case minus = "-"
        case times = "*"
        case divide = "/"
        case equal = "=="
        case notEqual = "!="
        case lessOrEqual = "<="
        case greaterOrEqual = ">="
        case less = "<"
        case greater = ">"
        case and = "&&"
        case or = "||"
        case not = "!"
        case question = "?"
        case colon = ":"
    }

    var kind: Kind
    var offset: Int

    /// As a message shows it.
    var description: String {
        switch kind {
        case .literal(let value): "`\(value)`"
        case .name(let name): "`\(name)`"
        case .open: "`(`"
        case .close: "`)`"
        case .symbol(let symbol): "`\(symbol.rawValue)`"
        case .end: "the end"
        }
    }
}

/// What is wrong at a place of an expression, before the place in the file is known.
struct SyntaxMistake: Error, Hashable, Sendable {
    var offset: Int
    var message: String
    var advice: String?

    init(_ offset: Int, _ message: String, advice: String? = nil) {
        self.offset = offset
        self.message = message
        self.advice = advice
    }
}

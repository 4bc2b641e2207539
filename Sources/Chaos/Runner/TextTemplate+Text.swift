// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension TextTemplate {
    /// The text for the request of a number. An expression without a value (a division by zero) stands as `?`: a load
    /// goes on, and its requests show what is wrong.
    package func text(number: Int) -> String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .expression(let expression): Self.text(of: expression, number)
            }
        }.joined()
    }

    private static func text(of expression: Expression, _ number: Int) -> String {
        let place = SourceLocation(file: "", line: 1, column: 1)
        let filled = expression.replacing(name: ["n"], by: .number(Double(number)))
        return (try? filled.value(in: EmptyEnvironment(), at: place)).map { "\($0)" } ?? "?"
    }
}

extension Expression {
    /// The expression with a value in the place of a name.
    func replacing(name: [String], by value: Value) -> Expression {
        switch self {
        case .literal: self
        case .name(let path, _): path == name ? .literal(value) : self
        case .unary(let operation, let operand, let place):
            .unary(operation, operand.replacing(name: name, by: value), place)
        case .binary(let operation, let a, let b, let place):
            .binary(operation, a.replacing(name: name, by: value), b.replacing(name: name, by: value), place)
        case .choice(let condition, let then, let otherwise, let place):
            .choice(
                condition.replacing(name: name, by: value), then: then.replacing(name: name, by: value),
                otherwise: otherwise.replacing(name: name, by: value), place)
        case .call(let function, let arguments, let path, let place):
            .call(function, arguments.map { $0.replacing(name: name, by: value) }, path: path, place)
        }
    }
}

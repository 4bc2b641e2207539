// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// A parsed expression. What depends on the file only (variables, the configuration) is folded into literals when a
/// plan is made; what depends on the run stays.
package indirect enum Expression: Hashable, Sendable {
    case literal(Value)
    /// `rate`, `errors-on`, `dark.start`, `hc.active.healthy.successes`.
    case name([String], SourceLocation)
    case unary(UnaryOperator, Expression, SourceLocation)
    case binary(BinaryOperator, Expression, Expression, SourceLocation)
    case choice(Expression, then: Expression, otherwise: Expression, SourceLocation)
    /// `min(a, b)`; members after the call (`hc(orders-up).active.timeout`) in `path`.
    case call(String, [Expression], path: [String], SourceLocation)
}

package enum UnaryOperator: String, Hashable, Sendable {
    case negate = "-"
    case not = "!"
}

package enum BinaryOperator: String, Hashable, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case and = "&&"
    case or = "||"
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// What a measured amount may be, both ends included. Either end may still depend on what a run shows
/// (`<= $(inflight(api-2, crash, writes))`), so the numbers come from `limits(in:)`.
package struct Bound: Hashable, Sendable {
    package var lower: Expression?
    package var upper: Expression?
    package var dimension: Dimension
    /// As written, for messages.
    package var text: String
    package var location: SourceLocation

    package init(
        lower: Expression?, upper: Expression?, dimension: Dimension, text: String, location: SourceLocation
    ) {
        self.lower = lower
        self.upper = upper
        self.dimension = dimension
        self.text = text
        self.location = location
    }

    /// The numbers, or a problem (a mark that was never seen, an unknown number in flight).
    package func limits(in environment: some Environment) throws(Problem) -> Limits {
        Limits(
            lower: try lower?.quantity(dimension, in: environment, at: location),
            upper: try upper?.quantity(dimension, in: environment, at: location))
    }

    /// The numbers when they depend on nothing a run shows, else nil.
    package var constant: Limits? { try? limits(in: EmptyEnvironment()) }
}

/// The numbers of a bound: inclusive, at least one of them there, both of one dimension.
package struct Limits: Hashable, Sendable, CustomStringConvertible {
    package var lower: Quantity?
    package var upper: Quantity?

    package init(lower: Quantity?, upper: Quantity?) {
        self.lower = lower
        self.upper = upper
    }

    /// Tolerates the rounding of decimal fractions: one part in 10^12.
    package func contain(_ quantity: Quantity) -> Bool {
        let value = quantity.magnitude
        let slack = 1e-12 * max(1, abs(value))
        if let lower, value < lower.magnitude - slack { return false }
        if let upper, value > upper.magnitude + slack { return false }
        return true
    }

    /// `10s..15.3s`, `<= 16 requests`, `== 0`.
    package var description: String {
        switch (lower?.readable, upper?.readable) {
        case (let lower?, let upper?): lower == upper ? "== \(lower)" : "\(lower)..\(upper)"
        case (let lower?, nil): ">= \(lower)"
        case (nil, let upper?): "<= \(upper)"
        case (nil, nil): "anything"
        }
    }
}

/// A duration bound measured from a mark: `0ms..100ms after tripped`.
package struct RelativeBound: Hashable, Sendable {
    package var bound: Bound
    package var mark: MarkExpression

    package init(bound: Bound, after mark: MarkExpression) {
        self.bound = bound
        self.mark = mark
    }
}

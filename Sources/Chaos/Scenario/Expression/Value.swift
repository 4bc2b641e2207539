// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What an expression is worth.
package enum Value: Hashable, Sendable, CustomStringConvertible {
    case number(Double)
    case duration(Nanoseconds)
    case ratio(Ratio)
    case rate(Rate)
    case bytes(ByteCount)
    case text(String)
    case boolean(Bool)
    case instant(MarkExpression)

    package var description: String {
        switch self {
        case .number(let value): plainNumber(value)
        case .duration(let value): value.description
        case .ratio(let value): value.description
        case .rate(let value): value.description
        case .bytes(let value): value.description
        case .text(let value): value
        case .boolean(let value): String(value)
        case .instant(let value): value.description
        }
    }

    /// "a duration", for messages.
    package var phrase: String {
        switch self {
        case .number: "a number"
        case .duration: "a duration"
        case .ratio: "a ratio"
        case .rate: "a rate"
        case .bytes: "a size"
        case .text: "text"
        case .boolean: "true or false"
        case .instant: "a mark"
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

extension Expression {
    /// The worth of a folded expression when a run has shown `environment`.
    ///
    /// - Throws: a problem at the expression's place: a mark that was not seen, a number in flight nobody knows, a
    ///   division by zero, a name that is left over.
    package func value(in environment: some Environment, at place: SourceLocation) throws(Problem) -> Value {
        switch self {
        case .literal(let value):
            return value
        case .name(let path, let location):
            throw Problem(at: location, "`\(path.joined(separator: "."))` has no value here")
        case .unary(let operation, let operand, let location):
            let outcome = Arithmetic.apply(operation, try operand.value(in: environment, at: place))
            return try Self.unwrap(outcome, at: location)
        case .binary(let operation, let a, let b, let location):
            let x = try a.value(in: environment, at: place)
            let y = try b.value(in: environment, at: place)
            if case .instant(let later) = x, case .instant(let earlier) = y, operation == .subtract {
                return .duration(try Self.distance(from: earlier, to: later, in: environment, at: location))
            }
            return try Self.unwrap(Arithmetic.apply(operation, x, y), at: location)
        case .choice(let condition, let then, let otherwise, let location):
            guard case .boolean(let isTrue) = try condition.value(in: environment, at: place) else {
                throw Problem(at: location, "`?` needs true or false before it")
            }
            return try (isTrue ? then : otherwise).value(in: environment, at: place)
        case .call(let name, let arguments, _, let location):
            return try Self.call(name, arguments, in: environment, at: location)
        }
    }

    /// The worth of a folded expression as an amount of a dimension.
    func quantity(
        _ dimension: Dimension, in environment: some Environment, at place: SourceLocation
    ) throws(Problem) -> Quantity {
        let value = try value(in: environment, at: place)
        switch (dimension, value) {
        case (.duration, .duration(let amount)): return .duration(amount)
        case (.ratio, .ratio(let amount)): return .ratio(amount)
        case (.ratio, .number(let amount)): return .ratio(Ratio(amount))
        case (.rate, .rate(let amount)): return .rate(amount)
        case (.bytes, .bytes(let amount)): return .bytes(amount)
        case (.number, .number(let amount)): return .number(amount)
        case (.requests, .number(let amount)):
            return .requests(Int(exactly: amount.rounded()) ?? (amount > 0 ? .max : 0))
        default: throw Problem(at: place, "\(dimension.phrase) is needed here, not \(value.phrase)")
        }
    }

    static func unwrap(_ outcome: Arithmetic.Outcome, at location: SourceLocation) throws(Problem) -> Value {
        switch outcome {
        case .value(let value): return value
        case .duringRun: throw Problem(at: location, "this is known only when the scenario has run")
        case .mistake(let message, let advice): throw Problem(at: location, message, advice: advice)
        }
    }

    private static func distance(
        from earlier: MarkExpression, to later: MarkExpression, in environment: some Environment,
        at location: SourceLocation
    ) throws(Problem) -> Nanoseconds {
        guard let first = environment.instant(of: earlier) else {
            throw Problem(at: location, "the mark `\(earlier.mark)` was not seen")
        }
        guard let second = environment.instant(of: later) else {
            throw Problem(at: location, "the mark `\(later.mark)` was not seen")
        }
        return second.at - first.at
    }

    private static func call(
        _ name: String, _ arguments: [Expression], in environment: some Environment, at location: SourceLocation
    ) throws(Problem) -> Value {
        if name == "inflight", arguments.count >= 2, case .literal(.text(let target)) = arguments[0],
            case .literal(.instant(let mark)) = arguments[1]
        {
            var load: String?
            if arguments.count > 2, case .literal(.text(let text)) = arguments[2] { load = text }
            guard let count = environment.requestsInFlight(to: target, at: mark, load: load) else {
                throw Problem(at: location, "nobody knows how many requests were in flight to `\(target)` at \(mark)")
            }
            return .number(Double(count))
        }
        var values: [Value] = []
        for argument in arguments { values.append(try argument.value(in: environment, at: location)) }
        return try unwrap(Functions.apply(name, values), at: location)
    }
}

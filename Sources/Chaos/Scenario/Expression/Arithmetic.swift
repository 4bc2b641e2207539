// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Typed arithmetic on values: units are followed, so `rate * duration` is a number and `number / rate` a duration.
enum Arithmetic {
    /// A value, something only a run can tell, or why the operation makes no sense.
    enum Outcome {
        case value(Value)
        /// The distance between two marks.
        case duringRun
        case mistake(String, advice: String?)
    }

    static func apply(_ operation: BinaryOperator, _ a: Value, _ b: Value) -> Outcome {
        switch operation {
        case .add, .subtract: sum(a, b, isMinus: operation == .subtract)
        case .multiply: product(a, b)
        case .divide: quotient(a, b)
        case .and, .or: logic(operation, a, b)
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: comparison(operation, a, b)
        }
    }

    static func apply(_ operation: UnaryOperator, _ a: Value) -> Outcome {
        switch (operation, a) {
        case (.negate, .number(let value)): .value(.number(-value))
        case (.negate, .duration(let value)): .value(.duration(-value))
        case (.negate, .ratio(let value)): .value(.ratio(Ratio(-value.fraction)))
        case (.negate, .rate(let value)): .value(.rate(Rate(perSecond: -value.perSecond)))
        case (.negate, .bytes(let value)): .value(.bytes(ByteCount(-value.bytes)))
        case (.not, .boolean(let value)): .value(.boolean(!value))
        case (.negate, _): .mistake("`-` needs an amount, not \(a.phrase)", advice: nil)
        case (.not, _): .mistake("`!` needs true or false, not \(a.phrase)", advice: nil)
        }
    }

    private static func sum(_ a: Value, _ b: Value, isMinus: Bool) -> Outcome {
        func add(_ x: Double, _ y: Double) -> Double { isMinus ? x - y : x + y }
        switch (a, b) {
        case (.number(let x), .number(let y)): return .value(.number(add(x, y)))
        case (.duration(let x), .duration(let y)): return .value(.duration(isMinus ? x - y : x + y))
        case (.rate(let x), .rate(let y)): return .value(.rate(Rate(perSecond: add(x.perSecond, y.perSecond))))
        case (.bytes(let x), .bytes(let y)): return .value(.bytes(ByteCount(add(x.bytes, y.bytes))))
        case (.ratio(let x), .ratio(let y)): return .value(.ratio(Ratio(add(x.fraction, y.fraction))))
        case (.ratio(let x), .number(let y)): return .value(.ratio(Ratio(add(x.fraction, y))))
        case (.number(let x), .ratio(let y)): return .value(.ratio(Ratio(add(x, y.fraction))))
        case (.instant(let x), .duration(let y)):
            return .value(.instant(MarkExpression(x.mark, offset: isMinus ? x.offset - y : x.offset + y)))
        case (.duration(let x), .instant(let y)) where !isMinus:
            return .value(.instant(MarkExpression(y.mark, offset: y.offset + x)))
        case (.instant(let x), .instant(let y)) where isMinus:
            return x.mark == y.mark ? .value(.duration(x.offset - y.offset)) : .duringRun
        case (.instant, .number), (.duration, .number), (.number, .duration):
            return .mistake(
                "\(isMinus ? "`-`" : "`+`") cannot join \(a.phrase) and \(b.phrase)",
                advice: "give the number a unit: 5s or 5ms")
        default:
            return .mistake("\(isMinus ? "`-`" : "`+`") cannot join \(a.phrase) and \(b.phrase)", advice: nil)
        }
    }

    private static func product(_ a: Value, _ b: Value) -> Outcome {
        switch (a, b) {
        case (.number(let x), .number(let y)): return .value(.number(x * y))
        case (.ratio(let x), .ratio(let y)): return .value(.ratio(Ratio(x.fraction * y.fraction)))
        case (.rate(let x), .duration(let y)): return .value(.number(x.perSecond * Double(y.count) / 1e9))
        case (.duration, .rate): return product(b, a)
        default: break
        }
        if let factor = factor(b), let scaled = scale(a, by: factor) { return .value(scaled) }
        if let factor = factor(a), let scaled = scale(b, by: factor) { return .value(scaled) }
        return .mistake("`*` cannot join \(a.phrase) and \(b.phrase)", advice: nil)
    }

    private static func quotient(_ a: Value, _ b: Value) -> Outcome {
        guard let divisor = magnitude(b) else {
            return .mistake("`/` cannot join \(a.phrase) and \(b.phrase)", advice: nil)
        }
        if divisor == 0 { return .mistake("division by zero", advice: nil) }
        switch (a, b) {
        case (.number(let x), .number(let y)): return .value(.number(x / y))
        case (.number(let x), .rate(let y)): return .value(.duration(Nanoseconds(seconds: x / y.perSecond)))
        case (.number(let x), .duration(let y)): return .value(.rate(Rate(perSecond: x / (Double(y.count) / 1e9))))
        case (.duration, .duration), (.rate, .rate), (.ratio, .ratio), (.bytes, .bytes):
            return .value(.number((magnitude(a) ?? 0) / divisor))
        default: break
        }
        if let factor = factor(b), let scaled = scale(a, by: 1 / factor) { return .value(scaled) }
        return .mistake("`/` cannot join \(a.phrase) and \(b.phrase)", advice: nil)
    }

    private static func logic(_ operation: BinaryOperator, _ a: Value, _ b: Value) -> Outcome {
        guard case .boolean(let x) = a, case .boolean(let y) = b else {
            let wrong = if case .boolean = a { b } else { a }
            return .mistake(
                "`\(operation.rawValue)` needs true or false on both sides, not \(wrong.phrase)", advice: nil)
        }
        return .value(.boolean(operation == .and ? x && y : x || y))
    }

    private static func comparison(_ operation: BinaryOperator, _ a: Value, _ b: Value) -> Outcome {
        if operation == .equal || operation == .notEqual {
            switch (a, b) {
            case (.text(let x), .text(let y)): return .value(.boolean((x == y) == (operation == .equal)))
            case (.boolean(let x), .boolean(let y)): return .value(.boolean((x == y) == (operation == .equal)))
            default: break
            }
        }
        guard let x = magnitude(a), let y = magnitude(b), areComparable(a, b) else {
            if case .instant = a, case .instant = b {
                return .mistake("marks cannot be compared here", advice: "use an `order:` expectation")
            }
            return .mistake("`\(operation.rawValue)` cannot compare \(a.phrase) with \(b.phrase)", advice: nil)
        }
        let result =
            switch operation {
            case .less: x < y
            case .lessOrEqual: x <= y
            case .greater: x > y
            case .greaterOrEqual: x >= y
            case .notEqual: x != y
            default: x == y
            }
        return .value(.boolean(result))
    }

    /// Of one dimension; numbers and ratios are.
    static func areComparable(_ a: Value, _ b: Value) -> Bool {
        switch (a, b) {
        case (.duration, .duration), (.rate, .rate), (.number, .number), (.ratio, .ratio), (.number, .ratio),
            (.ratio, .number), (.bytes, .bytes):
            true
        default: false
        }
    }

    /// The amount in the base unit of its dimension; nil for what is no amount.
    static func magnitude(_ value: Value) -> Double? {
        switch value {
        case .number(let value): value
        case .duration(let value): Double(value.count)
        case .ratio(let value): value.fraction
        case .rate(let value): value.perSecond
        case .bytes(let value): value.bytes
        case .text, .boolean, .instant: nil
        }
    }

    private static func factor(_ value: Value) -> Double? {
        switch value {
        case .number(let value): value
        case .ratio(let value): value.fraction
        default: nil
        }
    }

    /// The value times a plain factor. Whole factors of durations stay exact.
    private static func scale(_ value: Value, by factor: Double) -> Value? {
        switch value {
        case .number(let value): .number(value * factor)
        case .duration(let value):
            if let whole = Int64(exactly: factor) {
                .duration(value * whole)
            } else {
                .duration(Nanoseconds(seconds: Double(value.count) * factor / 1e9))
            }
        case .ratio(let value): .ratio(Ratio(value.fraction * factor))
        case .rate(let value): .rate(Rate(perSecond: value.perSecond * factor))
        case .bytes(let value): .bytes(ByteCount(value.bytes * factor))
        case .text, .boolean, .instant: nil
        }
    }
}

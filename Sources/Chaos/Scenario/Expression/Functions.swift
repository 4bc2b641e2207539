// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The functions of the expression language that need nothing but their arguments.
enum Functions {
    static let names = ["min", "max", "floor", "ceil"]

    static func apply(_ name: String, _ arguments: [Value]) -> Arithmetic.Outcome {
        switch name {
        case "min": extreme(name, arguments) { $0 < $1 }
        case "max": extreme(name, arguments) { $0 > $1 }
        case "floor": whole(name, arguments) { ($0 + tolerance(of: $0)).rounded(.down) }
        case "ceil": whole(name, arguments) { ($0 - tolerance(of: $0)).rounded(.up) }
        default: .mistake("there is no function `\(name)`", advice: nil)
        }
    }

    /// Decimal fractions are not exact in binary: `floor(0.7/s * 10s)` must be 7, though the product is a hair less.
    private static func tolerance(of value: Double) -> Double { 1e-9 * max(1, abs(value)) }

    private static func extreme(
        _ name: String, _ arguments: [Value], _ isBetter: (Double, Double) -> Bool
    ) -> Arithmetic.Outcome {
        guard var best = arguments.first, arguments.count >= 2 else {
            return .mistake("`\(name)` needs at least two arguments", advice: "write \(name)(a, b)")
        }
        for value in arguments.dropFirst() {
            guard let x = Arithmetic.magnitude(value), let y = Arithmetic.magnitude(best),
                Arithmetic.areComparable(value, best)
            else { return .mistake("`\(name)` cannot compare \(best.phrase) with \(value.phrase)", advice: nil) }
            if isBetter(x, y) { best = value }
        }
        return .value(best)
    }

    private static func whole(
        _ name: String, _ arguments: [Value], _ round: (Double) -> Double
    ) -> Arithmetic.Outcome {
        guard arguments.count == 1 else {
            return .mistake("`\(name)` needs exactly one argument", advice: nil)
        }
        guard case .number(let value) = arguments[0] else {
            return .mistake("`\(name)` needs a number, not \(arguments[0].phrase)", advice: nil)
        }
        return .value(.number(round(value)))
    }
}

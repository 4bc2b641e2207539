// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// Reads the values of options and gathers every mistake, one line each. Units are those of scenarios.
struct FlagReader {
    var problems = Problems()

    mutating func report(_ message: String, advice: String? = nil) {
        problems.add(Problem(at: nil, message, advice: advice))
    }

    mutating func integer(_ option: String, _ text: String?, in range: ClosedRange<Int>) -> Int? {
        guard let text else { return nil }
        if let value = Int(text), range.contains(value) { return value }
        report(
            "\(option): `\(text)` is not from \(range.lowerBound) to \(range.upperBound)", advice: "give a whole number"
        )
        return nil
    }

    mutating func seed(_ option: String, _ text: String?) -> UInt64? {
        guard let text else { return nil }
        if let value = UInt64(text) { return value }
        report("\(option): `\(text)` is no seed", advice: "give a whole number from 0 to \(UInt64.max)")
        return nil
    }

    mutating func time(_ option: String, _ text: String?, least: Nanoseconds) -> Nanoseconds? {
        guard let text else { return nil }
        switch value(option, text) {
        case .duration(let time)? where time >= least && time <= .seconds(86_400): return time
        case .duration?: report("\(option): \(text) is not from \(least) to 24h", advice: "give another time")
        case .number?: report("\(option): `\(text)` has no unit", advice: "write \(text)s")
        case nil: break
        default: report("\(option): `\(text)` is no time", advice: "write one such as 2s or 500ms")
        }
        return nil
    }

    /// `1000` and `1000/s`.
    mutating func rate(_ option: String, _ text: String?) -> Rate? {
        guard let text else { return nil }
        let rate: Rate? =
            switch value(option, text) {
            case .number(let number)?: Rate(perSecond: number)
            case .rate(let rate)?: rate
            case nil: nil
            default: Rate(perSecond: -1)
            }
        guard let rate else { return nil }
        if rate.perSecond > 0, rate.perSecond <= 1_000_000 { return rate }
        report("\(option): `\(text)` is no rate", advice: "write one such as 1000/s, at most 1000000/s")
        return nil
    }

    /// `2` and `2x`.
    mutating func factor(_ option: String, _ text: String?) -> Double? {
        guard let text else { return nil }
        if let factor = ReplaySpeed(text)?.factor { return factor }
        report("\(option): `\(text)` is no speed", advice: ReplaySpeed.advice)
        return nil
    }

    /// `5%` and `0.05`.
    mutating func part(_ option: String, _ text: String?) -> Double? {
        guard let text else { return nil }
        switch value(option, text) {
        case .ratio(let ratio)? where ratio.fraction < 10: return ratio.fraction
        case .number(let number)? where number >= 0 && number < 10: return number
        case nil: break
        default: report("\(option): `\(text)` is no part", advice: "write one such as 5%")
        }
        return nil
    }

    mutating func flag(_ option: String, _ text: String?) -> Bool? {
        switch text {
        case nil: return nil
        case "on"?, "true"?: return true
        case "off"?, "false"?: return false
        case let text?:
            report("\(option): `\(text)` is neither on nor off", advice: "write on or off")
            return nil
        }
    }

    mutating func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ option: String, _ text: String?, of type: Choice.Type = Choice.self
    ) -> Choice? {
        guard let text else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let names = Choice.allCases.map(\.rawValue)
        report(
            "\(option): there is no `\(text)`",
            advice: nearestKey(to: text, among: names).map { "did you mean `\($0)`?" }
                ?? "write \(names.joined(separator: " or "))")
        return nil
    }

    private mutating func value(_ option: String, _ text: String) -> Value? {
        do throws(SyntaxMistake) {
            let tokens = try Lexer.tokens(of: text)
            if tokens.count == 2, case .literal(let value) = tokens[0].kind { return value }
            report("\(option): `\(text)` is no amount", advice: "write one such as 2s, 500ms, 5% or 1000/s")
        } catch {
            report("\(option): `\(text)`: column \(error.offset + 1): \(error.message)", advice: error.advice)
        }
        return nil
    }
}

/// How much faster than it was a log is replayed: `2x`, `0.5x`, `2`.
package struct ReplaySpeed: Hashable, Sendable {
    package var factor: Double

    static let advice = "write one such as 2x, from 0.001x to 1000x"

    package init?(_ text: String) {
        let digits = text.hasSuffix("x") ? String(text.dropLast()) : text
        guard digits.allSatisfy({ $0.isNumber || $0 == "." }), let factor = Double(digits), factor >= 0.001,
            factor <= 1000
        else { return nil }
        self.factor = factor
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// A figure of a bench that a person can ask for: `p99`, `rps`, `edge.cpu`, `overhead.p99`.
package struct BenchMetric: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        case quantile(Double), least, most, mean
        case rps, ok, errors, requests
        /// Processor time a request of the subject's own processes (not the bench's), or resident memory of all.
        case cpu, rss
        /// How the last subject compares with the first: p50, or another quantile.
        case overhead(Double)
        /// Of the generator, p99.
        case lateness
    }

    package var kind: Kind
    /// Nil: the last subject.
    package var subject: String?
    package var description: String

    static let names = [
        "p50", "p90", "p99", "p99.9", "max", "min", "mean", "rps", "ok", "errors", "requests", "cpu", "rss",
        "overhead", "overhead.p99", "lateness",
    ]

    /// - Parameter text: `p99` or `edge.p99`; `p99.9` and `overhead.p99` have a dot of their own.
    /// - Throws: the nearest name that there is.
    init(_ text: String) throws(SyntaxMistake) {
        description = text
        if let kind = Self.kind(text) {
            self.kind = kind
            return
        }
        if let dot = text.firstIndex(of: "."), let kind = Self.kind(String(text[text.index(after: dot)...])) {
            self.kind = kind
            subject = String(text[..<dot])
            return
        }
        throw SyntaxMistake(
            0, "`\(text)` is nothing that a bench measures",
            advice: nearestKey(to: text, among: Self.names).map { "did you mean `\($0)`?" }
                ?? "there are \(Self.names.joined(separator: ", "))")
    }

    private static func kind(_ name: String) -> Kind? {
        switch name {
        case "max": return .most
        case "min": return .least
        case "mean": return .mean
        case "rps", "rate": return .rps
        case "ok": return .ok
        case "errors": return .errors
        case "requests": return .requests
        case "cpu": return .cpu
        case "rss": return .rss
        case "overhead": return .overhead(50)
        case "lateness": return .lateness
        default:
            if name.hasPrefix("overhead."), case .quantile(let percent)? = kind(String(name.dropFirst(9))) {
                return .overhead(percent)
            }
            guard name.first == "p", let percent = Double(name.dropFirst()), percent > 0, percent <= 100 else {
                return nil
            }
            return .quantile(percent)
        }
    }
}

/// What must be true of a bench: `p99 < 5ms`, `ok >= 99.99%`, `gateway.rps > 20000`, `overhead <= 1.5`.
package struct BenchExpectation: Hashable, Sendable {
    package enum Comparison: String, Hashable, Sendable, CaseIterable {
        case lessOrEqual = "<="
        case greaterOrEqual = ">="
        case equal = "=="
        case notEqual = "!="
        case less = "<"
        case greater = ">"

        func holds(_ a: Double, _ b: Double) -> Bool {
            switch self {
            case .lessOrEqual: a <= b
            case .greaterOrEqual: a >= b
            case .equal: a == b
            case .notEqual: a != b
            case .less: a < b
            case .greater: a > b
            }
        }
    }

    package enum Limit: Hashable, Sendable {
        case time(Nanoseconds)
        case ratio(Double)
        case number(Double)
        /// Bytes.
        case size(Double)

        var value: Double {
            switch self {
            case .time(let time): Double(time.count)
            case .ratio(let value), .number(let value), .size(let value): value
            }
        }
    }

    package var metric: BenchMetric
    package var comparison: Comparison
    package var limit: Limit
    /// As written, with single blanks.
    package var text: String

    /// - Parameters:
    ///   - text: one or more, with commas between them.
    ///   - option: names the option in messages.
    /// - Throws: the first mistake, with the column it is at.
    package static func list(_ text: String, option: String) throws(Problem) -> [BenchExpectation] {
        var list: [BenchExpectation] = []
        var start = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            do throws(SyntaxMistake) {
                list.append(try BenchExpectation(part))
            } catch {
                throw Problem(
                    at: nil, "\(option) '\(text)': column \(start + error.offset + 1): \(error.message)",
                    advice: error.advice)
            }
            start += part.count + 1
        }
        return list
    }

    private static let example = "write one such as 'p99 < 5ms' or 'ok >= 99.9%'"

    private init(_ text: Substring) throws(SyntaxMistake) {
        let blanks = text.prefix(while: \.isWhitespace).count
        let rest = text.dropFirst(blanks)
        let name = rest.prefix { !$0.isWhitespace && !"<>=!".contains($0) }
        if name.isEmpty {
            throw SyntaxMistake(
                blanks, rest.isEmpty ? "nothing is expected" : "a metric is missing", advice: Self.example)
        }
        do throws(SyntaxMistake) { metric = try BenchMetric(String(name)) } catch {
            throw SyntaxMistake(blanks, error.message, advice: error.advice)
        }
        let behind = rest.dropFirst(name.count)
        let gap = behind.prefix(while: \.isWhitespace).count
        let operation = behind.dropFirst(gap)
        var place = blanks + name.count + gap
        guard let comparison = Comparison.allCases.first(where: { operation.hasPrefix($0.rawValue) }) else {
            let what =
                operation.isEmpty ? "`\(name)` is compared with nothing" : "`\(operation.prefix(20))` is no comparison"
            throw SyntaxMistake(place, what, advice: "there are <, <=, >, >=, == and !=: \(Self.example)")
        }
        self.comparison = comparison
        var value = operation.dropFirst(comparison.rawValue.count)
        place += comparison.rawValue.count + value.prefix(while: \.isWhitespace).count
        value = value.drop(while: \.isWhitespace)
        while value.last?.isWhitespace == true { value.removeLast() }
        do throws(SyntaxMistake) { limit = try Self.limit(String(value), metric) } catch {
            throw SyntaxMistake(place + error.offset, error.message, advice: error.advice)
        }
        self.text = "\(name) \(comparison.rawValue) \(value)"
    }

    private static let sizes: [(unit: String, bytes: Double)] = [
        ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("kB", 1000), ("MB", 1e6), ("GB", 1e9),
    ]

    private static func limit(_ text: String, _ metric: BenchMetric) throws(SyntaxMistake) -> Limit {
        if text.isEmpty { throw SyntaxMistake(0, "`\(metric)` is compared with nothing", advice: example) }
        let limit = try amount(text)
        let fits =
            switch (metric.kind, limit) {
            case (.quantile, .time), (.least, .time), (.most, .time), (.mean, .time), (.cpu, .time), (.lateness, .time),
                (.overhead, .time), (.overhead, .number), (.overhead, .ratio), (.rps, .number), (.requests, .number),
                (.errors, .number), (.errors, .ratio), (.ok, .ratio), (.ok, .number), (.rss, .size):
                true
            default: false
            }
        if fits { return limit }
        let wanted =
            switch metric.kind {
            case .quantile, .least, .most, .mean, .cpu, .lateness: "a time: 5ms, 250us"
            case .overhead: "a time or a factor: 2ms, 1.5"
            case .rps, .requests: "a number: 10000"
            case .errors: "a number or a part: 0, 0.1%"
            case .ok: "a part: 99.9%"
            case .rss: "a size: 64MiB"
            }
        throw SyntaxMistake(0, "`\(metric)` cannot be compared with `\(text)`", advice: "give \(wanted)")
    }

    private static func amount(_ text: String) throws(SyntaxMistake) -> Limit {
        if let (unit, bytes) = sizes.first(where: { text.hasSuffix($0.unit) }),
            let number = Double(text.dropLast(unit.count).filter { $0 != " " })
        {
            return .size(number * bytes)
        }
        let tokens = try Lexer.tokens(of: text)
        guard tokens.count == 2, case .literal(let value) = tokens[0].kind else {
            let wrong = tokens.count > 2 ? tokens[1] : tokens[0]
            throw SyntaxMistake(
                wrong.offset, "\(wrong.description) is no amount", advice: "write a number with its unit: 5ms, 99.9%")
        }
        switch value {
        case .duration(let time): return .time(time)
        case .ratio(let ratio): return .ratio(ratio.fraction)
        case .number(let number): return .number(number)
        case .rate(let rate): return .number(rate.perSecond)
        default: throw SyntaxMistake(0, "`\(text)` is no amount", advice: "write a number with its unit: 5ms, 99.9%")
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A regular expression of a route, compiled once: of a path (anchored at the start) or of a header value.
///
/// Compared by Unicode scalars, as the engine of Kong does, never by grapheme clusters. Backtracks: a pattern with
/// nested repetitions can take long on a long path.
// Proof: `Regex` is not Sendable because one built from Swift closures may run code that is not. This one is parsed
// from text and holds no closure; its program is immutable, compiled lazily behind an atomic compare and exchange in
// the library, and here compiled before anyone else can see it. Matching keeps its state on the stack.
struct RoutePattern: @unchecked Sendable {
    private let expression: Regex<AnyRegexOutput>

    struct Match {
        /// Bytes of UTF-8.
        let length: Int
        let captures: [RouteCapture]
    }

    init(path pattern: String) throws {
        expression = try Regex(pattern).matchingSemantics(.unicodeScalar)
        _ = try expression.prefixMatch(in: "/")
    }

    init(headerValue pattern: String) throws {
        expression = try Regex(pattern).matchingSemantics(.unicodeScalar).ignoresCase()
        _ = try expression.firstMatch(in: "")
    }

    /// The match that begins where the text begins.
    func prefixMatch(_ text: String) -> Match? {
        guard let match = try? expression.prefixMatch(in: text) else { return nil }
        let captures = match.output.enumerated().dropFirst().compactMap { number, group in
            group.substring.map { RouteCapture(number: number, name: group.name, value: String($0)) }
        }
        return Match(length: text.utf8.distance(from: text.startIndex, to: match.range.upperBound), captures: captures)
    }

    func isFound(in text: String) -> Bool {
        (try? expression.firstMatch(in: text)) != nil
    }

    /// The bytes that every match must begin with: what the route is indexed by. May be shorter than what is true.
    static func literalPrefix(of pattern: String) -> [UInt8] {
        let bytes = Array(pattern.utf8)
        guard !mayHaveAlternatives(bytes) else { return [] }
        let marks = Set("/-_~%=&,:;@!'".utf8)
        var result: [UInt8] = []
        var place = 0
        while place < bytes.count {
            let isEscaped = bytes[place] == UInt8(ascii: "\\") && place + 1 < bytes.count
            let byte = isEscaped ? bytes[place + 1] : bytes[place]
            let isLiteral =
                isEscaped
                ? marks.contains(byte) || byte == UInt8(ascii: ".")
                : marks.contains(byte) || byte.isASCIILetter || byte.isASCIIDigit
            guard isLiteral else { break }
            result.append(byte)
            place += isEscaped ? 2 : 1
        }
        let repeats = Set("*?{".utf8)
        if place < bytes.count, repeats.contains(bytes[place]) { _ = result.popLast() }
        return result
    }

    /// Whether a `|` may stand outside of all groups: each alternative then begins in its own way. Where finding out
    /// would need a parser (a bar beside character classes, quotations, comments, options), the answer is true.
    private static func mayHaveAlternatives(_ pattern: [UInt8]) -> Bool {
        guard pattern.contains(UInt8(ascii: "|")) else { return false }
        let text = String(decoding: pattern, as: UTF8.self)
        let plainGroups = ["(?:", "(?<", "(?P<"].reduce(text) { $0.split(separator: $1).joined(separator: "(") }
        if plainGroups.contains("(?") || text.contains("[") || text.contains("\\Q") { return true }
        var depth = 0
        var isEscaped = false
        for byte in pattern {
            defer { isEscaped = !isEscaped && byte == UInt8(ascii: "\\") }
            if isEscaped { continue }
            switch byte {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: "|") where depth == 0: return true
            default: break
            }
        }
        return false
    }
}

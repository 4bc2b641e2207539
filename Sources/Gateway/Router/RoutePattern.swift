// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A regular expression of a route, compiled once: of a path (anchored at the start) or of a header value.
///
/// Compared by Unicode scalars, as the engine of Kong does, never by grapheme clusters. Backtracks: a pattern with nested
/// repetitions can take long on a long path.
struct RoutePattern: @unchecked Sendable {
    // Safe to share: `Regex` is not Sendable because one built from Swift closures may run code that is not. This one is
    // parsed from text and holds no closure; its program is immutable, compiled lazily behind an atomic compare and
    // exchange in the library, and here compiled before anyone else can see it. Matching keeps its state on the stack.
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
        // Another alternative need not begin like the first; looking for the depth of a bar is not worth the trouble.
        guard !bytes.contains(UInt8(ascii: "|")) else { return [] }
        let marks = Set("/-_~%=&,:;@!'".utf8)
        var result: [UInt8] = []
        var place = 0
        while place < bytes.count {
            let isEscaped = bytes[place] == UInt8(ascii: "\\") && place + 1 < bytes.count
            let byte = isEscaped ? bytes[place + 1] : bytes[place]
            let isLiteral =
                isEscaped
                ? marks.union([UInt8(ascii: ".")]).contains(byte)
                : marks.contains(byte) || byte.isASCIILetter || byte.isASCIIDigit
            guard isLiteral else { break }
            result.append(byte)
            place += isEscaped ? 2 : 1
        }
        let repeats = Set("*?{".utf8)
        if place < bytes.count, repeats.contains(bytes[place]) { _ = result.popLast() }
        return result
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A regular expression of a route: of a path (`~/…`), anchored at the start only, or of a header value (`~*…`).
///
/// Kong's flavour traditional_compatible compiles them with Rust's regex crate, which has no look-around and no
/// back-references; `validateRegex` refuses those, so that an expression means here what it means there. Unlike Rust's,
/// this engine backtracks: an expression with nested repetitions can take long on a long path.
package struct RouteRegex: Sendable {
    // Safe: made from text alone, so that it holds no closures; never changed; and what the engine compiles at the first
    // match it publishes atomically, and the initialiser makes that first match before anybody else sees the value.
    private nonisolated(unsafe) let regex: Regex<AnyRegexOutput>

    /// - Returns: nil when `validateRegex` objects.
    package init?(_ pattern: String, ignoresCase: Bool = false) {
        guard Self.fault(in: pattern) == nil, let regex = try? Regex(pattern) else { return nil }
        self.regex = regex.matchingSemantics(.unicodeScalar).ignoresCase(ignoresCase)
        _ = try? self.regex.prefixMatch(in: "")
    }

    /// What a match caught, by number from 1 and by name; groups that took no part are absent.
    package struct Captures: Hashable, Sendable {
        package var numbered: [Int: String] = [:]
        package var named: [String: String] = [:]
    }

    /// Matches at the start of a text, not necessarily to its end.
    ///
    /// - Returns: the length of the match in bytes of UTF-8.
    func prefixMatch(_ text: String) -> (length: Int, captures: Captures)? {
        guard let match = try? regex.prefixMatch(in: text) else { return nil }
        var captures = Captures()
        for number in 1..<max(1, match.output.count) {
            guard let value = match.output[number].substring else { continue }
            captures.numbered[number] = String(value)
            if let name = match.output[number].name { captures.named[name] = String(value) }
        }
        return (text[match.range].utf8.count, captures)
    }

    /// Whether it matches anywhere in a text.
    func occurs(in text: String) -> Bool { (try? regex.firstMatch(in: text)) != nil }

    // MARK: Validation

    /// - Returns: nil when a route may have this expression (without `~`), else one line that says what is wrong.
    package static func validateRegex(_ pattern: String) -> String? {
        if let fault = fault(in: pattern) { return fault }
        do {
            _ = try Regex(pattern)
            return nil
        } catch {
            return "invalid regex '\(pattern)': \(error)"
        }
    }

    private static func fault(in pattern: String) -> String? {
        guard let construct = ForeignConstruct.first(in: pattern) else { return nil }
        return "invalid regex '\(pattern)': \(construct.name) at character \(construct.place) is not supported; "
            + "use a pattern without it"
    }
}

/// What PCRE knows and the router's regular expressions do not.
private struct ForeignConstruct {
    var name: String
    /// Counted from 1.
    var place: Int

    private static let groups = [
        ("(?=", "look-ahead '(?='"), ("(?!", "look-ahead '(?!'"), ("(?<=", "look-behind '(?<='"),
        ("(?<!", "look-behind '(?<!'"), ("(?>", "the atomic group '(?>'"), ("(?|", "the branch reset '(?|'"),
        ("(?(", "the conditional '(?('"), ("(?#", "the comment '(?#'"), ("(?R", "the recursion '(?R'"),
        ("(?&", "the subroutine call '(?&'"), ("(?P>", "the subroutine call '(?P>'"),
        ("(?P=", "the back-reference '(?P='"), ("(*", "the verb '(*'"),
    ]

    /// Looks at escapes and groups; in a bracketed class only escapes are read.
    static func first(in pattern: String) -> ForeignConstruct? {
        let characters = Array(pattern.unicodeScalars)
        var place = 0
        var isInClass = false
        while place < characters.count {
            switch characters[place] {
            case "\\":
                let next = place + 1 < characters.count ? characters[place + 1] : " "
                if !isInClass, let name = escape(next) { return ForeignConstruct(name: name, place: place + 1) }
                place += 1
            case "[" where !isInClass:
                isInClass = true
                // A closing bracket right behind the opening one stands for itself.
                if place + 1 < characters.count, characters[place + 1] == "^" { place += 1 }
                if place + 1 < characters.count, characters[place + 1] == "]" { place += 1 }
            case "]": isInClass = false
            case "(" where !isInClass:
                let rest = characters[place...].prefix(4)
                if let group = groups.first(where: { rest.starts(with: $0.0.unicodeScalars) }) {
                    return ForeignConstruct(name: group.1, place: place + 1)
                }
            case "+"
            where !isInClass && place > 0 && "*+?}".unicodeScalars.contains(characters[place - 1])
                && !isEscaped(characters, place - 1):
                return ForeignConstruct(name: "the possessive quantifier '\(characters[place - 1])+'", place: place)
            default: break
            }
            place += 1
        }
        return nil
    }

    private static func escape(_ character: Unicode.Scalar) -> String? {
        switch character {
        case "1"..."9": "the back-reference '\\\(character)'"
        case "k", "g": "the reference '\\\(character)'"
        case "K", "G", "Q", "E", "R", "X", "C", "Z", "h", "H", "N": "'\\\(character)'"
        default: nil
        }
    }

    private static func isEscaped(_ characters: [Unicode.Scalar], _ place: Int) -> Bool {
        var backslashes = 0
        while place - backslashes > 0, characters[place - backslashes - 1] == "\\" { backslashes += 1 }
        return backslashes % 2 == 1
    }
}

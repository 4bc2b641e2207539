// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// HTML or SVG that is well-formed and escaped by construction: text comes in through `text(_:)` and attributes only,
/// so that nothing a server, a log or a scenario file says can become markup. No template, no parser.
struct Markup: Hashable, Sendable {
    private(set) var source: String

    private init(source: String) { self.source = source }

    static let empty = Markup(source: "")

    /// Text between tags.
    static func text(_ text: String) -> Markup { Markup(source: escaped(text)) }

    /// The page's own style sheet or script; never anything from outside.
    static func trusted(_ source: StaticString) -> Markup { Markup(source: source.description) }

    static func tag(
        _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], _ children: [Markup] = []
    ) -> Markup {
        var out = "<\(name)"
        for (key, value) in attributes { out += " \(key)=\"\(escaped(value))\"" }
        out += ">"
        for child in children { out += child.source }
        // Elements that may not have an end tag (HTML, "void elements").
        if ["br", "meta", "hr"].contains(name.description) { return Markup(source: out.dropLast() + "/>") }
        return Markup(source: out + "</\(name)>")
    }

    static func tag(
        _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], _ text: String
    ) -> Markup { tag(name, attributes, [.text(text)]) }

    static func + (a: Markup, b: Markup) -> Markup { Markup(source: a.source + b.source) }

    /// The five characters that mean something, and controls, which HTML does not allow, as U+FFFD.
    static func escaped(_ text: String) -> String {
        var out = ""
        out.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            case "\n", "\t": out.unicodeScalars.append(scalar)
            default: out.unicodeScalars.append(scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar)
            }
        }
        return out
    }
}

extension Double {
    /// With at most `digits` digits behind the point and no exponent: for coordinates.
    func rounded(to digits: Int) -> String {
        guard isFinite else { return "0" }
        let factor = [1.0, 10, 100, 1_000][max(0, min(3, digits))]
        let value = (self * factor).rounded() / factor
        guard abs(value) < 1e15 else { return "0" }
        return value == value.rounded() ? String(Int64(value)) : value.description
    }

    var coordinate: String { rounded(to: 1) }
}

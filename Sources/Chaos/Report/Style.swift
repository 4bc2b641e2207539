// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// How text for a person may look: colour and width. Decided once, at the edge, from the environment.
package struct Style: Hashable, Sendable {
    package enum Colour: Int, Hashable, Sendable {
        case red = 31
        case green = 32
        case yellow = 33
        case blue = 34
        case grey = 90
    }

    package var isColoured: Bool
    /// Columns that a line may take.
    package var width: Int

    package init(isColoured: Bool = false, width: Int = 100) {
        self.isColoured = isColoured
        self.width = max(40, width)
    }

    /// Colour only on a terminal that wants it: `NO_COLOR` (no-color.org), `CI` and `TERM=dumb` say no.
    ///
    /// - Parameters:
    ///   - columns: width of the terminal; nil when it is unknown or none, which gives 100.
    package static func detect(isTerminal: Bool, columns: Int?, environment: (String) -> String?) -> Style {
        let isPlain = ["NO_COLOR", "CI"].contains { !(environment($0) ?? "").isEmpty } || environment("TERM") == "dumb"
        return Style(isColoured: isTerminal && !isPlain, width: isTerminal ? columns ?? 100 : 100)
    }

    package func paint(_ text: String, _ colour: Colour?) -> String {
        guard isColoured, let colour, !text.isEmpty else { return text }
        return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
    }
}

extension String {
    /// Filled with spaces to a number of columns.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

    /// Cut to a number of columns, with `…` where something is missing.
    func clipped(to width: Int) -> String {
        count <= width ? self : width < 1 ? "" : String(prefix(width - 1)) + "…"
    }

    /// Without characters that would move a terminal's cursor: what is shown may come from a log or a server.
    var withoutControls: String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }

    var trimmingTrailingSpace: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

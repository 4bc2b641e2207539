// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Where in a text something stands. Lines and columns count from 1; a column counts characters, not bytes.
package struct SourceLocation: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    package var description: String { "\(file):\(line):\(column)" }

    package static func < (a: SourceLocation, b: SourceLocation) -> Bool {
        (a.line, a.column, a.file) < (b.line, b.column, b.file)
    }
}

/// One mistake in a document: what, where, and what to do about it.
///
/// Prints as `file:line:column: message; advice`, always on one line.
package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    package var location: SourceLocation?
    package var message: String
    package var advice: String?

    package init(at location: SourceLocation?, _ message: String, advice: String? = nil) {
        self.location = location
        self.message = message
        self.advice = advice
    }

    package var description: String {
        let text = (location.map { "\($0): " } ?? "") + message + (advice.map { "; \($0)" } ?? "")
        return Self.onOneLine(text)
    }

    /// What a person wrote may hold line breaks and other control characters; a line of output may not.
    private static func onOneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return text.unicodeScalars.reduce(into: "") { $0 += isControl($1) ? $1.escaped(asASCII: false) : String($1) }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar == "\u{2028}" || scalar == "\u{2029}"
    }
}

/// All mistakes of a document at once, in the order of the text.
package struct Problems: Error, Sendable, CustomStringConvertible {
    package var list: [Problem]

    package init(_ list: [Problem] = []) { self.list = list }

    package var isEmpty: Bool { list.isEmpty }
    package mutating func add(_ problem: Problem) { list.append(problem) }

    /// The mistakes sorted by place; those without a place come first.
    package var sorted: [Problem] {
        list.enumerated().sorted { a, b in
            switch (a.element.location, b.element.location) {
            case (let x?, let y?) where x != y: x < y
            case (nil, _?): true
            case (_?, nil): false
            default: a.offset < b.offset
            }
        }.map(\.element)
    }

    package var description: String { sorted.map(\.description).joined(separator: "\n") }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Plain text in sections and aligned columns, at most 110 characters wide.
struct Page {
    static let width = 110
    private(set) var text = ""

    mutating func line(_ text: String) { self.text += text + "\n" }

    mutating func section(_ title: String) { line("\n" + title) }

    /// Two columns; the second one is wrapped and stays in its column.
    mutating func table(_ rows: [(String, String)]) {
        let column = min(max(rows.map(\.0.count).max() ?? 0, 8), 30)
        for (head, text) in rows { row([(head, column)], text) }
    }

    /// Time (right-aligned), mark, text.
    mutating func timeline(_ rows: [(String, String, String)]) {
        let times = rows.map(\.0.count).max() ?? 0
        let marks = rows.map(\.1.count).max() ?? 0
        for (time, mark, text) in rows {
            row([(String(repeating: " ", count: times - time.count) + time, times), (mark, marks)], text)
        }
    }

    mutating func wrap(_ text: String) { row([], text) }

    private mutating func row(_ cells: [(String, Int)], _ text: String) {
        var start = " "
        for (cell, width) in cells {
            start += " " + cell + String(repeating: " ", count: max(0, width - cell.count)) + " "
        }
        let indent = cells.reduce(1) { $0 + $1.1 + 2 }
        if cells.isEmpty { start += " " }
        let lines = Self.wrapped(text, to: Self.width - max(indent, start.count))
        for (index, piece) in lines.enumerated() {
            let head = index == 0 ? start : String(repeating: " ", count: max(indent, cells.isEmpty ? 2 : 0))
            line(Self.trimmed(head + piece))
        }
    }

    private static func wrapped(_ text: String, to width: Int) -> [String] {
        var lines: [String] = []
        var current = ""
        for word in text.split(separator: " ") {
            if !current.isEmpty, current.count + 1 + word.count > width {
                lines.append(current)
                current = ""
            }
            current += (current.isEmpty ? "" : " ") + word
        }
        return lines + [current]
    }

    private static func trimmed(_ text: String) -> String {
        var text = text
        while text.last == " " { text.removeLast() }
        return text
    }
}

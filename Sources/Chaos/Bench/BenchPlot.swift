// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Draws a plot as inline SVG. Colours are classes, so that the page decides about light and dark.
struct BenchPlot {
    struct Line {
        var name: String
        /// Number of its colour, 1 to 6.
        var colour: Int
        var points: [(x: Double, y: Double)]
        var isDashed = false
    }

    static let width = 720.0
    static let height = 260.0
    private static let (left, right, top, bottom) = (64.0, 26.0, 12.0, 30.0)

    static let xRange = (start: left, end: width - right)
    static let yRange = (start: height - bottom, end: top)

    private var body = ""
    private let title: String

    /// - Parameter title: for those who cannot see it.
    init(_ title: String) { self.title = title }

    var svg: String {
        "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" aria-label=\"\(title.htmlEscaped)\">"
            + body + "</svg>"
    }

    mutating func axes(
        x: BenchAxis, _ xTicks: [(value: Double, text: String)], y: BenchAxis, yText: (Double) -> String
    ) {
        for tick in y.ticks {
            let place = Self.text(y.place(tick))
            body +=
                "<line class=\"grid\" x1=\"\(Int(Self.left))\" x2=\"\(Int(Self.width - Self.right))\" "
                + "y1=\"\(place)\" y2=\"\(place)\"/>"
            body +=
                "<text class=\"tick\" x=\"\(Int(Self.left - 6))\" y=\"\(place)\" text-anchor=\"end\" "
                + "dominant-baseline=\"middle\">\(yText(tick).htmlEscaped)</text>"
        }
        for tick in xTicks {
            let place = Self.text(x.place(tick.value))
            body +=
                "<line class=\"grid\" x1=\"\(place)\" x2=\"\(place)\" y1=\"\(Int(Self.top))\" "
                + "y2=\"\(Int(Self.height - Self.bottom))\"/>"
            body +=
                "<text class=\"tick\" x=\"\(place)\" y=\"\(Int(Self.height - Self.bottom + 16))\" "
                + "text-anchor=\"middle\">\(tick.text.htmlEscaped)</text>"
        }
    }

    mutating func line(_ line: Line, x: BenchAxis, y: BenchAxis) {
        guard !line.points.isEmpty else { return }
        let path = line.points.enumerated().map { index, point in
            "\(index == 0 ? "M" : "L")\(Self.text(x.place(point.x))) \(Self.text(y.place(point.y)))"
        }.joined()
        let dash = line.isDashed ? " dashed" : ""
        body +=
            "<path class=\"line c\(line.colour)\(dash)\" d=\"\(path)\"><title>\(line.name.htmlEscaped)</title></path>"
    }

    /// - Parameter text: what a pointer that rests on it is told.
    mutating func bar(from: Double, to: Double, height: Double, colour: Int, text: String, x: BenchAxis, y: BenchAxis) {
        let (a, b) = (x.place(from), x.place(to))
        let (top, base) = (y.place(height), y.place(0))
        body +=
            "<rect class=\"bar c\(colour)\" x=\"\(Self.text(a))\" y=\"\(Self.text(top))\" "
            + "width=\"\(Self.text(max(0.5, b - a - 0.5)))\" height=\"\(Self.text(max(0, base - top)))\">"
            + "<title>\(text.htmlEscaped)</title></rect>"
    }

    /// A moment that belongs to no line: a round that begins, a failure.
    mutating func mark(at value: Double, text: String, isFailure: Bool, x: BenchAxis) {
        let place = Self.text(x.place(value))
        if isFailure {
            body +=
                "<circle class=\"failure\" cx=\"\(place)\" cy=\"\(Int(Self.height - Self.bottom - 4))\" r=\"3.5\">"
                + "<title>\(text.htmlEscaped)</title></circle>"
        } else {
            body +=
                "<line class=\"round\" x1=\"\(place)\" x2=\"\(place)\" y1=\"\(Int(Self.top))\" "
                + "y2=\"\(Int(Self.height - Self.bottom))\"><title>\(text.htmlEscaped)</title></line>"
        }
    }

    private static func text(_ value: Double) -> String { BenchText.fixed(value, places: 1) }
}

extension String {
    /// As it may stand in HTML, between tags and in quotes.
    var htmlEscaped: String { Markup.escaped(withoutControls) }
}

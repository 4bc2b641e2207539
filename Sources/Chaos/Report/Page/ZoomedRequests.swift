// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The requests of a short stretch, a dot each: across by planned start, up by latency. Where there are too many to
/// draw, it says so and draws the first and the last of the stretch.
struct ZoomedRequests {
    static let height = 90.0
    static let maximumDots = 400

    private let report: RunReport
    private let axis: TimeAxis
    /// Where the bound that was judged lies.
    private let allowed: ClosedRange<Int64>?

    init(_ report: RunReport, axis: TimeAxis, allowed: ClosedRange<Int64>?) {
        self.report = report
        self.axis = axis
        self.allowed = allowed
    }

    func markup(top: Double) -> Markup {
        let table = report.view.requests
        let rows = table.rows(from: axis.from, through: axis.to)
        var shown = Array(rows)
        if shown.count > Self.maximumDots {
            shown = Array(rows.prefix(Self.maximumDots / 2)) + Array(rows.suffix(Self.maximumDots / 2))
        }
        let latencies = shown.compactMap { table.latency($0) }.filter { $0 > 0 }
        let scale = RunSeries.Scale(lowest: latencies.min() ?? 1_000_000, highest: latencies.max() ?? 1_000_000_000)
        var parts: [Markup] = []
        if let allowed, allowed.upperBound >= axis.from, allowed.lowerBound <= axis.to {
            let x = axis.x(allowed.lowerBound)
            parts.append(
                TimeChart.bar(
                    "allowed", x, top, max(2, axis.x(allowed.upperBound) - x), Self.height,
                    "allowed: \(readable(allowed.lowerBound))..\(readable(allowed.upperBound))"))
        }
        parts += [scale.low, scale.high].enumerated().map { index, latency in
            let y = index == 0 ? top + Self.height - 4 : top + 10
            return .tag(
                "text", ["class": "label", "x": (axis.left - 8).coordinate, "y": y.coordinate, "text-anchor": "end"],
                "\(readable(Int64(latency)))")
        }
        parts.append(dots(shown, scale, top))
        if rows.count > shown.count {
            parts.append(
                .tag(
                    "text",
                    [
                        "class": "label", "x": (axis.left + axis.width / 2).coordinate,
                        "y": (top + 12).coordinate, "text-anchor": "middle",
                    ],
                    "\(rows.count - shown.count) of \(rows.count) requests not drawn"))
        }
        return .tag("g", [:], parts)
    }

    /// The script draws the dots and says what each is, from `data-requests`. A row is load, number, method, path,
    /// answer, planned start and latency: texts as places in `data-names` (left out where they are those of the row
    /// before), number and start as the distance from the row before, times in microseconds. `data-colours` names the
    /// class of each answer.
    private func dots(_ shown: [Int], _ scale: RunSeries.Scale, _ top: Double) -> Markup {
        let table = report.view.requests
        var names = PackedNames()
        var colours: [(place: Int, colour: String)] = []
        var before: (places: [Int], number: Int, start: Int64) = ([-1, -1, -1, -1], 0, 0)
        var packed: [String] = []
        for row in shown {
            let sort = table.sortName(row)
            let texts = [table.loadName(row), table.method(row), table.path(row), sort]
            let places = texts.map { names.place(of: $0) }
            if !colours.contains(where: { $0.place == places[3] }) {
                colours.append((places[3], SortColour.name(sort)))
            }
            let shown = zip(places, before.places).map { $0 == $1 ? "" : "\($0)" }
            let (number, start) = (table.number(row), table.planned[row] / 1_000)
            let latency = table.latency(row).map { "\($0 / 1_000)" } ?? ""
            packed.append(
                "\(shown[0]),\(number - before.number),\(shown[1]),\(shown[2]),\(shown[3]),"
                    + "\(start - before.start),\(latency)")
            before = (places, number, start)
        }
        return .tag(
            "g",
            [
                "data-requests": packed.joined(separator: ";"), "data-names": names.text,
                "data-colours": colours.map { "\($0.place):\($0.colour)" }.joined(separator: ";"),
                "data-low": "\(Int64(scale.low))", "data-high": "\(Int64(scale.high))",
                "data-top": (top + 5).coordinate, "data-height": (Self.height - 10).coordinate,
            ])
    }
}

/// Texts that a drawing's data name by their places, each written once.
struct PackedNames {
    private var texts: [String] = []
    private var places: [String: Int] = [:]

    mutating func place(of text: String) -> Int {
        if let place = places[text] { return place }
        places[text] = texts.count
        texts.append(text)
        return texts.count - 1
    }

    var text: String { Self.text(texts) }

    /// A line each.
    static func text(_ texts: [String]) -> String {
        texts.map { $0.replacing("\n", with: " ") }.joined(separator: "\n")
    }
}

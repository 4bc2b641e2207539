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
        for row in shown {
            // What was never answered lies on top: it took for ever.
            let latency = table.latency(row)
            let share = latency.map { scale.share($0) } ?? 1
            let text =
                "\(table.id(row)) \(table.method(row)) \(table.path(row)) at \(readable(table.planned[row])): "
                + "\(table.sortName(row)) after \(latency.map { readable($0) } ?? "nothing")"
            parts.append(
                .tag(
                    "circle",
                    [
                        "class": SortColour.name(table.sortName(row)), "cx": axis.x(table.planned[row]).coordinate,
                        "cy": (top + 5 + (1 - share) * (Self.height - 10)).coordinate, "r": "3",
                    ],
                    [.tag("title", [:], text)]))
        }
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
}

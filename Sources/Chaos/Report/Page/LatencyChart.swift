// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Latency over time on a logarithmic scale: a heat map of all answers with the quantiles as lines over it.
struct LatencyChart {
    private let series: RunSeries
    private static let height = 180.0

    init(_ series: RunSeries) { self.series = series }

    var markup: Markup {
        let axis = series.axis
        let top = 24.0
        var parts: [Markup] = []
        for tick in axis.ticks {
            let x = axis.x(tick)
            parts.append(
                .tag(
                    "text", ["class": "tick", "x": x.coordinate, "y": "12", "text-anchor": "middle"],
                    Nanoseconds(tick).description))
            parts.append(TimeChart.line("grid", x, 17, x, top + Self.height))
        }
        for tick in series.scale.ticks {
            let y = y(tick, top)
            parts.append(TimeChart.line("grid", axis.left, y, axis.left + axis.width, y))
            parts.append(
                .tag(
                    "text",
                    [
                        "class": "label", "x": (axis.left - 8).coordinate, "y": (y + 4).coordinate,
                        "text-anchor": "end",
                    ], Nanoseconds(tick).description))
        }
        parts += heat(top)
        for (name, value) in Self.quantiles {
            parts.append(.tag("path", ["class": "quantile \(name)", "d": path(value, top)]))
        }
        return .tag(
            "div", ["class": "scroll"],
            [
                .tag(
                    "svg",
                    [
                        "class": "chart",
                        "viewBox":
                            "0 0 \((axis.left + axis.width + 10).coordinate) \((top + Self.height + 6).coordinate)",
                        "data-from": "\(axis.from)", "data-to": "\(axis.to)", "data-left": axis.left.coordinate,
                        "data-width": axis.width.coordinate, "role": "img", "aria-label": "latency over time",
                    ], parts)
            ])
    }

    static let quantiles: [(name: String, value: @Sendable (RunSeries.Slice) -> Int64?)] = [
        ("p50", { $0.p50 }), ("p90", { $0.p90 }), ("p99", { $0.p99 }), ("max", { $0.highest }),
    ]

    private func y(_ latency: Int64, _ top: Double) -> Double {
        top + Self.height * (1 - series.scale.share(latency))
    }

    private func heat(_ top: Double) -> [Markup] {
        let width = series.axis.width / Double(max(1, series.slices.count))
        let height = Self.height / Double(series.scale.steps)
        var cells: [Markup] = []
        for (index, slice) in series.slices.enumerated() {
            let most = max(1, slice.heat.max() ?? 1)
            for (step, count) in slice.heat.enumerated() where count > 0 {
                let share = Double(count) / Double(most)
                cells.append(
                    .tag(
                        "rect",
                        [
                            "class": "heat", "x": (series.axis.left + Double(index) * width).coordinate,
                            "y": (top + Self.height - Double(step + 1) * height).coordinate,
                            "width": (width + 0.2).coordinate, "height": height.coordinate,
                            "fill-opacity": (0.12 + 0.6 * share).rounded(to: 2),
                        ],
                        [
                            .tag(
                                "title", [:],
                                "\(count) answers in \(readable(series.scale.bottom(of: step))).."
                                    + readable(series.scale.bottom(of: step + 1)))
                        ]))
            }
        }
        return cells
    }

    /// Broken where nothing was answered.
    private func path(_ value: (RunSeries.Slice) -> Int64?, _ top: Double) -> String {
        let width = series.axis.width / Double(max(1, series.slices.count))
        var path = ""
        var isOpen = false
        for (index, slice) in series.slices.enumerated() {
            guard let latency = value(slice) else {
                isOpen = false
                continue
            }
            let x = series.axis.left + (Double(index) + 0.5) * width
            // A lone point would have no length and so not be seen.
            path += isOpen ? "L" : "M\((x - 1).coordinate) \(y(latency, top).coordinate)L"
            path += "\(x.coordinate) \(y(latency, top).coordinate)"
            isOpen = true
        }
        return path
    }
}

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
        parts.append(heat(top))
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

    /// Shades of the heat map; a person tells no more apart.
    private static let shades = 8

    /// Neighbours of one shade are one stretch, all stretches of a shade one path in units of the grid: a dozen bytes
    /// each. What is in a cell the script says, from `data-heat`: for each slice its lowest step, and the answers of
    /// this and the steps above it.
    private func heat(_ top: Double) -> Markup {
        let slices = series.slices
        let width = series.axis.width / Double(max(1, slices.count))
        let height = Self.height / Double(series.scale.steps)
        let most = slices.map { Double(max(1, $0.heat.max() ?? 1)) }
        func shade(_ index: Int, _ step: Int) -> Int? {
            let count = slices[index].heat[step]
            return count > 0 ? min(Self.shades - 1, Int(Double(count) / most[index] * Double(Self.shades))) : nil
        }
        var paths = [String](repeating: "", count: Self.shades)
        for step in 0..<series.scale.steps {
            var index = 0
            while index < slices.count {
                let (first, current) = (index, shade(index, step))
                repeat { index += 1 } while index < slices.count && shade(index, step) == current
                if let current { paths[current] += "M\(first) \(step)h\(index - first)v1h-\(index - first)z" }
            }
        }
        let cells = paths.enumerated().filter { !$0.element.isEmpty }.map { shade, path in
            let opacity = 0.12 + 0.6 * Double(shade + 1) / Double(Self.shades)
            return Markup.tag("path", ["class": "heat", "fill-opacity": opacity.rounded(to: 2), "d": path])
        }
        let scale = series.scale
        let bottom = (top + Self.height).coordinate
        return .tag(
            "g",
            [
                "transform": "translate(\(series.axis.left.coordinate) \(bottom)) "
                    + "scale(\(width.rounded(to: 3)) -\(height.rounded(to: 3)))",
                "shape-rendering": "crispEdges", "data-heat": slices.map(Self.packed).joined(separator: ";"),
                "data-low": "\(Int64(scale.low))", "data-high": "\(Int64(scale.high))", "data-steps": "\(scale.steps)",
                "data-top": top.coordinate, "data-height": Self.height.coordinate,
            ], cells)
    }

    private static func packed(_ slice: RunSeries.Slice) -> String {
        guard let first = slice.heat.firstIndex(where: { $0 > 0 }), let last = slice.heat.lastIndex(where: { $0 > 0 })
        else { return "" }
        return "\(first):" + slice.heat[first...last].map { "\($0)" }.joined(separator: ",")
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

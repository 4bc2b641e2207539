// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The run as one drawing over time: answers, outage windows, what each target's health was, processes that were down,
/// faults, marks. Everything that is drawn says in its tool tip what it is, exactly.
///
///     answers            ▇▇▇▇▇▇▇▇▇▇▁▇▇▇▇▇▇▇▇▇
///     503 from gateway             ▬▬▬▬▬▬▬▬▬ 14.9s
///     api:8080           ══════════▓▓▓▓▓▓▓▓▓═══════
///     errors-on                   [=====]
///     marks                       ┊┊   ┊    ┊
struct TimeChart {
    private let report: RunReport
    private let axis: TimeAxis
    private let series: RunSeries?
    private let requests: ZoomedRequests?

    private var rows: [Markup] = []
    private var y = 0.0

    private static let rowHeight = 16.0
    private static let answersHeight = 84.0

    /// The whole run, with answers as shares of slices.
    init(_ report: RunReport, series: RunSeries) {
        self.init(report, axis: series.axis, series: series, requests: nil)
    }

    /// A part of the run, with every request as a dot where there are not too many.
    init(zoom report: RunReport, axis: TimeAxis, allowed: ClosedRange<Int64>?) {
        self.init(report, axis: axis, series: nil, requests: ZoomedRequests(report, axis: axis, allowed: allowed))
    }

    private init(_ report: RunReport, axis: TimeAxis, series: RunSeries?, requests: ZoomedRequests?) {
        self.report = report
        self.axis = axis
        self.series = series
        self.requests = requests
        draw()
    }

    var markup: Markup {
        .tag(
            "div", ["class": "scroll"],
            [
                .tag(
                    "svg",
                    [
                        "class": "chart", "viewBox": "0 0 \((axis.left + axis.width + 10).coordinate) \(y.coordinate)",
                        "data-from": "\(axis.from)", "data-to": "\(axis.to)", "data-left": axis.left.coordinate,
                        "data-width": axis.width.coordinate, "role": "img", "aria-label": "\(report.name) over time",
                    ], rows)
            ])
    }

    private mutating func draw() {
        let top = drawAxis()
        if let series { drawAnswers(series) }
        if let requests {
            rows.append(requests.markup(top: y))
            y += ZoomedRequests.height + 6
        }
        drawOutages()
        drawHealth()
        drawProcesses()
        drawSteps()
        drawMarks(from: top)
    }
}

// MARK: Parts

extension TimeChart {
    private mutating func drawAxis() -> Double {
        for tick in axis.ticks {
            let x = axis.x(tick)
            rows.append(
                .tag(
                    "text", ["class": "tick", "x": x.coordinate, "y": "12", "text-anchor": "middle"],
                    Nanoseconds(tick).description))
            rows.append(Self.line("grid", x, 17, x, 22))
        }
        y = 24
        return y
    }

    private mutating func label(_ text: String, height: Double = rowHeight) {
        rows.append(
            .tag(
                "text",
                [
                    "class": "label", "x": (axis.left - 8).coordinate, "y": (y + height / 2 + 4).coordinate,
                    "text-anchor": "end",
                ],
                [.text(text.clipped(to: 26)), .tag("title", [:], text)]))
    }

    /// The bars of one sort are one path; what is in a slice the script says, from `data-slices`: its answers by sort,
    /// then median and p99 in microseconds.
    private mutating func drawAnswers(_ series: RunSeries) {
        let height = Self.answersHeight
        label("answers", height: 20)
        let busiest = max(1, series.slices.map(\.total).max() ?? 1)
        let width = axis.width / Double(max(1, series.slices.count))
        let names = series.sorts.map(\.name) + ["other"]
        var paths = [String](repeating: "", count: names.count)
        for (index, slice) in series.slices.enumerated() where slice.total > 0 {
            let x = (axis.left + Double(index) * width).coordinate
            // The height says how many requests arrived, the colours what became of them.
            let full = height * (0.25 + 0.75 * Double(slice.total) / Double(busiest))
            var bottom = y + height
            for (number, count) in slice.counts.enumerated() where count > 0 {
                let part = full * Double(count) / Double(slice.total)
                bottom -= part
                paths[number] +=
                    "M\(x) \(bottom.coordinate)h\((width + 0.3).coordinate)v\(part.coordinate)"
                    + "h-\((width + 0.3).coordinate)z"
            }
        }
        let bars = zip(names, paths).filter { !$0.1.isEmpty }.map { name, path in
            Markup.tag("path", ["class": SortColour.name(name), "d": path])
        }
        rows.append(
            .tag(
                "g",
                [
                    "data-slices": series.slices.map(Self.packed).joined(separator: ";"),
                    "data-names": PackedNames.text(names), "data-top": y.coordinate, "data-height": height.coordinate,
                ], bars))
        y += height + 8
    }

    private static func packed(_ slice: RunSeries.Slice) -> String {
        guard slice.total > 0 else { return "" }
        let counts = slice.counts.map { $0 == 0 ? "" : "\($0)" }.joined(separator: ",")
        return counts + (slice.p99.map { "/\((slice.p50 ?? 0) / 1_000)/\($0 / 1_000)" } ?? "")
    }

    private mutating func drawOutages() {
        for (sort, windows) in OutageWindow.all(of: report).prefix(6) {
            let shown = windows.filter { $0.last >= axis.from && $0.first <= axis.to }
            guard !shown.isEmpty else { continue }
            label(sort.name)
            for window in shown {
                let x = axis.x(window.first)
                let width = max(2, axis.x(window.last) - x)
                let share = (window.purity * 100).rounded(to: 1)
                let text =
                    "\(sort.name): \(readable(window.first))..\(readable(window.last)), lasted "
                    + "\(readable(window.length)), \(window.matching) requests, \(share)% pure"
                rows.append(Self.bar("window \(SortColour.name(sort.name))", x, y + 3, width, Self.rowHeight - 6, text))
                let words = readable(window.length)
                if width > Double(words.count) * 7 + 8 {
                    rows.append(
                        .tag(
                            "text",
                            [
                                "class": "inside", "x": (x + width / 2).coordinate, "y": (y + 12).coordinate,
                                "text-anchor": "middle",
                            ], words))
                }
            }
            y += Self.rowHeight
        }
    }

    private mutating func drawHealth() {
        for (name, place) in TimeLine.targets(report.view) {
            label(name)
            var state = JournalEvent.AddressState.healthy
            var from = axis.from
            var reason = "as it began"
            for event in report.view.health where event.place == place {
                if event.to != state {
                    drawState(state, from, event.at.t, name, reason)
                    (state, from) = (event.to, event.at.t)
                }
                reason = RunTables.words(event)
            }
            drawState(state, from, axis.to, name, reason)
            y += Self.rowHeight
        }
    }

    private mutating func drawState(
        _ state: JournalEvent.AddressState, _ from: Int64, _ to: Int64, _ name: String, _ reason: String
    ) {
        guard to >= axis.from, from <= axis.to else { return }
        let x = axis.x(from)
        let text =
            "\(name) \(state.rawValue), \(readable(max(axis.from, from)))..\(readable(min(axis.to, to))): \(reason)"
        rows.append(
            Self.bar("health \(SortColour.name(state))", x, y + 2, max(1, axis.x(to) - x), Self.rowHeight - 4, text))
    }

    /// Only what was down or stood still: a process that ran all the time is no news.
    private mutating func drawProcesses() {
        var nodes: [String] = []
        for event in report.view.processes where !nodes.contains(event.node) { nodes.append(event.node) }
        for node in nodes {
            var gaps: [(from: Int64, to: Int64, words: String)] = []
            var began: (at: Int64, words: String)?
            for event in report.view.processes where event.node == node && event.at.t <= report.length {
                switch event.change {
                case .exited, .paused: began = began ?? (event.at.t, JudgeContext.words(event))
                case .ready, .resumed:
                    if let start = began { gaps.append((start.at, event.at.t, start.words)) }
                    began = nil
                case .started: break
                }
            }
            if let start = began { gaps.append((start.at, axis.to, start.words)) }
            let shown = gaps.filter { $0.to >= max(0, axis.from) && $0.from <= axis.to }
            guard !shown.isEmpty else { continue }
            label("\(node) process")
            for gap in shown {
                let x = axis.x(gap.from)
                let text = "\(node) \(gap.words), \(readable(gap.from))..\(readable(gap.to))"
                rows.append(Self.bar("down", x, y + 2, max(2, axis.x(gap.to) - x), Self.rowHeight - 4, text))
            }
            y += Self.rowHeight
        }
    }

    private mutating func drawSteps() {
        let steps = report.view.steps
        for step in steps where step.phase == .started && !step.isCheckpoint {
            let end = steps.first { $0.index == step.index && $0.phase == .ended && $0.at.t >= step.at.t }?.at.t
            guard step.at.t <= axis.to, (end ?? axis.to) >= axis.from else { continue }
            label(step.name ?? step.text)
            let x = axis.x(step.at.t)
            let width = max(3, axis.x(end ?? (step.name == nil ? step.at.t : axis.to)) - x)
            let until = end.map { "..\(readable($0))" } ?? " on"
            rows.append(
                Self.bar("fault", x, y + 3, width, Self.rowHeight - 6, "\(step.text), \(readable(step.at.t))\(until)"))
            y += Self.rowHeight
        }
    }

    private mutating func drawMarks(from top: Double) {
        let marks = report.verdict.marks.filter { axis.contains($0.at.count) && $0.name != "start" && $0.name != "end" }
        guard !marks.isEmpty else {
            y += 4
            return
        }
        y += 4
        let bottom = y
        var ends: [Double] = []
        for mark in marks {
            let x = axis.x(mark.at.count)
            let words = "\(mark.name) \(readable(mark.at))"
            let width = Double(words.count) * 6.4 + 10
            // A label that would leave the drawing on the right stands on the left of its line.
            let isLeft = x + width > axis.left + axis.width + 10
            let (low, high) = isLeft ? (x - width, x) : (x, x + width)
            let line = ends.firstIndex { $0 <= low } ?? ends.count
            if line == ends.count { ends.append(high) } else { ends[line] = high }
            let height = bottom + Double(line) * 14 + 11
            rows.append(Self.line("mark", x, top, x, height))
            rows.append(
                .tag(
                    "text",
                    [
                        "class": "mark-name", "x": (isLeft ? x - 3 : x + 3).coordinate, "y": height.coordinate,
                        "text-anchor": isLeft ? "end" : "start",
                    ], words))
        }
        y = bottom + Double(ends.count) * 14 + 4
    }
}

// MARK: Shapes

extension TimeChart {
    static func line(_ name: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> Markup {
        .tag(
            "line",
            ["class": name, "x1": x1.coordinate, "y1": y1.coordinate, "x2": x2.coordinate, "y2": y2.coordinate])
    }

    static func bar(
        _ name: String, _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ text: String
    ) -> Markup {
        .tag(
            "rect",
            [
                "class": name, "x": x.coordinate, "y": y.coordinate, "width": width.coordinate,
                "height": height.coordinate, "rx": "2",
            ], [.tag("title", [:], text)])
    }
}

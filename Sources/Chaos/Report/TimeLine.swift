// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import World

/// A run as a drawing in ASCII: a column is a stretch of time, a row a sort of answer, the latency, a target, a fault.
///
///                0s        10s       20s       30s
///     200        ##########.         .##########
///     503 gateway           ##########
///     p99 23ms   ..........*.         .........
///     api        ==========~xxxxxxxxxx=========
///     errors-on            [========]
///     marks                ab         c
package struct TimeLine {
    /// Columns of time, from the start of the load (or the first event) to the end of the run.
    let from: Int64
    let to: Int64
    let columns: Int

    private let report: RunReport
    private let style: Style
    private let labelWidth: Int

    private var view: JournalView { report.view }

    package init(_ report: RunReport, style: Style) {
        self.report = report
        self.style = style
        let labels = Self.labels(report)
        labelWidth = min(26, labels.map(\.count).max() ?? 8)
        columns = max(20, min(style.width, 200) - labelWidth - 3)
        from = 0
        to = max(report.length, report.view.requests.planned.last ?? 0, 1)
    }

    /// Without a line feed at the end; empty when there is nothing to draw.
    package var text: String {
        guard !view.requests.isEmpty || !view.health.isEmpty else { return "" }
        let rows = statusRows + [latencyRow] + healthRows + stepRows + [markRow]
        return ([axis] + rows.compactMap { $0.map(render) } + legend).joined(separator: "\n")
    }

    struct Cell: Hashable {
        var character: Character
        var colour: Style.Colour?
        static let empty = Cell(character: " ", colour: nil)
    }

    struct Row {
        var label: String
        var cells: [Cell]
    }

    /// The column of an instant, clamped to the drawing.
    func column(_ time: Int64) -> Int {
        let share = Double(time - from) / Double(max(1, to - from))
        return min(columns - 1, max(0, Int(share * Double(columns))))
    }

    private func render(_ row: Row) -> String {
        var line = "  " + row.label.withoutControls.clipped(to: labelWidth).padded(to: labelWidth) + " "
        var index = 0
        let end = (row.cells.lastIndex { $0.character != " " } ?? -1) + 1
        while index < end {
            let colour = row.cells[index].colour
            var text = ""
            while index < end, row.cells[index].colour == colour {
                text.append(row.cells[index].character)
                index += 1
            }
            line += style.paint(text, colour)
        }
        return line
    }
}

// MARK: Axis

extension TimeLine {
    private static let steps: [Int64] =
        [1, 2, 5, 10, 20, 50, 100, 200, 500].map { $0 * 1_000_000 }
        + [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400].map { $0 * 1_000_000_000 }

    private var axis: String {
        let perColumn = Double(to - from) / Double(columns)
        let step = Self.steps.first { Double($0) >= perColumn * 9 } ?? Self.steps[Self.steps.count - 1]
        var line = [Character](repeating: " ", count: columns + 8)
        var time: Int64 = 0
        while time <= to {
            let at = column(time)
            for (offset, character) in Nanoseconds(time).description.enumerated() where at + offset < line.count {
                line[at + offset] = character
            }
            time += step
        }
        return ("  " + String(repeating: " ", count: labelWidth + 1) + String(line)).trimmingTrailingSpace
    }
}

// MARK: Answers

extension TimeLine {
    private static func labels(_ report: RunReport) -> [String] {
        statusSorts(report).map(\.name) + ["p99 up to 999ms"] + targets(report.view).map(\.name)
            + bars(report.view).map(\.label)
    }

    /// The most frequent sorts of answers, at most six.
    private static func statusSorts(_ report: RunReport) -> [RunStatistics.Sort] {
        report.statistics.sorts.prefix(6).sorted { $0.name < $1.name }
    }

    private var statusRows: [Row?] {
        let sorts = Self.statusSorts(report)
        var counts = [[Int]](repeating: [Int](repeating: 0, count: columns), count: sorts.count)
        var totals = [Int](repeating: 0, count: columns)
        for row in view.requests.indices where view.requests.planned[row] >= from {
            let column = column(view.requests.planned[row])
            totals[column] += 1
            let sort = view.requests.sort(row)
            if let index = sorts.firstIndex(where: { $0.number == sort }) { counts[index][column] += 1 }
        }
        return sorts.indices.map { index in
            let cells = (0..<columns).map { column in
                Cell(
                    character: Self.share(counts[index][column], of: totals[column]),
                    colour: Self.colour(sorts[index].name))
            }
            return Row(label: sorts[index].name, cells: cells)
        }
    }

    /// `#` most, `+` a quarter or more, `.` some.
    private static func share(_ count: Int, of total: Int) -> Character {
        if count == 0 { return " " }
        return count * 2 > total ? "#" : count * 4 >= total ? "+" : "."
    }

    private static func colour(_ sort: String) -> Style.Colour {
        switch sort.first {
        case "2", "3": .green
        case "4": .yellow
        default: .red
        }
    }

    /// The 99th percentile a column, on a scale of powers from 1 ms to the highest (or to 100 ms: all below is fast).
    private var latencyRow: Row? {
        var latencies = [[Int64]](repeating: [], count: columns)
        for row in view.requests.indices where view.requests.planned[row] >= from {
            if let latency = view.requests.latency(row) {
                latencies[column(view.requests.planned[row])].append(latency)
            }
        }
        let values = latencies.map { list -> Double? in
            list.isEmpty ? nil : LatencyBounds.Statistic.quantile(0.99).value(of: list.sorted())
        }
        guard let highest = values.compactMap(\.self).max() else { return nil }
        let scale: [Character] = [".", ":", "-", "=", "+", "*", "%"]
        let decades = max(100, highest / 1e6)
        let cells = values.map { value -> Cell in
            guard let value else { return .empty }
            var level = 0
            // Seven steps of equal ratio between 1 ms and the highest.
            while level < scale.count - 1, value / 1e6 > power(decades, Double(level + 1) / Double(scale.count)) {
                level += 1
            }
            return Cell(character: scale[level], colour: .blue)
        }
        return Row(label: "p99 up to \(readable(Int64(highest)))", cells: cells)
    }
}

// MARK: Targets, steps, marks

extension TimeLine {
    static func targets(_ view: JournalView) -> [(name: String, place: JournalEvent.Address)] {
        var places: [JournalEvent.Address] = []
        for event in view.health where !places.contains(event.place) { places.append(event.place) }
        for probe in view.probes where !places.contains(probe.place) { places.append(probe.place) }
        return places.map { place in
            let isAlone = places.count { $0.target == place.target } == 1
            return (isAlone ? place.target : "\(place.target) \(place.address)", place)
        }
    }

    /// The worst state in each column: `=` healthy, `~` failures counted, `+` successes counted, `x` out.
    private var healthRows: [Row?] {
        Self.targets(view).map { name, place in
            var cells = [Cell](repeating: .empty, count: columns)
            var state = JournalEvent.AddressState.healthy
            var next = 0
            let events = view.health.filter { $0.place == place }
            for column in 0..<columns {
                var worst = state
                while next < events.count, self.column(events[next].at.t) <= column {
                    state = events[next].to
                    if Self.rank(state) > Self.rank(worst) { worst = state }
                    next += 1
                }
                cells[column] = Self.cell(worst)
            }
            return Row(label: name, cells: cells)
        }
    }

    private static func rank(_ state: JournalEvent.AddressState) -> Int {
        switch state {
        case .healthy: 0
        case .mostlyHealthy: 1
        case .mostlyUnhealthy: 2
        case .unhealthy: 3
        }
    }

    private static func cell(_ state: JournalEvent.AddressState) -> Cell {
        switch state {
        case .healthy: Cell(character: "=", colour: .green)
        case .mostlyHealthy: Cell(character: "~", colour: .yellow)
        case .mostlyUnhealthy: Cell(character: "+", colour: .yellow)
        case .unhealthy: Cell(character: "x", colour: .red)
        }
    }

    private struct Bar {
        var label: String
        var from: Int64
        var to: Int64?
    }

    /// Steps that did something, in the order of time.
    private static func bars(_ view: JournalView) -> [Bar] {
        view.steps.filter { $0.phase == .started && !$0.isCheckpoint }.map { step in
            let end = view.steps.first { $0.index == step.index && $0.phase == .ended && $0.at.t >= step.at.t }
            return Bar(label: step.name ?? step.text, from: step.at.t, to: end?.at.t)
        }
    }

    private var stepRows: [Row?] {
        Self.bars(view).map { bar in
            var cells = [Cell](repeating: .empty, count: columns)
            let first = column(bar.from)
            let last = bar.to.map(column) ?? columns - 1
            for column in first...max(first, last) { cells[column] = Cell(character: "=", colour: .yellow) }
            cells[first] = Cell(character: "[", colour: .yellow)
            if bar.to != nil, last > first { cells[last] = Cell(character: "]", colour: .yellow) }
            return Row(label: bar.label, cells: cells)
        }
    }

    private static let letters = Array("abcdefghijklmnopqrstuvwxyz")

    private var shownMarks: [(letter: Character, mark: ObservedMark)] {
        let marks = report.verdict.marks.filter { $0.name != "start" && $0.name != "end" }
        return Array(zip(Self.letters, marks)).map { ($0, $1) }
    }

    private var markRow: Row? {
        guard !shownMarks.isEmpty else { return nil }
        var cells = [Cell](repeating: .empty, count: columns)
        for (letter, mark) in shownMarks {
            // Marks of one column stand beside each other as far as there is room.
            var at = column(mark.at.count)
            while at < columns - 1, cells[at].character != " " { at += 1 }
            if cells[at].character == " " { cells[at] = Cell(character: letter, colour: nil) }
        }
        return Row(label: "marks", cells: cells)
    }

    private var legend: [String] {
        let marks = shownMarks.map { "\($0.letter) \($0.mark.name) \(readable($0.mark.at))" }
        let key = [
            "answers:", "# most,", "+ a quarter,", ". some;", "targets:", "= healthy,", "~ failures counted,",
            "+ successes counted,", "x out",
        ]
        let lines = wrapped(marks.enumerated().map { $1 + ($0 + 1 < marks.count ? "," : "") }) + wrapped(key)
        return lines.map { style.paint("  " + $0, .grey) }
    }

    /// Broken between items only.
    private func wrapped(_ items: [String]) -> [String] {
        let glued = items.map { $0.split(separator: " ").joined(separator: "\u{A0}") }
        let lines = VerdictTable.wrapped(glued.joined(separator: " "), width: style.width - 2)
        return lines.map { String($0.map { $0 == "\u{A0}" ? " " : $0 }) }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// One run's part of the page: key figures, the drawings, a verdict an expectation with a zoom on its moment, tables.
struct RunPage {
    private let report: RunReport
    private let number: Int
    private let series: RunSeries

    init(_ report: RunReport, number: Int) {
        self.report = report
        self.number = number
        let end = max(report.length, report.view.requests.planned.last ?? 0, 1)
        series = RunSeries(report, axis: TimeAxis(from: 0, to: end))
    }

    var markup: Markup {
        var parts = [title, figures]
        parts += report.verdict.reasons.map { .tag("p", ["class": "reason"], $0) }
        if !report.view.requests.isEmpty || !report.view.health.isEmpty {
            parts.append(section("Time line", [legend, TimeChart(report, series: series).markup]))
        }
        if report.statistics.latency != nil {
            parts.append(section("Latency", [quantileLegend, LatencyChart(series).markup]))
        }
        if !report.verdict.verdicts.isEmpty {
            parts.append(section("Expectations", report.verdict.verdicts.map(verdict)))
        }
        parts.append(section("Details", RunTables(report).markup))
        return .tag("section", ["class": "run", "id": "run-\(number)"], parts)
    }

    private func section(_ title: String, _ content: [Markup]) -> Markup {
        .tag("div", ["class": "part"], [.tag("h3", [:], title)] + content)
    }

    private var title: Markup {
        let header = report.view.header
        let repetition = (header?.repetition ?? 1) > 1 ? ", repetition \(header?.repetition ?? 1)" : ""
        let mode = header?.isVirtual ?? false ? "virtual time" : "real time"
        return .tag(
            "div", [:],
            [
                .tag(
                    "h2", [:],
                    [
                        .tag(
                            "span", ["class": "pill \(SortColour.name(report.verdict.result))"],
                            report.verdict.result.rawValue),
                        .text(" \(report.name)"),
                    ]),
                .tag(
                    "p", ["class": "quiet"],
                    "seed \(report.seed)\(repetition), \(mode), \(header?.host ?? ""), \(header?.file ?? "")"),
                .tag("p", [:], [.tag("code", [:], report.verdict.reproduce)]),
            ])
    }

    private var figures: Markup {
        let statistics = report.statistics
        let share = Double(statistics.good) / Double(max(1, statistics.requests)) * 100
        let outages = OutageWindow.all(of: report).flatMap(\.windows)
        var cells: [(String, String)] = [
            ("\(report.count(.pass)) of \(report.verdict.verdicts.count)", "expectations hold"),
            ("\(statistics.requests)", "requests in \(readable(report.length))"),
            (share.rounded(to: 2) + "%", "answered well"),
        ]
        if let latency = statistics.latency {
            cells += [(readable(latency.p50), "p50"), (readable(latency.p99), "p99"), (readable(latency.max), "max")]
        }
        if let longest = outages.max(by: { $0.length < $1.length }) {
            cells.append((readable(longest.length), "longest window, \(longest.sort)"))
        }
        return .tag(
            "div", ["class": "figures"],
            cells.map { value, words in
                .tag("div", [:], [.tag("b", [:], value), .tag("span", [:], words)])
            })
    }

    private var legend: Markup {
        let sorts = series.sorts.map { ($0.name, SortColour.name($0.name)) }
        let states = JournalEvent.AddressState.allCases.map {
            ($0.rawValue.replacing("_", with: " "), SortColour.name($0))
        }
        return legend(sorts) + (report.view.health.isEmpty ? .empty : legend(states.map { ($0.0, "health \($0.1)") }))
    }

    private var quantileLegend: Markup {
        legend(LatencyChart.quantiles.map { ($0.name, "quantile-swatch \($0.name)") } + [("answers", "heat")])
    }

    private func legend(_ items: [(name: String, colour: String)]) -> Markup {
        .tag(
            "p", ["class": "legend"],
            items.map { name, colour in
                .tag("span", [:], [.tag("i", ["class": "swatch \(colour)"]), .text(name)])
            })
    }
}

// MARK: Verdicts

extension RunPage {
    private func verdict(_ verdict: Verdict) -> Markup {
        let note = verdict.severity == .should ? " (should)" : ""
        var body: [Markup] = [.tag("p", [:], verdict.explanation)]
        if let why = verdict.why { body.append(.tag("p", ["class": "why"], "Why it matters: \(why)")) }
        if let location = verdict.location {
            body.append(.tag("p", ["class": "quiet"], "\(verdict.kind) at \(location.file):\(location.line)\(note)"))
        }
        if let chart = zoom(verdict) { body.append(chart) }
        let summary = Markup.tag(
            "summary", [:],
            [
                .tag("span", ["class": "symbol \(SortColour.name(verdict.result))"], VerdictTable.symbol(verdict)),
                .tag("b", [:], verdict.id), .tag("span", ["class": "seen"], verdict.seen),
                .tag("span", ["class": "allowed"], verdict.allowed),
            ])
        let id = "run-\(number)-\(verdict.id)"
        guard verdict.result != .pass else { return .tag("details", ["class": "verdict", "id": id], [summary] + body) }
        return .tag("details", ["class": "verdict", "id": id, "open": ""], [summary] + body)
    }

    /// The moment that decided, with as much again around it.
    private func zoom(_ verdict: Verdict) -> Markup? {
        guard let focus = verdict.focus, !report.view.requests.isEmpty else { return nil }
        let length = focus.range.upperBound.clampedSubtracting(focus.range.lowerBound)
        let margin = max(250_000_000, length / 4)
        let from = focus.range.lowerBound.clampedSubtracting(margin)
        let to = focus.range.upperBound.clampedAdding(margin)
        // Most of the run is what the large drawing shows already.
        guard to.clampedSubtracting(from) < series.axis.to / 10 * 9 else { return nil }
        return TimeChart(zoom: report, axis: TimeAxis(from: from, to: to), allowed: focus.allowed).markup
    }
}

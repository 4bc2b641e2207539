// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A suite's results as one self-contained HTML file: no network, no font, no script from elsewhere; light and dark;
/// wide drawings scroll by themselves on a phone. Made from the journal alone, like every report.
package struct HTMLReport {
    private let reports: [RunReport]

    package init(_ reports: [RunReport]) { self.reports = reports }

    package var text: String { "<!DOCTYPE html>\n" + page.source + "\n" }

    private var page: Markup {
        let result = RunResult.worst(reports.map(\.verdict.result))
        let passed = reports.count { $0.verdict.result == .pass }
        let title = "gatecrash: \(result.rawValue), \(passed) of \(reports.count) runs passed"
        return .tag(
            "html", ["lang": "en"],
            [
                .tag(
                    "head", [:],
                    [
                        .tag("meta", ["charset": "utf-8"]),
                        .tag("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
                        // Nothing may be fetched, whatever is in the page.
                        .tag("meta", ["http-equiv": "Content-Security-Policy", "content": PageStyle.policy]),
                        .tag("title", [:], title),
                        .tag("style", [:], [.trusted(PageStyle.sheet)]),
                    ]),
                .tag(
                    "body", [:],
                    [
                        .tag(
                            "header", [:],
                            [
                                .tag("h1", [:], [pill(SortColour.name(result), result.rawValue), .text(" gatecrash")]),
                                .tag("p", [:], "\(passed) of \(reports.count) runs passed"),
                                .tag("button", ["id": "theme", "type": "button", "title": "light or dark"], "◐"),
                            ]),
                        .tag("main", [:], [overview] + reports.enumerated().map { RunPage($1, number: $0).markup }),
                        .tag("script", [:], [.trusted(PageStyle.script)]),
                    ]),
            ])
    }

    private func pill(_ name: String, _ text: String) -> Markup { .tag("span", ["class": "pill \(name)"], text) }

    /// A line a run, when there are several.
    private var overview: Markup {
        guard reports.count > 1 else { return .empty }
        let rows = reports.enumerated().map { number, report in
            Markup.tag(
                "tr", [:],
                [
                    .tag("td", [:], [pill(SortColour.name(report.verdict.result), report.verdict.result.rawValue)]),
                    .tag("td", [:], [.tag("a", ["href": "#run-\(number)"], report.name)]),
                    .tag("td", [:], "\(report.seed)"),
                    .tag("td", [:], "\(report.count(.pass)) of \(report.verdict.verdicts.count)"),
                    .tag("td", [:], "\(report.statistics.requests)"),
                    .tag("td", [:], report.statistics.latency.map { readable($0.p99) } ?? ""),
                ])
        }
        let columns = ["", "run", "seed", "hold", "requests", "p99"]
        let head = Markup.tag("tr", [:], columns.map { .tag("th", [:], $0) })
        return .tag(
            "section", ["class": "overview"],
            [
                .tag(
                    "div", ["class": "scroll"],
                    [
                        .tag("table", [:], [.tag("thead", [:], [head]), .tag("tbody", [:], rows)])
                    ])
            ])
    }
}

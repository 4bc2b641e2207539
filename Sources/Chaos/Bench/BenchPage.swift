// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A bench's result as one HTML file that asks the network for nothing: tables, the spectrum of percentiles,
/// histograms, rate and latency over time. Light and dark follow the reader's system.
package struct BenchPage {
    private let result: BenchResult
    private let program: String
    private let host: String
    private let plots: BenchPlots

    package init(_ result: BenchResult, program: String, host: String) {
        self.result = result
        self.program = program
        self.host = host
        plots = BenchPlots(result)
    }

    package var text: String {
        let word = BenchDocument.word(result.exitCode)
        let summary = BenchSummary(result: result)
        var body = "<h1>Bench <span class=\"badge \(result.exitCode == 0 ? "good" : "bad")\">\(word)</span></h1>"
        body += paragraph("\(result.plan.description), seed \(result.plan.seed).")
        body += paragraph("gatecrash \(program) on \(host).", style: "quiet")
        for complaint in BenchReport(result, style: Style()).complaints { body += paragraph(complaint, style: "alarm") }
        if !result.subjects.isEmpty {
            body += section("Latency and throughput", table(summary.latencies) + key)
            if let overhead = summary.overhead { body += paragraph(overhead) }
            body += remarks(summary.remarks)
            if !summary.costs.rows.isEmpty { body += section("What it cost", table(summary.costs)) }
        }
        body += expectations
        if let baseline = summary.baseline {
            body += section("Against \(result.baseline?.file ?? "the baseline")", table(baseline))
            body += remarks(summary.baselineRemarks)
        }
        body += plots.html
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <title>Bench: \(word)</title>
            <style>\(Self.style)</style>
            </head>
            <body>
            <main>
            \(body)
            </main>
            </body>
            </html>

            """
    }

    private var key: String {
        guard result.subjects.contains(where: { $0.total.recorder.tellsSendsApart }) else { return "" }
        return paragraph(
            "Latency counts from the planned start of each request, so that a request that had to wait is not left out "
                + "of what a user would have felt; from the real send it is what the server alone took.",
            style: "quiet")
    }

    private var expectations: String {
        guard !result.verdicts.isEmpty else { return "" }
        let rows = result.verdicts.map { verdict in
            let badge = "<span class=\"badge \(verdict.holds ? "good\">pass" : "bad\">fail")</span>"
            return "<tr><td>\(verdict.text.htmlEscaped)</td><td>\(verdict.seen.htmlEscaped)</td><td>\(badge)</td></tr>"
        }
        return section(
            "Expectations",
            "<div class=\"scroll\"><table><thead><tr><th>expected</th><th>was</th><th></th></tr></thead><tbody>"
                + rows.joined() + "</tbody></table></div>")
    }

    private func section(_ title: String, _ content: String) -> String {
        "<h2>\(title.htmlEscaped)</h2>\(content)\n"
    }

    private func paragraph(_ text: String, style: String = "") -> String {
        "<p\(style.isEmpty ? "" : " class=\"\(style)\"")>\(text.htmlEscaped)</p>\n"
    }

    private func remarks(_ lines: [String]) -> String { lines.map { paragraph($0, style: "quiet") }.joined() }

    private func table(_ table: BenchTable) -> String {
        func row(_ cells: [String], _ tag: String) -> String {
            "<tr>" + cells.map { "<\(tag)>\($0.htmlEscaped)</\(tag)>" }.joined() + "</tr>"
        }
        return "<div class=\"scroll\"><table><thead>\(row(table.heading, "th"))</thead><tbody>"
            + table.rows.map { row($0, "td") }.joined() + "</tbody></table></div>\n"
    }

    private static let style = """
        :root{color-scheme:light dark;--back:#fff;--text:#1c1e21;--quiet:#60666e;--rule:#e3e6ea;
        --good:#1a7f37;--bad:#c62828;
        --c1:#2f6fde;--c2:#d9680b;--c3:#1a8f5a;--c4:#9b3fc2;--c5:#b58900;--c6:#c2185b}
        @media (prefers-color-scheme:dark){:root{--back:#14171a;--text:#e4e7eb;--quiet:#98a1ab;--rule:#2b3138;
        --good:#4cc26b;--bad:#ff6b61;--c1:#6ea4ff;--c2:#ffa04d;--c3:#4fd09a;--c4:#cf8cf0;--c5:#e0c050;--c6:#ff7eb0}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--back);color:var(--text);font:15px/1.5 system-ui,sans-serif}
        main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 4rem}
        h1{font-size:1.6rem;margin:0 0 .5rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.4rem 0}
        .quiet{color:var(--quiet)}.alarm{color:var(--bad);font-weight:600}
        .badge{font-size:.8em;padding:.05em .5em;border-radius:.4em;color:#fff}
        .good{background:var(--good)}.bad{background:var(--bad)}
        .scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;white-space:nowrap}
        th,td{padding:.25rem .8rem .25rem 0;text-align:right;border-bottom:1px solid var(--rule)}
        th{color:var(--quiet);font-weight:500}th:first-child,td:first-child{text-align:left;white-space:pre}
        figure{margin:1rem 0}figcaption{color:var(--quiet);font-size:.9rem}
        svg{width:100%;height:auto;display:block}
        .grid{stroke:var(--rule)}.round{stroke:var(--quiet);stroke-dasharray:2 3}.tick{fill:var(--quiet);font-size:11px}
        .line{fill:none;stroke-width:1.6;stroke-linejoin:round}.dashed{stroke-dasharray:5 3}
        .failure{fill:var(--bad)}
        .line.c1{stroke:var(--c1)}.line.c2{stroke:var(--c2)}.line.c3{stroke:var(--c3)}.line.c4{stroke:var(--c4)}
        .line.c5{stroke:var(--c5)}.line.c6{stroke:var(--c6)}
        .bar.c1{fill:var(--c1)}.bar.c2{fill:var(--c2)}.bar.c3{fill:var(--c3)}.bar.c4{fill:var(--c4)}
        .bar.c5{fill:var(--c5)}
        .bar.c6{fill:var(--c6)}
        .key i{display:inline-block;width:1.1em;height:.25em;border-radius:2px;vertical-align:middle;
        margin:0 .4em 0 1em}
        .k1{background:var(--c1)}.k2{background:var(--c2)}.k3{background:var(--c3)}.k4{background:var(--c4)}
        .k5{background:var(--c5)}.k6{background:var(--c6)}
        """
}

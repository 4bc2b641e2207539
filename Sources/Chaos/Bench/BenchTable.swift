// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Rows of text under a heading: for a terminal and for Markdown.
struct BenchTable {
    var heading: [String]
    var rows: [[String]] = []

    /// Columns are as wide as they need be; the first stands left, the others right.
    func plain(indent: Int = 2) -> [String] {
        let all = [heading] + rows
        let widths = heading.indices.map { column in all.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return all.map { row in
            let cells = row.enumerated().map { column, text in
                let space = String(repeating: " ", count: widths[column] - text.count)
                return column == 0 ? text + space : space + text
            }
            return (String(repeating: " ", count: indent) + cells.joined(separator: "  ")).trimmingTrailingSpace
        }
    }

    var markdown: [String] {
        let line = { (cells: [String]) in "| " + cells.map(Self.escaped).joined(separator: " | ") + " |" }
        let rule = "|" + heading.indices.map { $0 == 0 ? " :--- " : " ---: " }.joined(separator: "|") + "|"
        return [line(heading), rule] + rows.map(line)
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("\n", with: " ")
    }
}

/// The tables and sentences of a result, whatever they are written for.
struct BenchSummary {
    let result: BenchResult

    /// Latencies and rates. An open loop has two rows each: from the planned start, and from the real send.
    var latencies: BenchTable {
        let quantiles = BenchFigures.shown
        var table = BenchTable(
            heading: ["", "requests", "req/s"] + quantiles.map(BenchText.quantile) + ["max", "ok"])
        for subject in result.subjects {
            let figures = result.figures(of: subject)
            table.rows.append(
                [subject.name, BenchText.count(figures.requests), BenchText.rate(figures.rps)]
                    + Self.cells(figures.latency) + [figures.requests > 0 ? BenchText.percent(figures.okPart) : "-"])
            if let sent = figures.sentLatency {
                table.rows.append(["  from the real send", "", ""] + Self.cells(sent) + [""])
            }
            if let lateness = figures.lateness {
                table.rows.append(["  generator's lateness", "", ""] + Self.cells(lateness) + [""])
            }
        }
        return table
    }

    private static func cells(_ latency: BenchFigures.Latency) -> [String] {
        guard latency.count > 0 else { return [String](repeating: "-", count: BenchFigures.shown.count + 1) }
        return BenchFigures.shown.map { BenchText.time(latency.quantile($0)) } + [BenchText.time(latency.max)]
    }

    /// Processor time a request and resident memory of every process.
    var costs: BenchTable {
        var table = BenchTable(heading: ["", "process", "CPU/request", "RSS"])
        for subject in result.subjects {
            for (index, cost) in result.figures(of: subject).costs.enumerated() {
                table.rows.append([
                    index == 0 ? subject.name : "", cost.name, cost.processor.map { BenchText.time($0) } ?? "-",
                    BenchText.size(Double(cost.resident)),
                ])
            }
        }
        return table
    }

    /// `gateway: 12 of 5,000 requests failed: connect refused x 10, reset x 2`, also what waited and was given up.
    var remarks: [String] {
        result.subjects.flatMap { subject -> [String] in
            let recorder = subject.total.recorder
            var lines: [String] = []
            if recorder.errors > 0 {
                let kinds = recorder.failureCounts.map { "\($0.kind.words) x \(BenchText.count($0.count))" }
                let statuses = recorder.statusCounts.filter { $0.status >= 400 || $0.status == 0 }.map {
                    "\($0.status) x \(BenchText.count($0.count))"
                }
                let which = statuses.isEmpty ? "" : " (status \(statuses.joined(separator: ", ")))"
                lines.append(
                    "\(subject.name): \(BenchText.count(recorder.errors)) of \(BenchText.count(recorder.requests)) "
                        + "requests failed: \(kinds.joined(separator: ", "))\(which)")
            }
            if recorder.queued > 0 {
                lines.append(
                    "\(subject.name): \(BenchText.count(recorder.queued)) requests waited for one of the "
                        + "\(result.plan.connections) connections; the wait counts")
            }
            if recorder.abandoned > 0 {
                lines.append("\(subject.name): \(recorder.abandoned) requests under way were given up")
            }
            return lines
        }
    }

    /// `overhead of gateway over direct, 5 rounds: p50 x2.05 (1.98..2.11), +0.83ms; …`
    var overhead: String? {
        guard let first = result.subjects.first, let last = result.subjects.last, result.subjects.count > 1,
            let p50 = result.overhead(.quantile(50)), let p99 = result.overhead(.quantile(99)),
            let rps = result.overhead(.rps)
        else { return nil }
        func text(_ name: String, _ overhead: BenchResult.Overhead) -> String {
            "\(name) \(Self.spread(overhead.factor)), "
                + (overhead.difference.median < 0 ? "" : "+") + BenchText.time(overhead.difference.median)
        }
        let rounds = p50.rounds == 1 ? "1 round" : "\(p50.rounds) rounds"
        return "overhead of \(last.name) over \(first.name), \(rounds): \(text("p50", p50)); \(text("p99", p99)); "
            + "req/s \(Self.spread(rps.factor))"
    }

    private static func spread(_ spread: Spread) -> String {
        let middle = BenchText.factor(spread.median)
        if spread.least == spread.most { return middle }
        return "\(middle) (\(BenchText.digits(spread.least))..\(BenchText.digits(spread.most)))"
    }

    /// Every figure against the baseline's.
    var baseline: BenchTable? {
        guard let baseline = result.baseline else { return nil }
        var table = BenchTable(heading: ["", "metric", "before", "now", "change", "p", ""])
        for row in baseline.rows {
            let isTime = row.metric != "rps"
            func text(_ value: Double) -> String { isTime ? BenchText.time(value) : BenchText.rate(value) }
            table.rows.append([
                row.subject, row.metric, text(row.before.median), text(row.now.median), BenchText.change(row.change),
                BenchText.fixed(row.test.probability, places: 3), row.verdict.rawValue,
            ])
        }
        return table
    }

    /// What the ranks can and cannot tell.
    var baselineRemarks: [String] {
        guard let baseline = result.baseline else { return [] }
        var lines: [String] = []
        if let row = baseline.rows.first(where: { $0.verdict == .tooFew }) {
            lines.append(
                "\(baseline.rounds.before) rounds against \(baseline.rounds.now) cannot tell: the smallest p they can "
                    + "give is \(BenchText.fixed(row.test.least, places: 3)), above \(BenchBaseline.level); use 4 "
                    + "rounds or more on both sides")
        }
        if !baseline.unmatched.isEmpty {
            lines.append("not on both sides: \(baseline.unmatched.joined(separator: ", "))")
        }
        return lines
    }
}

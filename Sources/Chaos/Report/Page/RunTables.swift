// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The tables of a run's page: answers, requests worth a look, retries, probes, health changes, processes, notes. Each
/// shows at most `maximumRows` and says how many more there are.
struct RunTables {
    static let maximumRows = 100

    private let report: RunReport
    private var view: JournalView { report.view }

    init(_ report: RunReport) { self.report = report }

    var markup: [Markup] {
        [answers, health, probes, retries, worst, slowest, processes, notes].compactMap(\.self)
    }

    /// `HTTP failure 3 of 3, passive`
    static func words(_ event: JournalEvent.Health) -> String {
        let limit = event.limit.map { " of \($0)" } ?? ""
        let status = event.status.map { " (status \($0))" } ?? ""
        let cause = event.report.map { "\($0.words) \(event.counters[$0])\(limit)\(status), " } ?? ""
        return cause + event.cause.rawValue
    }

    private struct Row {
        var cells: [String]
        /// The class of the first cell's swatch.
        var colour: String?
        init(_ cells: [String], colour: String? = nil) {
            self.cells = cells
            self.colour = colour
        }
    }

    /// Nil without rows. `total` counts also those that are not here.
    private func table(_ name: String, _ columns: [String], _ rows: [Row], total: Int? = nil) -> Markup? {
        guard !rows.isEmpty else { return nil }
        let total = total ?? rows.count
        let shown = rows.prefix(Self.maximumRows)
        let head = Markup.tag("tr", [:], columns.map { .tag("th", [:], $0) })
        let body = shown.map { row in
            Markup.tag(
                "tr", [:],
                row.cells.enumerated().map { index, cell in
                    guard index == 0, let colour = row.colour else { return .tag("td", [:], cell) }
                    return .tag("td", [:], [.tag("i", ["class": "swatch \(colour)"]), .text(cell)])
                })
        }
        let more = shown.count < total ? ", the first \(shown.count)" : ""
        return .tag(
            "details", ["class": "table"],
            [
                .tag("summary", [:], [.text(name), .tag("span", ["class": "count"], "\(total)\(more)")]),
                .tag(
                    "div", ["class": "scroll"],
                    [.tag("table", [:], [.tag("thead", [:], [head]), .tag("tbody", [:], body)])]),
            ])
    }

    // MARK: Requests

    private var answers: Markup? {
        let total = max(1, report.statistics.requests)
        let rows = report.statistics.sorts.map { sort in
            let share = (Double(sort.count) / Double(total) * 100).rounded(to: 2)
            return Row([sort.name, "\(sort.count)", "\(share)%"], colour: SortColour.name(sort.name))
        }
        return table("Answers", ["answer", "requests", "share"], rows)
    }

    private static let requestColumns = ["request", "method", "path", "planned", "answer", "latency", "upstream tries"]

    private func request(_ row: Int) -> Row {
        let requests = view.requests
        let tries = view.served.rows(ofRequest: row).map { "\(view.served.node($0)) \(view.served.status($0))" }
        return Row(
            [
                requests.id(row), requests.method(row), requests.path(row), readable(requests.planned[row]),
                requests.sortName(row), requests.latency(row).map { readable($0) } ?? "none",
                tries.joined(separator: ", "),
            ], colour: SortColour.name(requests.sortName(row)))
    }

    /// What was not answered well, in the order of time.
    private var worst: Markup? {
        let requests = view.requests
        var rows: [Row] = []
        var total = 0
        for row in requests.indices where requests.outcome(row) != .ok {
            total += 1
            if rows.count < Self.maximumRows { rows.append(request(row)) }
        }
        return table("Failed requests", Self.requestColumns, rows, total: total)
    }

    private var slowest: Markup? {
        let requests = view.requests
        var slowest: [(latency: Int64, row: Int)] = []
        for row in requests.indices {
            guard let latency = requests.latency(row) else { continue }
            if slowest.count == 20, latency <= slowest[19].latency { continue }
            let place = slowest.firstIndex { $0.latency < latency } ?? slowest.count
            slowest.insert((latency, row), at: place)
            if slowest.count > 20 { slowest.removeLast() }
        }
        return table("Slowest requests", Self.requestColumns, slowest.map { request($0.row) })
    }

    /// Requests that the gateway tried more than once, as far as mocks and passive reports tell.
    private var retries: Markup? {
        var tries: [String: [JournalEvent.Attempt]] = [:]
        for attempt in view.attempts {
            if let id = attempt.chaosID { tries[id, default: []].append(attempt) }
        }
        let requests = view.requests
        var rows: [Row] = []
        var total = 0
        for row in requests.indices {
            let served = view.served.rows(ofRequest: row)
            let failed = (tries[requests.id(row)] ?? []).filter { $0.result != .httpStatus }
            guard served.count + failed.count > 1 else { continue }
            total += 1
            guard rows.count < Self.maximumRows else { continue }
            let parts =
                failed.map { (at: $0.at.t, text: "\($0.place.target) \($0.result.rawValue)") }
                + served.map { (at: view.served.times[$0], text: "\(view.served.node($0)) \(view.served.status($0))") }
            let story = parts.sorted { $0.at < $1.at }.map { "\($0.text) at \(readable($0.at))" }
            rows.append(
                Row(
                    [requests.id(row), "\(parts.count)", story.joined(separator: ", "), requests.sortName(row)],
                    colour: SortColour.name(requests.sortName(row))))
        }
        return table("Retried requests", ["request", "tries", "where", "answer"], rows, total: total)
    }

    // MARK: Health

    private var health: Markup? {
        let rows = view.health.map { event in
            Row(
                [
                    readable(event.at.t), event.place.target, event.from.rawValue, event.to.rawValue,
                    Self.words(event),
                ], colour: SortColour.name(event.to))
        }
        return table("Health changes and counters", ["at", "target", "from", "to", "because"], rows)
    }

    private var probes: Markup? {
        let rows = view.probes.map { probe in
            Row(
                [
                    readable(probe.at.t), probe.place.target, probe.place.address, probe.result.rawValue,
                    probe.status.map { "\($0)" } ?? "", readable(probe.at.t.clampedSubtracting(probe.started)),
                    probe.detail ?? "",
                ], colour: probe.result == .success ? "s2" : probe.result == .ignored ? "s4" : "s500")
        }
        return table("Probes", ["at", "target", "address", "result", "status", "took", "detail"], rows)
    }

    private var processes: Markup? {
        let rows = view.processes.map { event in
            Row([readable(event.at.t), event.node, JudgeContext.words(event), event.isExpected ? "as asked" : ""])
        }
        return table("Processes", ["at", "node", "what", ""], rows)
    }

    private var notes: Markup? {
        let notes = view.notes.map { (at: $0.at.t, row: Row([readable($0.at.t), "runner", $0.text])) }
        let logs = view.logs.map { (at: $0.at.t, row: Row([readable($0.at.t), $0.node, $0.text])) }
        let all = (notes + logs).sorted { $0.at < $1.at }
        return table("Notes and logs", ["at", "who", "what"], all.map(\.row))
    }
}

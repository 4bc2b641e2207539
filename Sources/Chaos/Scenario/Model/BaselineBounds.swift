// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// How much a run may differ from earlier runs of the same scenario: `baseline: ./base.json, latency.p99: "<= +10%"`.
package struct BaselineBounds: Hashable, Sendable {
    /// What is compared; the key in the scenario file.
    package enum Figure: String, Hashable, Sendable, CaseIterable {
        case p50 = "latency.p50"
        case p99 = "latency.p99"
        case p999 = "latency.p99.9"
        case maximum = "latency.max"
        /// Successes a second.
        case rate
        /// The part of all requests that succeeded.
        case ok
    }

    package struct Entry: Hashable, Sendable {
        package var figure: Figure
        /// What it was in each of the earlier runs: nanoseconds, a second, a part. Never empty.
        package let values: [Double]
        package let before: Spread
        /// As parts of the old median: 0.1 for `+10%`.
        package var least: Double?
        package var most: Double?

        /// Nil without values.
        package init?(figure: Figure, values: [Double], least: Double?, most: Double?) {
            guard let before = Spread(values) else { return nil }
            self.figure = figure
            self.values = values
            self.before = before
            self.least = least
            self.most = most
        }

        /// How many earlier runs there are.
        package var runs: Int { values.count }

        /// `<= +10%`
        package var text: String {
            let bounds = [least.map { ">= \(Self.percent($0))" }, most.map { "<= \(Self.percent($0))" }]
            return bounds.compactMap(\.self).joined(separator: ", ")
        }

        private static func percent(_ part: Double) -> String {
            (part < 0 ? "" : "+") + Ratio(part).description
        }
    }

    /// As the scenario names it.
    package var file: String
    /// Never empty.
    package var entries: [Entry]
}

/// The figures of earlier runs, from the JSON that `gatecrash run --json` wrote.
struct RunBaseline {
    private let runs: [[BaselineBounds.Figure: Double]]

    /// - Parameters:
    ///   - scenario: whose runs count.
    ///   - cell: the axes of the matrix with their values, as the file has them; other cells do not count.
    /// - Throws: why there is nothing to compare with.
    init(parsing text: String, file: String, scenario: String, cell: [String: String]) throws(Problem) {
        let advice = "name a file that `gatecrash run --json` wrote"
        let json: JSONValue
        do throws(Problem) { json = try JSONValue(parsing: text.utf8) } catch {
            throw Problem(at: nil, "\(file): \(error.message)", advice: advice)
        }
        guard let runs = json["runs"]?.arrayValue else {
            throw Problem(at: nil, "\(file): it has no runs", advice: advice)
        }
        let same = runs.filter { run in
            let axes = run["cell"]?.objectValue ?? [:]
            return run["scenario"]?.stringValue == scenario && axes.count == cell.count
                && axes.allSatisfy { cell[$0.key] == $0.value.stringValue }
        }
        self.runs = same.map(Self.figures).filter { !$0.isEmpty }
        if self.runs.isEmpty {
            let what =
                cell.isEmpty
                ? "" : " [\(cell.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", "))]"
            throw Problem(at: nil, "\(file): it has no run of `\(scenario)`\(what)", advice: advice)
        }
    }

    private static func figures(_ run: JSONValue) -> [BaselineBounds.Figure: Double] {
        guard let requests = run["requests"], let total = requests["total"]?.doubleValue,
            let ok = requests["ok"]?.doubleValue, let length = run["length_ns"]?.doubleValue
        else { return [:] }
        var figures: [BaselineBounds.Figure: Double] = [:]
        if let latency = requests["latency_ns"] {
            figures[.p50] = latency["p50"]?.doubleValue
            figures[.p99] = latency["p99"]?.doubleValue
            figures[.p999] = latency["p999"]?.doubleValue
            figures[.maximum] = latency["max"]?.doubleValue
        }
        if length > 0 { figures[.rate] = ok / length * 1e9 }
        if total > 0 { figures[.ok] = ok / total }
        return figures
    }

    /// One of each run that has the figure.
    func values(of figure: BaselineBounds.Figure) -> [Double] { runs.compactMap { $0[figure] } }
}

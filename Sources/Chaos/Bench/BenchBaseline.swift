// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// The rounds of an earlier bench, as its JSON file has them, and how a new one compares: figure by figure, round
/// against round, by a rank test.
package struct BenchBaseline: Hashable, Sendable {
    struct Metric: Hashable, Sendable {
        var name: String
        var kind: BenchMetric.Kind
        var isMoreBetter: Bool
    }

    /// What is compared.
    static let metrics = [
        Metric(name: "rps", kind: .rps, isMoreBetter: true),
        Metric(name: "p50", kind: .quantile(50), isMoreBetter: false),
        Metric(name: "p99", kind: .quantile(99), isMoreBetter: false),
        Metric(name: "cpu", kind: .cpu, isMoreBetter: false),
    ]

    /// A difference that comes by chance less often than this is one.
    package static let level = 0.05

    package struct Row: Hashable, Sendable {
        package var subject: String
        package var metric: String
        package var before: Spread
        package var now: Spread
        /// Of the median, as a part of the old one.
        package var change: Double
        package var test: RankTest
        package var verdict: Verdict
    }

    package enum Verdict: String, Hashable, Sendable {
        case worse, better, same
        case tooFew = "too few rounds to tell"
    }

    package struct Comparison: Hashable, Sendable {
        package var file: String
        package var rows: [Row]
        /// Subjects of the baseline that were not measured now, and the other way round.
        package var unmatched: [String]
        package var rounds: (before: Int, now: Int)

        package var regressions: [Row] { rows.filter { $0.verdict == .worse } }

        package static func == (a: Comparison, b: Comparison) -> Bool {
            a.file == b.file && a.rows == b.rows && a.unmatched == b.unmatched
        }
        package func hash(into hasher: inout Hasher) { hasher.combine(rows) }
    }

    let file: String
    /// By subject and metric.
    private let rounds: [String: [String: [Double]]]
    private let order: [String]

    /// - Throws: why the text is no result of a bench.
    package init(parsing text: String, file: String) throws(Problem) {
        self.file = file
        let json: JSONValue
        do throws(Problem) { json = try JSONValue(parsing: text.utf8) } catch {
            throw Problem(at: nil, "\(file): no JSON: \(error.message)", advice: "name a file that --json wrote")
        }
        guard json["kind"]?.stringValue == "gatecrash-bench", let subjects = json["subjects"]?.arrayValue else {
            throw Problem(at: nil, "\(file): no result of a bench", advice: "name a file that --json wrote")
        }
        var rounds: [String: [String: [Double]]] = [:]
        var order: [String] = []
        for subject in subjects {
            guard let name = subject["name"]?.stringValue, let list = subject["rounds"]?.arrayValue else { continue }
            order.append(name)
            for round in list {
                for metric in Self.metrics {
                    guard let value = round["figures"]?[metric.name]?.doubleValue, value.isFinite else { continue }
                    rounds[name, default: [:]][metric.name, default: []].append(value)
                }
            }
        }
        guard !rounds.isEmpty else {
            throw Problem(at: nil, "\(file): it has no rounds", advice: "name another file that --json wrote")
        }
        self.rounds = rounds
        self.order = order
    }

    /// - Parameter tolerance: a median that is worse by a smaller part than this is no regression, however certain.
    package func compared(with result: BenchResult, tolerance: Double) -> Comparison {
        var rows: [Row] = []
        for subject in result.subjects {
            guard let old = rounds[subject.name] else { continue }
            for metric in Self.metrics {
                let now = subject.rounds.compactMap { $0.value(of: metric.kind) }
                guard let values = old[metric.name], let before = Spread(values), let after = Spread(now) else {
                    continue
                }
                let test = RankTest(values, now)
                let change = before.median > 0 ? after.median / before.median - 1 : 0
                let loss = metric.isMoreBetter ? -change : change
                let verdict: Verdict =
                    if test.isTooSmall(for: Self.level) {
                        .tooFew
                    } else if test.probability >= Self.level || abs(change) < tolerance {
                        .same
                    } else {
                        loss > 0 ? .worse : .better
                    }
                rows.append(
                    Row(
                        subject: subject.name, metric: metric.name, before: before, now: after, change: change,
                        test: test, verdict: verdict))
            }
        }
        let names = result.subjects.map(\.name)
        let unmatched = order.filter { !names.contains($0) } + names.filter { !order.contains($0) }
        let counts = (
            before: rounds.values.flatMap { $0.values.map(\.count) }.max() ?? 0,
            now: result.subjects.map(\.rounds.count).max() ?? 0
        )
        return Comparison(file: file, rows: rows, unmatched: unmatched, rounds: counts)
    }
}

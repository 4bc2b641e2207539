// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// A bench's result as JSON, for programs and for `--baseline`. Keys are stable: new ones may come, none goes or
/// changes its meaning.
///
/// ```
/// { "format": 1, "kind": "gatecrash-bench", "program", "host", "plan": text, "seed": "42", "result", "exit_code",
///   "interrupted": bool, "trouble": text | null, "late": text | null,
///   "subjects": [ { "name", "url",
///     "total": FIGURES, "errors": {"connect_refused": 3}, "statuses": {"200": 1000},
///     "rounds": [ {"round": 1, "figures": FIGURES, "series": [ {"t_ns", "count", "errors", "p50_ns", "p99_ns",
///                  "max_ns"} ]} ],
///     "histogram": [ [up_to_ns, count] ] } ],
///   "overhead": { "p50": {"factor": SPREAD, "difference_ns": SPREAD}, "p99": …, "rps": {"factor": SPREAD} } | null,
///   "expectations": [ {"text", "seen", "holds"} ], "baseline": [ … ] | null }
/// FIGURES  requests, ok, errors, rps, seconds, bytes, connections, queued, p50, p90, p99, p99.9, … , min, mean, max,
///          sent: LATENCY | null, lateness: LATENCY | null, cpu, processes: {name: {cpu_ns, rss_bytes}}
/// ```
/// Latencies and `cpu` (of the processes that are measured, a request) are nanoseconds; the seed is text because it has
/// 64 bits.
package struct BenchDocument {
    private let result: BenchResult
    private let program: String
    private let host: String

    package init(_ result: BenchResult, program: String, host: String) {
        self.result = result
        self.program = program
        self.host = host
    }

    package var json: JSONValue {
        [
            "format": 1, "kind": "gatecrash-bench", "program": .string(program), "host": .string(host),
            "plan": .string(result.plan.description), "seed": .string(String(result.plan.seed)),
            "result": .string(Self.word(result.exitCode)), "exit_code": .integer(Int(result.exitCode)),
            "interrupted": .bool(result.isInterrupted), "trouble": text(result.trouble?.message),
            "late": text(result.lateness), "subjects": .array(result.subjects.map(subject)), "overhead": overhead,
            "expectations": .array(
                result.verdicts.map {
                    ["text": .string($0.text), "seen": .string($0.seen), "holds": .bool($0.holds)]
                }),
            "baseline": baseline,
        ]
    }

    static func word(_ code: Int32) -> String {
        switch code {
        case 0: "pass"
        case 1: "fail"
        case 2: "invalid"
        case 3: "precondition"
        case 4: "inconclusive"
        case 5: "topology"
        case 130: "interrupted"
        default: "internal error"
        }
    }

    private func text(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }

    private func subject(_ subject: BenchResult.Subject) -> JSONValue {
        let recorder = subject.total.recorder
        let rounds = zip(subject.rounds, subject.series).enumerated().map { index, round -> JSONValue in
            ["round": .integer(index + 1), "figures": Self.figures(round.0), "series": .array(round.1.map(Self.point))]
        }
        return [
            "name": .string(subject.name), "url": .string(subject.subject.target.url),
            "total": Self.figures(result.figures(of: subject)),
            "errors": Self.object(recorder.failureCounts.map { ($0.kind.key, .integer($0.count)) }),
            "statuses": Self.object(recorder.statusCounts.map { ("\($0.status)", .integer($0.count)) }),
            "rounds": .array(rounds),
            "histogram": .array(
                recorder.latency.bins(perDecade: 20).map { [.integer(Int($0.upTo.count)), .integer($0.count)] }),
        ]
    }

    private static func object(_ members: [(String, JSONValue)]) -> JSONValue {
        .object(.init(members, uniquingKeysWith: { first, _ in first }))
    }

    private static func point(_ point: BenchSeries.Point) -> JSONValue {
        [
            "t_ns": .integer(Int(point.start.count)), "count": .integer(point.count),
            "errors": .integer(point.failures),
            "p50_ns": .integer(Int(point.p50.count)), "p99_ns": .integer(Int(point.p99.count)),
            "max_ns": .integer(Int(point.max.count)),
        ]
    }

    private static func figures(_ figures: BenchFigures) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("requests", .integer(figures.requests)), ("ok", .integer(figures.ok)),
            ("errors", .integer(figures.errors)), ("rps", .number(figures.rps)),
            ("seconds", .number(figures.length.inSeconds)), ("bytes", .integer(figures.bytes)),
            ("connections", .integer(figures.connections)), ("queued", .integer(figures.queued)),
        ]
        members += latency(figures.latency)
        members.append(("sent", figures.sentLatency.map { object(latency($0)) } ?? .null))
        members.append(("lateness", figures.lateness.map { object(latency($0)) } ?? .null))
        members.append(("cpu", figures.processor.map(JSONValue.number) ?? .null))
        let processes = figures.costs.map { cost -> (String, JSONValue) in
            let each: JSONValue = [
                "cpu_ns": cost.processor.map(JSONValue.number) ?? .null, "rss_bytes": .integer(cost.resident),
            ]
            return (cost.name, each)
        }
        members.append(("processes", object(processes)))
        return object(members)
    }

    private static func latency(_ latency: BenchFigures.Latency) -> [(String, JSONValue)] {
        latency.quantiles.sorted { $0.key < $1.key }.map {
            (BenchText.quantile($0.key), .integer(Int($0.value.count)))
        } + [
            ("min", .integer(Int(latency.min.count))), ("mean", .integer(Int(latency.mean.count))),
            ("max", .integer(Int(latency.max.count))),
        ]
    }

    private static func spread(_ spread: Spread) -> JSONValue {
        ["median": .number(spread.median), "min": .number(spread.least), "max": .number(spread.most)]
    }

    private var overhead: JSONValue {
        func both(_ kind: BenchMetric.Kind) -> JSONValue {
            result.overhead(kind).map {
                ["factor": Self.spread($0.factor), "difference_ns": Self.spread($0.difference)]
            } ?? .null
        }
        guard let rates = result.overhead(.rps) else { return .null }
        return [
            "p50": both(.quantile(50)), "p99": both(.quantile(99)), "rps": ["factor": Self.spread(rates.factor)],
        ]
    }

    private var baseline: JSONValue {
        guard let baseline = result.baseline else { return .null }
        return .array(
            baseline.rows.map { row in
                [
                    "subject": .string(row.subject), "metric": .string(row.metric), "before": Self.spread(row.before),
                    "now": Self.spread(row.now), "change": .number(row.change), "p": .number(row.test.probability),
                    "verdict": .string(row.verdict.rawValue),
                ]
            })
    }
}

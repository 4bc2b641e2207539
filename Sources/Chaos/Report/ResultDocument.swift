// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// A suite's results as JSON, for programs. Keys are stable: new ones may come, none goes or changes its meaning.
///
/// ```
/// { "format": 1, "result": "fail", "exit_code": 1, "runs": [ {
///     "scenario", "name", "file", "cell": {axis: value}, "variables": {name: value}, "seed": "42", "repetition": 1,
///     "mode": "real" | "virtual", "result", "exit_code", "reasons": [text], "reproduce": command,
///     "length_ns", "slack_ns", "score": 0...1 | null,
///     "requests": { "total", "ok", "failed", "unknown", "by_answer": {"503 from gateway": 520},
///                   "latency_ns": {"count", "p50", "p99", "p999", "max"} | null },
///     "marks": [ {"name", "t_ns", "earliest_ns", "latest_ns"} ],
///     "verdicts": [ {"id", "group": "expectation" | "invariant" | "checkpoint", "kind", "severity": "must" | "should",
///                    "weight",
///                    "result": "pass" | "fail" | "inconclusive", "seen", "allowed", "sentence", "reasons": [text],
///                    "why": text | null, "file": text | null, "line": number | null} ] } ] }
/// ```
/// `result` is one of pass, fail, invalid, precondition, inconclusive, topology, internal error, interrupted. Times are
/// nanoseconds from the start of the load. The seed is text because it has 64 bits.
package struct ResultDocument {
    private let reports: [RunReport]

    package init(_ reports: [RunReport]) { self.reports = reports }

    package var json: JSONValue {
        let result = RunResult.worst(reports.map(\.verdict.result))
        return [
            "format": 1, "result": .string(result.rawValue), "exit_code": .integer(Int(result.exitCode)),
            "runs": .array(reports.map(Self.run)),
        ]
    }

    private static func run(_ report: RunReport) -> JSONValue {
        let header = report.view.header
        let verdict = report.verdict
        return [
            "scenario": .string(report.scenario), "name": .string(report.name), "file": .string(header?.file ?? ""),
            "cell": object(header?.cell ?? []), "variables": object(header?.variables ?? []),
            "seed": .string(String(report.seed)), "repetition": .integer(header?.repetition ?? 1),
            "mode": header?.isVirtual ?? false ? "virtual" : "real", "result": .string(verdict.result.rawValue),
            "exit_code": .integer(Int(verdict.result.exitCode)),
            "reasons": .array(verdict.reasons.map(JSONValue.string)), "reproduce": .string(verdict.reproduce),
            "length_ns": .integer(Int(report.length)), "slack_ns": .integer(Int(verdict.slack.count)),
            "score": verdict.score.map(JSONValue.number) ?? .null,
            "requests": requests(report.statistics), "marks": .array(verdict.marks.map(mark)),
            "verdicts": .array(verdict.verdicts.map(self.verdict)),
        ]
    }

    private static func object(_ variables: [JournalEvent.Variable]) -> JSONValue {
        .object(.init(variables.map { ($0.name, .string($0.value)) }, uniquingKeysWith: { _, last in last }))
    }

    private static func requests(_ statistics: RunStatistics) -> JSONValue {
        [
            "total": .integer(statistics.requests), "ok": .integer(statistics.good),
            "failed": .integer(statistics.failed), "unknown": .integer(statistics.unknown),
            "by_answer": .object(
                .init(statistics.sorts.map { ($0.name, .integer($0.count)) }, uniquingKeysWith: { first, _ in first })),
            "latency_ns": statistics.latency?.json ?? .null,
        ]
    }

    private static func mark(_ mark: ObservedMark) -> JSONValue {
        [
            "name": .string(mark.name), "t_ns": .integer(Int(mark.at.count)),
            "earliest_ns": .integer(Int(mark.earliest.count)), "latest_ns": .integer(Int(mark.latest.count)),
        ]
    }

    private static func verdict(_ verdict: Verdict) -> JSONValue {
        [
            "id": .string(verdict.id), "group": .string(verdict.group.rawValue), "kind": .string(verdict.kind),
            "severity": .string(verdict.severity.rawValue), "weight": .number(verdict.weight),
            "result": .string(verdict.result.rawValue),
            "seen": .string(verdict.seen), "allowed": .string(verdict.allowed), "sentence": .string(verdict.sentence),
            "reasons": .array(verdict.reasons.map(JSONValue.string)),
            "why": verdict.why.map(JSONValue.string) ?? .null,
            "file": verdict.location.map { .string($0.file) } ?? .null,
            "line": verdict.location.map { .integer($0.line) } ?? .null,
        ]
    }
}

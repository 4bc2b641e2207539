// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// What two suites are compared by: read from a result document (`--json`), which journals give too.
package struct ResultDigest: Hashable, Sendable {
    package struct Check: Hashable, Sendable {
        package var id: String
        package var result: String
        package var seen: String
    }

    package struct Moment: Hashable, Sendable {
        package var name: String
        /// Nanoseconds from the start of the load.
        package var at: Int64
    }

    package struct Answer: Hashable, Sendable {
        package var name: String
        package var count: Int
    }

    package struct Run: Hashable, Sendable {
        /// `walk-through [health_hit=false]`
        package var name: String
        package var repetition: Int
        package var seed: String
        package var result: String
        package var requests: Int
        package var good: Int
        package var answers: [Answer]
        /// Nanoseconds; nil when nothing was answered.
        package var p50: Int64?
        package var p99: Int64?
        package var highest: Int64?
        package var marks: [Moment]
        package var checks: [Check]
    }

    package var runs: [Run]

    /// - Throws: `Problem` when this is no result document of a version that is known.
    package init(_ document: JSONValue) throws(Problem) {
        guard let runs = document["runs"]?.arrayValue, document["format"]?.intValue == 1 else {
            throw Problem(
                at: nil, "not a result document of gatecrash",
                advice: "give what `gatecrash run --json FILE` wrote, or a journal (.jsonl)")
        }
        self.runs = runs.map(Self.run)
    }

    package init(_ reports: [RunReport]) throws(Problem) { try self.init(ResultDocument(reports).json) }

    /// Whatever is missing is empty: the document may come from another version.
    private static func run(_ run: JSONValue) -> Run {
        let requests = run["requests"]
        let latency = requests?["latency_ns"]
        func time(_ value: JSONValue?) -> Int64? { value?.intValue.map { Instant.bounded(Int64($0)) } }
        let name = run["name"]?.stringValue ?? run["scenario"]?.stringValue ?? "scenario"
        return Run(
            name: name, repetition: run["repetition"]?.intValue ?? 1, seed: run["seed"]?.stringValue ?? "",
            result: run["result"]?.stringValue ?? "", requests: requests?["total"]?.intValue ?? 0,
            good: requests?["ok"]?.intValue ?? 0,
            answers: (requests?["by_answer"]?.objectValue ?? [:]).map {
                Answer(name: $0.key, count: $0.value.intValue ?? 0)
            },
            p50: time(latency?["p50"]), p99: time(latency?["p99"]), highest: time(latency?["max"]),
            marks: (run["marks"]?.arrayValue ?? []).map {
                Moment(name: $0["name"]?.stringValue ?? "", at: time($0["t_ns"]) ?? 0)
            },
            checks: (run["verdicts"]?.arrayValue ?? []).map {
                Check(
                    id: $0["id"]?.stringValue ?? "", result: $0["result"]?.stringValue ?? "",
                    seen: $0["seen"]?.stringValue ?? "")
            })
    }
}

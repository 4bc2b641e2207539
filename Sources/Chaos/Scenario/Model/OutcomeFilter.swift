// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Which outcomes of requests: every part that is there must match. An empty one matches all.
package struct OutcomeFilter: Hashable, Sendable {
    /// Who made the answer.
    package enum Origin: String, Hashable, Sendable, CaseIterable { case gateway, upstream }
    /// `ok` = an answer below 400 in time, `failed` = a worse one or none, `unknown` = nobody can know.
    package enum Outcome: String, Hashable, Sendable, CaseIterable { case ok, failed, unknown }

    /// Empty = any. `5xx` is 500...599.
    package var statuses: [ClosedRange<Int>]
    package var origin: Origin?
    package var outcome: Outcome?
    /// Ids of loads; empty = all.
    package var loads: [String]
    package var method: String?
    /// A prefix of the request's path.
    package var path: String?

    package init(
        statuses: [ClosedRange<Int>] = [], origin: Origin? = nil, outcome: Outcome? = nil, loads: [String] = [],
        method: String? = nil, path: String? = nil
    ) {
        self.statuses = statuses
        self.origin = origin
        self.outcome = outcome
        self.loads = loads
        self.method = method
        self.path = path
    }

    package static let all = OutcomeFilter()
    package func includes(status: Int) -> Bool { statuses.isEmpty || statuses.contains { $0.contains(status) } }
}

extension OutcomeFilter: CustomStringConvertible {
    /// `503 from gateway`, `502 or 504`, `5xx of writes`, `ok`.
    package var description: String {
        var words: [String] = []
        if !statuses.isEmpty { words.append(statuses.map(Self.text).joined(separator: " or ")) }
        if let outcome { words.append(outcome.rawValue) }
        if let origin { words.append("from \(origin.rawValue)") }
        if let method { words.append(method) }
        if let path { words.append("on \(path)") }
        if !loads.isEmpty { words.append("of " + loads.joined(separator: ", ")) }
        return words.isEmpty ? "any answer" : words.joined(separator: " ")
    }

    /// `latency`, `latency of reads`, `latency of 503 from gateway`.
    package func phrase(of noun: String) -> String {
        if self == .all { return noun }
        let words = description
        return words.hasPrefix("of ") ? "\(noun) \(words)" : "\(noun) of \(words)"
    }

    private static func text(_ range: ClosedRange<Int>) -> String {
        if range.count == 1 { return String(range.lowerBound) }
        if range.count == 100, range.lowerBound % 100 == 0 { return "\(range.lowerBound / 100)xx" }
        return "\(range.lowerBound)..\(range.upperBound)"
    }
}

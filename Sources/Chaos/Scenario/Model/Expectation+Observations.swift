// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

// Expectations about what the runner samples beside the traffic: memory and descriptors, logs, metrics.

/// What a process uses.
package struct Usage: Hashable, Sendable {
    /// Resident memory of the process, in bytes.
    package var memory: Bound?
    /// Open file descriptors.
    package var descriptors: Bound?
    package var node: String
    package var during: During

    package init(memory: Bound?, descriptors: Bound?, node: String, during: During) {
        self.memory = memory
        self.descriptors = descriptors
        self.node = node
        self.during = during
    }
}

/// Lines of a node's log that match.
package struct LogMatch: Hashable, Sendable {
    package var node: String
    package var pattern: TextPattern
    /// How many such lines; at least one when it is not said.
    package var count: Bound
    package var during: During

    package init(node: String, pattern: TextPattern, count: Bound, during: During) {
        self.node = node
        self.pattern = pattern
        self.count = count
        self.during = during
    }
}

/// `/regular expression/`, `/…/i` for any case, or plain text that is a part of the line.
package struct TextPattern: Hashable, Sendable, CustomStringConvertible {
    package var text: String
    package var isRegularExpression: Bool
    package var ignoresCase: Bool

    package init(text: String, isRegularExpression: Bool = false, ignoresCase: Bool = false) {
        self.text = text
        self.isRegularExpression = isRegularExpression
        self.ignoresCase = ignoresCase
    }

    package var description: String {
        isRegularExpression ? "/\(text)/" + (ignoresCase ? "i" : "") : "\"\(text)\""
    }

    /// Whether a line matches; made once for many lines. Nil for a regular expression that is none.
    package var matcher: ((Substring) -> Bool)? {
        guard isRegularExpression else {
            let text = text
            return { $0.contains(text) }
        }
        guard let expression = try? Regex(text) else { return nil }
        let settled = ignoresCase ? expression.ignoresCase() : expression
        return { (try? settled.firstMatch(in: $0)) != nil }
    }
}

/// A series of a node's metrics (Prometheus text format).
package struct Metric: Hashable, Sendable {
    package struct Label: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package enum Moment: Hashable, Sendable {
        /// The first sample from the mark on.
        case at(MarkExpression)
        /// Every sample.
        case during(During)
    }

    /// Instead of a node: the counters of all links, as `GET /metrics` of their Toxiproxy API has them.
    package static let links = "links"

    package var node: String
    package var name: String
    /// Series that have these labels; the sum of all that do.
    package var labels: [Label]
    package var bound: Bound
    package var moment: Moment

    package init(node: String, name: String, labels: [Label], bound: Bound, moment: Moment) {
        self.node = node
        self.name = name
        self.labels = labels
        self.bound = bound
        self.moment = moment
    }

    /// `kong_upstream_target_health{upstream="up"}`: how samples are called in the journal.
    package var series: String {
        guard !labels.isEmpty else { return name }
        return name + "{" + labels.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ",") + "}"
    }
}

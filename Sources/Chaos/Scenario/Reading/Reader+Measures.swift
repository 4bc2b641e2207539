// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension Reader {
    // MARK: Latency

    mutating func latency(_ fields: Fields) -> LatencyBounds? {
        guard let node = fields["latency"] else { return nil }
        let entries = latencyEntries(node)
        var filter = OutcomeFilter.all
        if let node = fields["only"] { filter = outcomeFilter(node, "`only`") ?? filter }
        if let node = fields["of"] { filter.loads = loadNames(node) }
        let isCorrected = fields["corrected"].flatMap { boolean($0, "`corrected`") } ?? true
        guard !entries.isEmpty, let during = during(fields["during"]) else { return nil }
        return LatencyBounds(entries: entries, filter: filter, isCorrected: isCorrected, during: during)
    }

    /// `{ p50: <= 5ms, p99: <= 40ms, max: <= 1s }`; a bound alone is of every request.
    private mutating func latencyEntries(_ node: DocumentNode) -> [LatencyBounds.Entry] {
        guard let members = node.members, node["at_most"] == nil, node["at_least"] == nil else {
            guard let bound = bound(node, "`latency`", over: [.duration], bare: .refused) else { return [] }
            var entries: [LatencyBounds.Entry] = []
            if bound.lower != nil { entries.append(.init(statistic: .minimum, bound: bound)) }
            if bound.upper != nil { entries.append(.init(statistic: .maximum, bound: bound)) }
            return entries
        }
        if members.isEmpty { report(node.location, "`latency` says nothing", advice: "write { p99: \"<= 40ms\" }") }
        return members.compactMap { member in
            guard let statistic = Self.statistic(member.key) else {
                let near = nearestKey(to: member.key, among: ["min", "max", "mean"])
                report(
                    member.keyLocation, "unknown statistic `\(member.key)` in `latency`",
                    advice: near.map { "did you mean `\($0)`?" } ?? "there are min, mean, max and p50, p99, p99.9, …")
                return nil
            }
            return bound(member.value, "`\(member.key)`", over: [.duration], bare: .refused).map {
                LatencyBounds.Entry(statistic: statistic, bound: $0)
            }
        }
    }

    static func statistic(_ key: String) -> LatencyBounds.Statistic? {
        switch key {
        case "min": return .minimum
        case "max": return .maximum
        case "mean": return .mean
        default:
            let digits = key.dropFirst()
            guard key.first == "p", digits.unicodeScalars.allSatisfy({ Lexer.isDigit($0) || $0 == "." }),
                let percent = Double("\(digits)e-2"), percent > 0, percent < 1
            else { return nil }
            return .quantile(percent)
        }
    }

    // MARK: Requests at the mocks

    mutating func requests(_ fields: Fields) -> RequestBounds? {
        let keys = Vocabulary.requestBounds.names
        guard let inner = fields["requests"].flatMap({ self.fields($0, "`requests`", keys: keys) }) else { return nil }
        let bounds = keys.map { key in inner[key].flatMap { bound($0, "`\(key)`", over: [.number], bare: .exactly) } }
        if keys.allSatisfy({ inner[$0] == nil }) {
            report(inner.location, "`requests` says nothing", advice: "write { lost: 0, duplicated: 0 }")
        }
        let loads = loadNames(fields["of"])
        guard bounds.contains(where: { $0 != nil }), let during = during(fields["during"]) else { return nil }
        return RequestBounds(
            lost: bounds[0], duplicated: bounds[1], unknown: bounds[2], loads: loads, during: during)
    }

    mutating func traffic(_ fields: Fields, _ topology: Topology) -> Traffic? {
        let keys = Vocabulary.traffic.names
        guard let inner = fields["traffic"].flatMap({ self.fields($0, "`traffic`", keys: keys) }) else { return nil }
        let filter = trafficFilter(inner, topology)
        let count = inner["count"].flatMap { bound($0, "`count`", over: [.number], bare: .exactly) }
        let share = inner["share"].flatMap { bound($0, "`share`", over: [.ratio], bare: .refused) }
        let nodes = inner["nodes"].flatMap { bound($0, "`nodes`", over: [.number], bare: .exactly) }
        if ["count", "share", "nodes", "moved"].allSatisfy({ inner[$0] == nil }) {
            report(inner.location, "`traffic` has no bound", advice: "give count, share, nodes or moved")
        }
        let moved = moved(inner)
        guard let filter, count != nil || share != nil || nodes != nil || moved != nil,
            let during = during(fields["during"])
        else { return nil }
        return Traffic(filter: filter, count: count, share: share, nodes: nodes, moved: moved, during: during)
    }

    private mutating func moved(_ inner: Fields) -> Traffic.Moved? {
        guard let node = inner["moved"] else {
            if let since = inner["since"] {
                report(since.location, "`since` belongs to `moved`", advice: "give moved, or use during:")
            }
            return nil
        }
        for key in ["count", "share", "nodes"] where inner[key] != nil {
            report(inner.location, "`\(key)` beside `moved`", advice: "give it in an expectation of its own")
        }
        let bound = bound(node, "`moved`", over: [.number], bare: .exactly)
        guard let since = required("since", in: inner, "`moved`", advice: "write since: start..<mark>"),
            let bound, let home = during(since, key: "since")
        else { return nil }
        return Traffic.Moved(bound, since: home)
    }

    mutating func probes(_ fields: Fields, _ topology: Topology) -> Probes? {
        let keys = Vocabulary.probes.names
        guard let inner = fields["probes"].flatMap({ self.fields($0, "`probes`", keys: keys) }) else { return nil }
        let to = required("to", in: inner, "`probes`", advice: "write to: <mock>").flatMap { mockName($0, topology) }
        let every = inner["every"].flatMap { bound($0, "`every`", over: [.duration], bare: .refused) }
        let count = inner["count"].flatMap { bound($0, "`count`", over: [.number], bare: .exactly) }
        if inner["every"] == nil, inner["count"] == nil {
            report(inner.location, "`probes` has no bound", advice: "give every or count")
        }
        guard let to, every != nil || count != nil, let during = during(fields["during"]) else { return nil }
        return Probes(to: to, every: every, count: count, during: during)
    }

    // MARK: Processes

    mutating func process(_ fields: Fields, _ topology: Topology) -> Expectation.Kind? {
        let node = fields["process"].flatMap { nodeName($0, topology) }
        let state: ProcessState? = required(
            "stays", in: fields, "a `process` expectation", advice: "write stays: running"
        )
        .flatMap { choice($0, "`stays`") }
        guard let node, let state, let during = during(fields["during"]) else { return nil }
        return .process(node: node, stays: state, during: during)
    }

    mutating func exit(_ fields: Fields, _ topology: Topology) -> Expectation.Kind? {
        guard let inner = fields["exit"].flatMap({ self.fields($0, "`exit`", keys: Vocabulary.exit.names) }) else {
            return nil
        }
        let node = required("of", in: inner, "`exit`", advice: "write of: <node>").flatMap { nodeName($0, topology) }
        let signal = inner["signal"].flatMap { word($0, "`signal`") }
        if let signal, let place = inner["signal"]?.location, SignalName.number(of: signal) == nil {
            problems.add(.unknownName(signal, kind: "signal", known: SignalName.names, at: place))
        }
        let code = inner["code"].flatMap { integer($0, "`code`", in: 0...255) }
        if (inner["signal"] == nil) == (inner["code"] == nil) {
            report(inner.location, "`exit` needs a signal or a code", advice: "write signal: KILL or code: 0")
        }
        return node.map { .exit(node: $0, signal: signal, code: code) }
    }
}

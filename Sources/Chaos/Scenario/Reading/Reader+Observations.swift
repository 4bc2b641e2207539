// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension Reader {
    // MARK: Memory and descriptors

    /// `process: gateway, rss: <= 200MiB, fds: <= 500`
    mutating func usage(_ fields: Fields, _ topology: Topology) -> Usage? {
        if fields["process"] != nil, fields["of"] != nil {
            report(fields.keyLocation("of"), "`of` and `process` mean the same here", advice: "keep one")
        }
        let nodeNode = required(
            "process", in: fields["process"] == nil && fields["of"] != nil ? fields.calling("of", "process") : fields,
            "an expectation about memory or descriptors", advice: "write process: gateway")
        let node = nodeNode.flatMap { nodeName($0, topology) }
        let memory = fields["rss"].flatMap { bound($0, "`rss`", over: [.bytes], bare: .upTo) }
        let descriptors = fields["fds"].flatMap { bound($0, "`fds`", over: [.number], bare: .upTo) }
        guard let node, memory != nil || descriptors != nil, let during = during(fields["during"]) else { return nil }
        for gateway in topology.gateways where gateway.id == node {
            if case .remote = gateway.source {
                report(fields.location, "`\(node)` runs elsewhere: nobody here sees what it uses")
                return nil
            }
            if gateway.process == .inProcess {
                report(
                    fields.location, "`\(node)` has no process of its own: nobody knows what of the runner's it uses",
                    advice: "leave out `process:`")
                return nil
            }
        }
        return Usage(memory: memory, descriptors: descriptors, node: node, during: during)
    }

    // MARK: Logs

    /// `log: { of: gateway, match: /upstream .* unhealthy/, count: ">= 1" }`
    mutating func log(_ fields: Fields, _ topology: Topology) -> LogMatch? {
        guard let inner = fields["log"].flatMap({ self.fields($0, "`log`", keys: Vocabulary.log.names) }) else {
            return nil
        }
        let node = required("of", in: inner, "`log`", advice: "write of: <node>").flatMap { nodeName($0, topology) }
        let text = required("match", in: inner, "`log`", advice: "write match: /unhealthy/").flatMap { pattern($0) }
        let count =
            inner["count"].map { bound($0, "`count`", over: [.number], bare: .exactly) }
            ?? Bound(
                lower: .literal(.number(1)), upper: nil, dimension: .number, text: ">= 1", location: inner.location)
        guard let node, let text, let count, let during = during(fields["during"]) else { return nil }
        return LogMatch(node: node, pattern: text, count: count, during: during)
    }

    /// `/…/`, `/…/i`, or plain text.
    private mutating func pattern(_ node: DocumentNode) -> TextPattern? {
        guard let text = word(node, "`match`") else { return nil }
        guard text.hasPrefix("/"), text.count > 1 else { return TextPattern(text: text) }
        let ignoresCase = text.hasSuffix("/i") && text.count > 2
        guard ignoresCase || text.hasSuffix("/") else {
            report(node.location, "`match` has no closing `/`", advice: "write /\(text.dropFirst())/")
            return nil
        }
        let pattern = TextPattern(
            text: String(text.dropFirst().dropLast(ignoresCase ? 2 : 1)), isRegularExpression: true,
            ignoresCase: ignoresCase)
        guard !pattern.text.isEmpty, pattern.matcher != nil else {
            report(node.location, "`match` is no regular expression: `\(pattern.text)`")
            return nil
        }
        return pattern
    }

    // MARK: Metrics

    /// The counters of all links together, unless a node has that name.
    private func isLinks(_ node: DocumentNode, _ topology: Topology) -> Bool {
        node.scalar == Metric.links && !topology.nodeNames.contains(Metric.links)
    }

    /// `metric: { of: gateway, name: 'kong_http_requests_total{code="200"}', is: ">= 1" }, at: end`
    mutating func metric(_ fields: Fields, _ topology: Topology) -> Metric? {
        let keys = Vocabulary.metric.names
        guard let inner = fields["metric"].flatMap({ self.fields($0, "`metric`", keys: keys) }) else { return nil }
        let node = required("of", in: inner, "`metric`", advice: "write of: gateway")
            .flatMap { isLinks($0, topology) ? Metric.links : nodeName($0, topology) }
        if let node, topology.programs.contains(where: { $0.id == node }), let place = inner["of"]?.location {
            report(place, "the process `\(node)` is not asked for metrics", advice: "name a gateway or a mock")
            return nil
        }
        let series = required("name", in: inner, "`metric`", advice: "write name: kong_nginx_requests_total").flatMap {
            self.series($0)
        }
        let bound = required("is", in: inner, "`metric`", advice: "write is: == 1").flatMap {
            self.bound($0, "`is`", over: [.number], bare: .exactly)
        }
        if fields["at"] != nil, fields["during"] != nil {
            report(
                fields.keyLocation("during"), "a metric is looked at `at` a mark or `during` a time", advice: "keep one"
            )
        }
        var moment: Metric.Moment?
        if let node = fields["during"] {
            moment = during(node).map { .during($0) }
        } else if let node = fields["at"] {
            moment = mark(node, "`at` of a metric").map { .at($0) }
        } else {
            moment = .at(.end)
        }
        guard let node, let (name, labels) = series, let bound, let moment else { return nil }
        return Metric(node: node, name: name, labels: labels, bound: bound, moment: moment)
    }

    /// `name{label="value",…}`
    private mutating func series(_ node: DocumentNode) -> (name: String, labels: [Metric.Label])? {
        guard let text = word(node, "`name` of `metric`") else { return nil }
        guard let series = MetricText.series(text) else {
            report(
                node.location, "`\(text)` is no series", advice: "write kong_upstream_target_health{upstream=\"up\"}")
            return nil
        }
        return series
    }
}

extension Fields {
    /// The same mapping with a key read under another name.
    fileprivate func calling(_ key: String, _ name: String) -> Fields {
        let members = (node.members ?? []).map { member in
            member.key == key
                ? DocumentNode.Member(key: name, keyLocation: member.keyLocation, value: member.value) : member
        }
        return Fields(node: DocumentNode(.mapping(members), at: node.location))
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// The kinds of expectations: the key that says which, and the keys that go with it.
enum ExpectationShape: String, CaseIterable {
    case availability, window, becomes, recovered, latency, requests, traffic, probes, order, exit, model, sometimes,
        log
    case metric, baseline, rss, fds, process, stays, count

    var details: [String] {
        switch self {
        case .window: ["starts", "ends", "lasts", "count", "purity", "gap", "clock", "during", "as"]
        case .becomes: ["target", "within", "after", "cause", "as"]
        case .recovered: ["within", "after", "of", "as"]
        case .availability: ["during", "window", "of", "budget"]
        case .latency: ["during", "corrected", "only", "of"]
        case .requests: ["of", "during"]
        case .traffic, .probes, .sometimes: ["during"]
        case .count: ["is", "during"]
        case .process: ["stays", "during"]
        case .stays: ["target", "from", "until", "during", "flaps"]
        case .log: ["during"]
        case .metric: ["during", "at"]
        case .rss: ["fds", "during", "of", "process"]
        case .fds: ["rss", "during", "of", "process"]
        case .baseline: BaselineBounds.Figure.allCases.map(\.rawValue)
        case .order, .exit, .model: []
        }
    }

    /// Keys that any expectation may have.
    static let common = ["id", "why", "severity", "weight"]
    static let allKeys: [String] = common + allCases.map(\.rawValue) + allCases.flatMap(\.details)

    /// The shape of an item; the more telling keys come first in the list of cases (`count` is a key of `window`,
    /// `window` one of `availability`).
    init?(_ node: DocumentNode) {
        let hasUsage = node["rss"] != nil || node["fds"] != nil
        let shapes = Self.allCases.filter { node[$0.rawValue] != nil && !(hasUsage && $0 == .process) }
        guard let shape = shapes.first else { return nil }
        self = shape
    }
}

extension Reader {
    mutating func expectations(_ node: DocumentNode?, _ topology: Topology) -> [Expectation] {
        var expectations: [Expectation] = []
        for (index, item) in list(node, "`expect`").enumerated() {
            guard let expectation = expectation(item, number: index + 1, topology) else { continue }
            if expectations.contains(where: { $0.id == expectation.id }) {
                report(
                    item["id"]?.location ?? item.location, "there are two expectations `\(expectation.id)`",
                    advice: "rename one")
            }
            expectations.append(expectation)
        }
        return expectations
    }

    private mutating func expectation(_ node: DocumentNode, number: Int, _ topology: Topology) -> Expectation? {
        guard let shape = ExpectationShape(node) else {
            _ = fields(node, "an expectation", keys: Array(Set(ExpectationShape.allKeys)).sorted())
            if node.members != nil, problems.list.last?.location.map({ $0 < node.location }) ?? true {
                report(node.location, "an expectation says nothing", advice: "write one of \(Self.shapeList)")
            }
            return nil
        }
        let what = "a `\(shape.rawValue)` expectation"
        let keys = ExpectationShape.common + [shape.rawValue] + shape.details
        guard let fields = fields(node, what, keys: keys) else { return nil }
        let id = fields["id"].flatMap { identifier($0, "the `id` of an expectation") } ?? "\(shape.rawValue)-\(number)"
        var severity = Expectation.Severity.must
        if let node = fields["severity"] { severity = choice(node, "`severity`") ?? severity }
        let why = fields["why"].flatMap { text($0, "`why`") }
        var weight = 1.0
        if let node = fields["weight"], let number = number(node, "`weight`") {
            weight = number
            if !(0...1_000_000).contains(number) {
                report(node.location, "`weight` must be from 0 to 1000000, not \(plainNumber(number))")
            }
        }
        guard let kind = kind(shape, fields, topology) else { return nil }
        return Expectation(id: id, why: why, severity: severity, weight: weight, kind: kind, location: node.location)
    }

    private static var shapeList: String { ExpectationShape.allCases.map(\.rawValue).joined(separator: ", ") }

    private mutating func kind(
        _ shape: ExpectationShape, _ fields: Fields, _ topology: Topology
    ) -> Expectation.Kind? {
        switch shape {
        case .window: return window(fields).map { .window($0) }
        case .becomes: return transition(fields, topology).map { .transition($0) }
        case .recovered: return recovery(fields).map { .recovery($0) }
        case .availability: return availability(fields).map { .availability($0) }
        case .latency: return latency(fields).map { .latency($0) }
        case .requests: return requests(fields).map { .requests($0) }
        case .traffic: return traffic(fields, topology).map { .traffic($0) }
        case .probes: return probes(fields, topology).map { .probes($0) }
        case .count: return count(fields).map { .count($0) }
        case .order: return order(fields).map { .order($0) }
        case .process: return process(fields, topology)
        case .exit: return exit(fields, topology)
        case .stays: return stays(fields, topology).map { .stays($0) }
        case .model: return fields["model"].flatMap { choice($0, "`model`") }.map { .model($0) }
        case .sometimes:
            guard let during = during(fields["during"]),
                let filter = fields["sometimes"].flatMap({ outcomeFilter($0, "`sometimes`") })
            else { return nil }
            return .sometimes(filter, during: during)
        case .rss, .fds: return usage(fields, topology).map { .usage($0) }
        case .log: return log(fields, topology).map { .log($0) }
        case .metric: return metric(fields, topology).map { .metric($0) }
        case .baseline: return baseline(fields).map { .baseline($0) }
        }
    }

    // MARK: Health of targets

    private mutating func transition(_ fields: Fields, _ topology: Topology) -> Transition? {
        let what = "a `becomes` expectation"
        let target = required("target", in: fields, what).flatMap { self.target($0, topology) }
        let state: HealthState? = fields["becomes"].flatMap { choice($0, "`becomes`") }
        let within = required("within", in: fields, what, advice: "write within: 300ms or within: 12 requests").flatMap
        {
            bound($0, "`within`", over: [.duration, .requests], bare: .upTo)
        }
        let after = required("after", in: fields, what, advice: "write after: <mark>").flatMap { mark($0, "`after`") }
        let cause: HealthCause? = fields["cause"].flatMap { choice($0, "`cause`") }
        let made = fields["as"].flatMap { identifier($0, "the mark of `as`") }.map { MarkName($0) }
        guard let target, let state, let within, let after else { return nil }
        return Transition(target: target, becomes: state, within: within, after: after, cause: cause, mark: made)
    }

    private mutating func stays(_ fields: Fields, _ topology: Topology) -> Stays? {
        let target = required("target", in: fields, "a `stays` expectation").flatMap { self.target($0, topology) }
        let state: HealthState? = fields["stays"].flatMap { choice($0, "`stays`") }
        if fields["during"] != nil, fields["from"] != nil || fields["until"] != nil {
            report(fields.keyLocation("during"), "`during` and `from`/`until` mean the same", advice: "keep one")
        }
        guard var during = during(fields["during"]) else { return nil }
        if let node = fields["from"] { during.from = mark(node, "`from`") ?? during.from }
        if let node = fields["until"] { during.to = mark(node, "`until`") ?? during.to }
        let flaps = fields["flaps"].flatMap { bound($0, "`flaps`", over: [.number], bare: .exactly) }
        guard let target, let state else { return nil }
        return Stays(target: target, stays: state, during: during, flaps: flaps)
    }

    // MARK: Outcomes in time

    private mutating func window(_ fields: Fields) -> Window? {
        let filter = fields["window"].flatMap { outcomeFilter($0, "`window`") }
        let starts = fields["starts"].flatMap { relativeBound($0, "`starts`") }
        let ends = fields["ends"].flatMap { relativeBound($0, "`ends`") }
        let lasts = fields["lasts"].flatMap { bound($0, "`lasts`", over: [.duration], bare: .refused) }
        let count = fields["count"].flatMap { bound($0, "`count`", over: [.number], bare: .exactly) }
        let purity = fields["purity"].flatMap { ratio($0, "`purity`") } ?? Ratio(0)
        let gap = fields["gap"].flatMap { duration($0, "`gap`", allowsZero: false) }
        let clock: Window.Clock? = fields["clock"].flatMap { choice($0, "`clock`") }
        let during = during(fields["during"])
        let made = fields["as"].flatMap { identifier($0, "the mark of `as`") }.map { MarkName($0) }
        if starts == nil, ends == nil, lasts == nil, count == nil,
            ["starts", "ends", "lasts", "count"].allSatisfy({ fields[$0] == nil })
        {
            report(fields.location, "a window without bounds says nothing", advice: "give starts, ends, lasts or count")
            return nil
        }
        guard let filter, let during else { return nil }
        return Window(
            filter: filter, starts: starts, ends: ends, lasts: lasts, count: count, purity: purity,
            gap: gap ?? defaultGap(filter.loads), clock: clock ?? .arrival, during: during, mark: made)
    }

    /// So long that a run is not cut by chance: three even arrivals or twenty random ones at the lowest rate (a gap of
    /// twenty mean distances has probability e^-20), at least 200 ms.
    private func defaultGap(_ ids: [String]) -> Nanoseconds {
        var gap = Nanoseconds.milliseconds(200)
        for load in knownLoads where ids.isEmpty || ids.contains(load.id) {
            guard case .open(let stages, let arrivals) = load.shape else {
                if case .replay(let log, let speed) = load.shape { gap = max(gap, log.longestGap(speed: speed) * 3) }
                gap = max(gap, .seconds(1))
                continue
            }
            for case .rate(let from, let to, _) in stages {
                let lowest = max(min(from, to).perSecond, 1)
                gap = max(gap, Nanoseconds(seconds: (arrivals == .even ? 3 : 20) / lowest))
            }
        }
        return gap
    }

    private mutating func recovery(_ fields: Fields) -> Recovery? {
        let what = "a `recovered` expectation"
        guard
            let inner = fields["recovered"].flatMap({ self.fields($0, "`recovered`", keys: Vocabulary.recovered.names) }
            )
        else {
            return nil
        }
        let ok = required("ok", in: inner, "`recovered`", advice: "write ok: 99.9%").flatMap { ratio($0, "`ok`") }
        let stable = required("stable", in: inner, "`recovered`", advice: "write stable: 3s").flatMap {
            duration($0, "`stable`", allowsZero: false)
        }
        let within = required("within", in: fields, what, advice: "write within: 15s").flatMap {
            bound($0, "`within`", over: [.duration], bare: .upTo)
        }
        let after = required("after", in: fields, what, advice: "write after: <mark>").flatMap { mark($0, "`after`") }
        let made = fields["as"].flatMap { identifier($0, "the mark of `as`") }.map { MarkName($0) }
        let loads = loadNames(fields["of"])
        guard let ok, let stable, let within, let after else { return nil }
        return Recovery(ok: ok, stable: stable, within: within, after: after, loads: loads, mark: made)
    }

    mutating func availability(_ fields: Fields) -> Availability? {
        let share = fields["availability"].flatMap { bound($0, "`availability`", over: [.ratio], bare: .refused) }
        let budget = fields["budget"].flatMap { bound($0, "`budget`", over: [.number], bare: .upTo) }
        let window = fields["window"].flatMap { duration($0, "`window`", allowsZero: false) }
        let loads = loadNames(fields["of"])
        guard let share, let during = during(fields["during"]) else { return nil }
        return Availability(bound: share, budget: budget, window: window, during: during, loads: loads)
    }

    private mutating func count(_ fields: Fields) -> Count? {
        let filter = fields["count"].flatMap { outcomeFilter($0, "`count`") }
        let bound = required("is", in: fields, "a `count` expectation", advice: "write is: 9..13").flatMap {
            self.bound($0, "`is`", over: [.number], bare: .exactly)
        }
        guard let filter, let bound, let during = during(fields["during"]) else { return nil }
        return Count(filter: filter, bound: bound, during: during)
    }

    private mutating func order(_ fields: Fields) -> [MarkExpression]? {
        guard let node = fields["order"] else { return nil }
        let items = list(node, "`order`")
        let marks = items.compactMap { mark($0, "an item of `order`") }
        if items.count == 1 || items.isEmpty && node.items != nil {
            report(node.location, "`order` needs at least two marks")
            return nil
        }
        return marks.count == items.count && !marks.isEmpty ? marks : nil
    }
}

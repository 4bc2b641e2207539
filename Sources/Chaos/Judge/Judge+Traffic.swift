// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension JudgeContext {
    /// How much reached a mock or the mocks of a group: as a number, as a share of what reached any, and how many of
    /// them got any of it. Probes are no traffic.
    func judge(_ traffic: Traffic) throws(Unjudgeable) -> Finding {
        if let moved = traffic.moved { return try judge(moved, of: traffic) }
        let interval = try intervalAtMocks(traffic.during)
        let to = traffic.filter.to.joined(separator: ", ")
        var certain = 0
        var possible = (count: 0, first: Int?.none)
        var nodes = (certain: Set<String>(), possible: Set<String>())
        var total = 0
        for row in view.served.indices where isTraffic(row) {
            let isIn = interval?.contains(view.served.times[row]) ?? .no
            guard isIn != .no else { continue }
            total += 1
            guard match(traffic.filter, row) else { continue }
            possible = (possible.count + 1, possible.first ?? row)
            nodes.possible.insert(view.served.node(row))
            guard isIn == .yes else { continue }
            certain += 1
            nodes.certain.insert(view.served.node(row))
        }
        var parts: [Part] = []
        if let bound = traffic.nodes {
            let measure = Measure.count(nodes.certain.count...nodes.possible.count)
            parts.append(Part("used", measure, try limits(bound), slack: slack, suffix: " mocks"))
        }
        if let bound = traffic.count {
            let measure = Measure.count(certain...possible.count)
            parts.append(Part("got", measure, try limits(bound), slack: slack, suffix: " requests"))
        }
        if let bound = traffic.share {
            guard total > 0 else { return nothingToJudge("traffic to \(to)", "no request", allowed: bound.text) }
            let measure = Measure.exactly(Double(possible.count) / Double(total), .ratio)
            parts.append(Part("got", measure, try limits(bound), slack: slack, suffix: " of \(total) requests"))
        }
        var finding = Finding(to, parts: parts)
        finding.sentence += " during \(traffic.during)"
        if finding.result != .pass {
            if traffic.nodes != nil, !nodes.possible.isEmpty {
                finding.reasons.append("Requests reached \(nodes.possible.sorted().joined(separator: ", "))")
            }
            if let first = possible.first {
                let time = view.served.times[first]
                finding.reasons.append("The first\(name(ofServed: first)) came at \(readable(time))")
            }
            if let interval {
                finding.reasons += Diagnosis(context: self).reasons(
                    from: interval.outer.lowerBound, through: interval.outer.upperBound)
            }
        }
        return finding
    }

    /// Everything that a load sent.
    func isTraffic(_ row: Int) -> Bool { !view.served.isProbe(row) }

    func match(_ filter: TrafficFilter, _ row: Int) -> Bool {
        guard filter.to.isEmpty || filter.to.contains(view.served.node(row)) else { return false }
        if let method = filter.method, view.served.method(row) != method { return false }
        guard let path = filter.path else { return true }
        // As the client asked for it, or as it reached the mock: a route may strip its prefix on the way.
        if view.served.path(row).hasPrefix(path) { return true }
        return view.served.request(row).map { view.requests.path($0).hasPrefix(path) } ?? false
    }

    /// `, users-812,` or nothing.
    func name(ofServed row: Int) -> String {
        view.served.request(row).map { ", \(view.requests.id($0))," } ?? ""
    }

    /// Health probes as the mock saw them: their number, and the distance between neighbours.
    func judge(_ probes: Probes) throws(Unjudgeable) -> Finding {
        let interval = try interval(probes.during)
        let rows = view.served.rows(of: probes.to).filter { view.served.isProbe($0) }
        let possible = rows.filter { (interval?.contains(view.served.times[$0]) ?? .no) != .no }
        let certain = possible.filter { interval?.contains(view.served.times[$0]) == .yes }
        let times = possible.map { view.served.times[$0] }
        var parts: [Part] = []
        if let bound = probes.count {
            let measure = Measure.count(certain.count...possible.count)
            parts.append(Part("came", measure, try limits(bound), slack: slack, suffix: " times"))
        }
        var odd: String?
        if let bound = probes.every {
            let limits = try limits(bound)
            let gaps = zip(times, times.dropFirst()).map { (at: $1, length: $1 - $0) }
            guard !gaps.isEmpty else {
                return nothingToJudge("probes to \(probes.to)", "fewer than two probes", allowed: "every \(limits)")
            }
            func fits(_ length: Int64) -> Bool {
                Measure.exactly(Double(length), .duration).result(against: limits, slack: slack) == .pass
            }
            // Behind a probe that was held up the next one comes sooner.
            let bad = gaps.filter { !fits($0.length) && (forgiven.delay == 0 || !fits($0.length + forgiven.delay)) }
            if let worst = bad.max(by: { $0.length < $1.length }) {
                odd = "The probe at \(readable(worst.at)) came \(readable(worst.length)) after the one before"
            }
            let shown = bad.isEmpty ? gaps : bad
            let lengths = shown.map { Double($0.length) }
            let measure = Measure(lengths.min() ?? 0, lengths.max() ?? 0, .duration)
            parts.append(
                Part(
                    result: bad.isEmpty ? .pass : .fail, seen: "came every \(measure.text(against: limits))",
                    allowed: "\(limits)"))
        }
        var finding = Finding("probes to \(probes.to)", parts: parts)
        finding.sentence += " during \(probes.during)"
        if finding.result != .pass {
            finding.reasons = (odd.map { [$0] } ?? []) + Diagnosis(context: self).probing(of: probes.to, interval)
        }
        return finding
    }
}

// MARK: Paths that stay

extension JudgeContext {
    /// How many of the paths that mocks served at first were served elsewhere later. A path that was served by several
    /// at first has no home, and counts as moved.
    func judge(_ moved: Traffic.Moved, of traffic: Traffic) throws(Unjudgeable) -> Finding {
        let to = traffic.filter.to.joined(separator: ", ")
        let homes = homes(of: traffic.filter, in: try intervalAtMocks(moved.since))
        guard !homes.isEmpty else {
            return nothingToJudge(
                "paths of \(to) during \(moved.since)", "no path", allowed: moved.bound.text)
        }
        let interval = try intervalAtMocks(traffic.during)
        var certain: Set<String> = []
        var possible: Set<String> = []
        var first: Int?
        for row in view.served.indices where isTraffic(row) {
            let path = view.served.path(row)
            guard let home = homes[path], home != [view.served.node(row)] else { continue }
            let isIn = interval?.contains(view.served.times[row]) ?? .no
            guard isIn != .no else { continue }
            first = first ?? row
            possible.insert(path)
            if isIn == .yes { certain.insert(path) }
        }
        let part = Part(
            "moved", .count(certain.count...possible.count), try limits(moved.bound), slack: slack,
            suffix: " of \(homes.count) paths")
        var finding = Finding("paths of \(to):", parts: [part])
        finding.sentence += " during \(traffic.during)"
        if finding.result != .pass, let first {
            let home = homes[view.served.path(first)].map { $0.sorted().joined(separator: ", ") } ?? ""
            finding.reasons.append(
                "The first, \(view.served.path(first)) of \(home), came to \(view.served.node(first)) at "
                    + readable(view.served.times[first]))
        }
        return finding
    }

    /// The mocks that served each path, of the paths that the filter's mocks served.
    private func homes(of filter: TrafficFilter, in interval: Interval?) -> [String: Set<String>] {
        let anywhere = TrafficFilter(to: [], path: filter.path, method: filter.method)
        var homes: [String: Set<String>] = [:]
        for row in view.served.indices where isTraffic(row) && match(anywhere, row) {
            guard interval?.contains(view.served.times[row]) == .yes else { continue }
            homes[view.served.path(row), default: []].insert(view.served.node(row))
        }
        return filter.to.isEmpty ? homes : homes.filter { !$0.value.isDisjoint(with: filter.to) }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Parts of a plan as sentences with their numbers.
enum Sentences {
    // MARK: Bounds

    /// `at most 16 requests`, `10s..15.3s`, `exactly 3`; what only a run can tell as it was written.
    static func text(_ bound: Bound) -> String {
        guard let limits = bound.constant else { return "\(bound.text) (known after the run)" }
        switch (limits.lower, limits.upper) {
        case (let lower?, let upper?) where lower == upper: return "exactly \(rounded(lower))"
        case (let lower?, let upper?):
            if case .duration(.zero) = lower, bound.dimension == .duration { return "at most \(rounded(upper))" }
            return "\(rounded(lower))..\(rounded(upper))"
        case (let lower?, nil): return "at least \(rounded(lower))"
        case (nil, let upper?): return "at most \(rounded(upper))"
        case (nil, nil): return "anything"
        }
    }

    private static func rounded(_ quantity: Quantity) -> Quantity {
        guard case .duration(let time) = quantity, abs(time.count) >= 1_000_000 else { return quantity }
        return .duration(MarkForecast.rounded(time))
    }

    static func text(_ during: During) -> String {
        during == .wholeRun ? "" : " from \(text(during.from)) to \(text(during.to))"
    }

    static func text(_ mark: MarkExpression) -> String {
        if mark.mark == .start { return "\(MarkForecast.rounded(mark.offset))" }
        return "\(MarkExpression(mark.mark, offset: MarkForecast.rounded(mark.offset)))"
    }

    private static func relative(_ bound: RelativeBound) -> String {
        guard let limits = bound.bound.constant, case .duration(let low)? = limits.lower,
            case .duration(let high)? = limits.upper, low < .zero
        else { return "\(text(bound.bound)) after \(text(bound.mark))" }
        let before = MarkForecast.rounded(-low)
        let after = MarkForecast.rounded(high)
        return high <= .zero
            ? "at most \(before) before \(text(bound.mark))"
            : "between \(before) before and \(after) after \(text(bound.mark))"
    }

    private static func naming(_ mark: MarkName?) -> String { mark.map { "; this is `\($0)`" } ?? "" }

    private static func of(_ loads: [String]) -> String { loads.isEmpty ? "" : " of \(loads.joined(separator: ", "))" }

    // MARK: Expectations

    static func text(_ kind: Expectation.Kind) -> String {
        switch kind {
        case .transition(let it):
            let cause = it.cause.map { ", by \($0 == .manual ? "hand" : "\($0.rawValue) checks")" } ?? ""
            return "\(it.target.name) becomes \(it.becomes.rawValue) \(text(it.within)) after \(text(it.after))\(cause)"
                + naming(it.mark)
        case .stays(let it):
            let flaps = it.flaps.map { ", with \(text($0)) flaps" } ?? ""
            return "\(it.target.name) stays \(it.stays.rawValue)\(text(it.during))\(flaps)"
        case .window(let it): return text(it)
        case .recovery(let it):
            return "\(it.ok) good answers\(of(it.loads)) for \(it.stable), \(text(it.within)) after \(text(it.after))"
                + naming(it.mark)
        case .availability(let it):
            let window = it.window.map { " in every \($0)" } ?? ""
            let budget = it.budget.map { ", \(text($0)) bad ones" } ?? ""
            return "\(text(it.bound)) good answers\(of(it.loads))\(window)\(text(it.during))\(budget)"
        case .latency(let it):
            let entries = it.entries.map { "\($0.statistic) \(text($0.bound))" }.joined(separator: ", ")
            let subset = it.filter == .all ? "" : " for \(it.filter)"
            return "latency \(entries)\(subset)\(text(it.during))" + (it.isCorrected ? "" : ", from the sending")
        case .requests(let it): return text(it)
        case .traffic(let it):
            let bounds = [
                it.count.map { "\(text($0)) requests" }, it.share.map { "\(text($0)) of the requests" },
                it.nodes.map { "requests at \(text($0)) of them" },
            ]
            if let moved = it.moved {
                return "of the paths that \(it.filter.to.joined(separator: ", ")) served\(text(moved.since))"
                    + "\(subset(it.filter)), \(text(moved.bound)) are served by another\(text(it.during))"
            }
            return "\(it.filter.to.joined(separator: ", ")) \(it.filter.to.count == 1 ? "gets" : "get") "
                + bounds.compactMap { $0 }.joined(separator: " and ") + subset(it.filter) + text(it.during)
        case .probes(let it):
            let bounds = [it.count.map { "\(text($0)) probes" }, it.every.map { "one every \(text($0))" }]
            return "\(it.to) gets \(bounds.compactMap { $0 }.joined(separator: ", "))\(text(it.during))"
        case .count(let it): return "\(text(it.bound)) times \(it.filter)\(text(it.during))"
        case .order(let marks): return "in this order: \(marks.map { text($0) }.joined(separator: ", "))"
        case .process(let node, let state, let during): return "\(node) stays \(state.rawValue)\(text(during))"
        case .exit(let node, let signal, let code):
            return "\(node) ends by " + (signal.map { "signal \($0)" } ?? "exit code \(code ?? 0)")
        case .baseline(let baseline):
            let parts = baseline.entries.map { entry in
                "\(entry.figure.rawValue) \(entry.text)"
                    + (entry.runs == 1 ? "" : " of the median of \(entry.runs) runs")
            }
            return "compared with \(baseline.file): \(parts.joined(separator: "; "))"
        case .model: return "an independent model of Kong's health checks predicts every change"
        case .usage(let it):
            let bounds = [
                it.memory.map { "\(text($0)) of memory" }, it.descriptors.map { "\(text($0)) descriptors" },
            ]
            return "\(it.node) uses \(bounds.compactMap { $0 }.joined(separator: " and "))\(text(it.during))"
        case .log(let it):
            return "the log of \(it.node) has \(text(it.count)) lines with \(it.pattern)\(text(it.during))"
        case .metric(let it):
            let when =
                switch it.moment {
                case .at(let mark): " at \(text(mark))"
                case .during(let during): text(during)
                }
            return "\(it.series) of \(it.node) is \(text(it.bound))\(when)"
        case .sometimes(let filter, let during):
            return "\(filter) at least once\(text(during)), or the test tested nothing"
        }
    }

    private static func text(_ it: Window) -> String {
        var parts: [String] = []
        if let count = it.count { parts.append("comes \(text(count)) time\(isOne(count) ? "" : "s")") }
        if let starts = it.starts { parts.append("starts \(relative(starts))") }
        if let ends = it.ends { parts.append("ends \(relative(ends))") }
        if let lasts = it.lasts { parts.append("lasts \(text(lasts))") }
        if it.purity.fraction > 0 { parts.append(it.purity == Ratio(1) ? "is pure" : "is at least \(it.purity) pure") }
        let clock = it.clock == .completion ? " by completion" : ""
        let names = it.mark.map { "; these are `\($0).start` and `\($0).end`" } ?? ""
        return "a window of \(it.filter)\(clock)\(text(it.during)) \(parts.joined(separator: ", "))\(names)"
    }

    private static func isOne(_ bound: Bound) -> Bool {
        bound.constant == Limits(lower: .number(1), upper: .number(1))
    }

    private static func text(_ it: RequestBounds) -> String {
        let parts = [
            it.lost.map { "\(text($0)) lost" }, it.duplicated.map { "\(text($0)) served twice" },
            it.unknown.map { "\(text($0)) of unknown outcome" },
        ]
        return "requests\(of(it.loads))\(text(it.during)): \(parts.compactMap { $0 }.joined(separator: ", "))"
    }

    private static func subset(_ filter: TrafficFilter) -> String {
        (filter.method.map { " \($0)" } ?? "") + (filter.path.map { " on \($0)" } ?? "")
    }

    // MARK: Invariants

    static func text(_ invariant: Invariant) -> String {
        let grace = invariant.grace > .zero ? " (for \(invariant.grace))" : ""
        func clause(_ condition: Condition?) -> String { condition.map { " while \($0)\(grace)" } ?? "" }
        let text =
            switch invariant.kind {
            case .neverOutcome(let filter): "never \(filter)"
            case .neverTraffic(let filter, let condition):
                "never a request\(subset(filter)) at \(filter.to.joined(separator: ", "))\(clause(condition))"
            case .neverConnections(let nodes, let condition, let exceptProbes):
                "never a connection to \(nodes.joined(separator: ", "))\(clause(condition))"
                    + (exceptProbes ? ", probes aside" : "")
            case .alwaysLatency(let bound, let filter):
                "always latency \(Self.text(bound))" + (filter == .all ? "" : " for \(filter)")
            case .alwaysProcess(let node, let state): "always \(node) \(state.rawValue)"
            case .neverBecomes(let target, let state): "\(target.name) never becomes \(state.rawValue)"
            case .neverProbes(let nodes, let condition):
                "never a probe at \(nodes.joined(separator: ", "))\(clause(condition))"
            case .neverLog(let log): "never a line with \(log.pattern) in the log of \(log.node)"
            case .alwaysUsage(let usage): "always " + Self.text(Expectation.Kind.usage(usage))
            case .alwaysMetric(let metric): "always \(metric.series) of \(metric.node) \(Self.text(metric.bound))"
            case .alwaysAvailability(let availability):
                "always " + Self.text(Expectation.Kind.availability(availability))
            }
        return text + Self.text(invariant.during)
    }

    // MARK: Steps

    /// What it does, and what the seed decides about it.
    static func text(_ step: Step) -> String {
        guard let nodes = step.draw?.nodes else { return text(step.action) }
        return text(step.action.on("one of \(nodes.candidates.joined(separator: ", "))"))
    }

    static func text(_ action: Step.Action) -> String {
        switch action {
        case .checkpoint: return "checkpoint: every invariant holds"
        case .set(let mock, let settings):
            return "\(mock): " + settings.map { "\($0.name) \(setting($0))" }.joined(separator: ", ")
        case .fault(let fault): return "\(fault.link): \(fault.phrase)"
        case .names(let fault): return "name \(fault.name): \(fault.phrase)"
        case .stress(let spec): return "\(spec.node): \(spec.phrase)"
        case .kill(let node): return "SIGKILL \(node)"
        case .pause(let node): return "SIGSTOP \(node)"
        case .resume(let node): return "SIGCONT \(node)"
        case .start(let node): return "start \(node)"
        case .restart(let node, let drain): return "restart \(node) (up to \(drain) to drain)"
        case .stop(let node, let drain): return "stop \(node) (up to \(drain) to drain)"
        case .signal(let node, let name): return "SIG\(name) to \(node)"
        case .configure(let gateway, let change):
            let way = change.way == .signal ? "file and SIGHUP" : "POST /config"
            return "\(gateway): \(change.kind.isPatch ? "patched: " : "configuration ")\(change.label) (\(way))"
        case .health(let target, let state): return "\(target.name) is set \(state.rawValue) by hand"
        case .run(let program, _): return "run \(program.shown)"
        }
    }

    private static func setting(_ setting: MockSetting) -> String {
        setting.value.stringValue ?? setting.value.description
    }

    static func undoing(_ action: Step.Action) -> String {
        switch action {
        case .set(let mock, _): "\(mock): as before"
        case .fault(let fault): "\(fault.link): no \(fault.fault.name)"
        case .names(let fault): "name \(fault.name): as before"
        case .stress(let spec): "\(spec.node): nothing short any more"
        case .kill(let node): "\(node) listens again"
        case .pause(let node): "SIGCONT \(node)"
        case .stop(let node, _): "\(node) listens again"
        case .signal(let node, let name):
            SignalName.effect(of: name) == .stops ? "SIGCONT \(node)" : "\(node) runs again"
        case .configure(let gateway, _): "\(gateway): configuration as before"
        case .health(let target, _): "\(target.name): health as before"
        case .run(_, let undo): undo.map { "run \($0.shown)" } ?? ""
        case .checkpoint, .resume, .start, .restart: ""
        }
    }

    // MARK: Loads

    static func text(_ load: LoadSpec) -> String {
        let shape: String
        switch load.shape {
        case .open(let stages, let arrivals):
            let parts = stages.map { stage in
                switch stage {
                case .rate(let from, let to, let length):
                    (from == to ? "\(from)" : "\(from)..\(to)") + " for \(length)"
                case .burst(let size, let period, let length): "\(size) at once every \(period) for \(length)"
                }
            }
            shape = parts.joined(separator: ", then ") + ", \(arrivals.rawValue) arrivals"
        case .closed(let clients, let think, let requests, let length):
            let ends = [requests.map { "\($0) requests" }, length.map { "\($0)" }].compactMap { $0 }
            shape = "\(clients) clients, thinking \(think), for \(ends.joined(separator: " or "))"
        case .replay(let log, let speed):
            let pace = speed == 1 ? "" : ", \(plainNumber(speed))x as fast"
            let first = log.entries.first.map { "\($0.method) \($0.target)" } ?? ""
            return "\(log.entries.count) requests of a log in \(log.length(speed: speed))\(pace), the first \(first), "
                + "timeout \(load.timeout)"
        }
        let requests = load.mix.map { entry in
            "\(entry.request.isWebSocket ? "WebSocket messages on" : entry.request.method) \(text(entry.request.path))"
        }.joined(separator: ", ")
        return "\(shape): \(requests), timeout \(load.timeout)"
    }

    private static func text(_ template: TextTemplate) -> String {
        template.parts.map { if case .text(let text) = $0 { text } else { "$(…)" } }.joined()
    }
}

extension ConfigurationChange.Kind {
    var isPatch: Bool { if case .patch = self { true } else { false } }
}

extension Program {
    /// `./my-fault on`
    var shown: String {
        let name = path.hasPrefix(folder + "/") ? "./" + path.dropFirst(folder.count + 1) : path
        return ([name] + arguments).joined(separator: " ")
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension JudgeContext {
    /// One expectation, by its kind.
    func judge(_ expectation: Expectation) throws(Unjudgeable) -> Finding {
        switch expectation.kind {
        case .transition(let transition): try judge(transition, id: expectation.id)
        case .stays(let stays): try judge(stays)
        case .window(let window): try judge(window, id: expectation.id)
        case .recovery(let recovery): try judge(recovery, id: expectation.id)
        case .availability(let availability): try judge(availability)
        case .latency(let latency): try judge(latency)
        case .requests(let requests): try judge(requests)
        case .traffic(let traffic): try judge(traffic)
        case .probes(let probes): try judge(probes)
        case .count(let count): try judge(count)
        case .order(let marks): try judgeOrder(marks)
        case .process(let node, let state, let during): try judgeProcess(node, stays: state, during)
        case .exit(let node, let signal, let code): judgeExit(node, signal: signal, code: code)
        case .model(.kongHealth): judgeKongHealth()
        case .baseline(let baseline): try judge(baseline)
        case .sometimes(let filter, let during): try judgeSometimes(filter, during)
        case .usage(let usage): try judge(usage)
        case .log(let log): try judge(log)
        case .metric(let metric): try judge(metric)
        }
    }
}

extension Expectation.Kind {
    /// The key in the scenario file.
    var word: String {
        switch self {
        case .transition: "becomes"
        case .stays: "stays"
        case .window: "window"
        case .recovery: "recovered"
        case .availability: "availability"
        case .latency: "latency"
        case .requests: "requests"
        case .traffic: "traffic"
        case .probes: "probes"
        case .count: "count"
        case .order: "order"
        case .process: "process"
        case .exit: "exit"
        case .model: "model"
        case .baseline: "baseline"
        case .sometimes: "sometimes"
        case .usage(let usage): usage.memory == nil ? "fds" : "rss"
        case .log: "log"
        case .metric: "metric"
        }
    }
}

extension Invariant.Kind {
    /// The key in the scenario file.
    var word: String {
        switch self {
        case .neverOutcome, .neverTraffic, .neverConnections, .neverBecomes, .neverProbes, .neverLog: "never"
        case .alwaysLatency, .alwaysProcess, .alwaysUsage, .alwaysMetric, .alwaysAvailability: "always"
        }
    }
}

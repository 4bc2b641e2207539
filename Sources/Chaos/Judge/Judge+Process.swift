// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension JudgeContext {
    /// A node is in one state through all of an interval.
    func judgeProcess(_ node: String, stays state: ProcessState, _ during: During) throws(Unjudgeable) -> Finding {
        let allowed = "\(state.rawValue) during \(during)"
        guard let interval = try interval(during) else {
            return Finding(
                result: .pass, seen: "\(during) is empty", allowed: allowed, sentence: "\(node): \(during) is empty")
        }
        let history = ProcessHistory(of: node, in: view)
        let began = history.state(at: interval.outer.lowerBound)
        let departures = history.changes.filter { change in
            change.to != state && interval.contains(change.at) != .no
        }
        let isCertain = departures.contains { interval.contains($0.at) == .yes }
        guard began != state || !departures.isEmpty else {
            return Finding(
                result: .pass, seen: state.rawValue, allowed: allowed, sentence: "\(node) was \(state.rawValue)")
        }
        var seen = "was \(began.rawValue) at \(during.from)"
        if began == state, let first = departures.first {
            seen = "\(Self.words(first.event)) at \(readable(first.at.t))"
        }
        return Finding(
            result: began != state || isCertain ? .fail : .inconclusive, seen: seen, allowed: allowed,
            sentence: "\(node) \(seen), allowed \(allowed)", reasons: Diagnosis(context: self).lastWords(of: node))
    }

    /// A node ended by a signal or with a code.
    func judgeExit(_ node: String, signal: String?, code: Int?) -> Finding {
        let exits = view.processes.filter { $0.node == node && $0.change == .exited }
        let allowed = signal.map { "ended by SIG\(SignalTable.bare($0))" } ?? "ended with code \(code ?? 0)"
        let isThere = exits.contains { exit in
            if let signal { return exit.signal == SignalTable.number(of: signal) && exit.signal != nil }
            return exit.signal == nil && exit.code == code ?? 0
        }
        let seen = exits.isEmpty ? "never ended" : exits.map(Self.words).joined(separator: ", ")
        return Finding(
            result: isThere ? .pass : .fail, seen: seen, allowed: allowed,
            sentence: "\(node) \(seen), allowed \(allowed)",
            reasons: isThere ? [] : Diagnosis(context: self).lastWords(of: node))
    }

    static func words(_ event: JournalEvent.Process) -> String {
        switch event.change {
        case .started: return "started"
        case .ready: return "was ready"
        case .paused: return "was paused"
        case .resumed: return "was resumed"
        case .exited:
            if let signal = event.signal { return "was ended by \(SignalTable.name(of: signal))" }
            return "exited with code \(event.code ?? 0)"
        }
    }
}

/// The signals that scenarios name, with their numbers on Linux and macOS where these agree.
enum SignalTable {
    private static let signals: [(name: String, number: Int)] = [
        ("HUP", 1), ("INT", 2), ("QUIT", 3), ("ILL", 4), ("TRAP", 5), ("ABRT", 6), ("FPE", 8), ("KILL", 9),
        ("SEGV", 11),
        ("PIPE", 13), ("ALRM", 14), ("TERM", 15),
    ]

    /// `SIGKILL`, or `signal 42` for one without a name here.
    static func name(of number: Int) -> String {
        signals.first { $0.number == number }.map { "SIG" + $0.name } ?? "signal \(number)"
    }

    /// Of `KILL`, `SIGKILL` or `9`.
    static func number(of name: String) -> Int? {
        Int(name) ?? signals.first { $0.name == bare(name) }?.number
    }

    static func bare(_ name: String) -> String {
        let upper = name.uppercased()
        return upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
    }
}

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
        // A process that nobody let run cannot have stopped yet either.
        let first = interval.outer.lowerBound.clampedAdding(forgiven.delay)
        let began = history.state(at: first)
        let departures = history.changes.filter { change in
            change.to != state && change.at.latest >= first && interval.contains(change.at) != .no
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
            sentence: "\(node) \(seen), allowed \(allowed)",
            reasons: reasons(of: node, from: interval.outer.lowerBound, through: interval.outer.upperBound))
    }

    /// What the time line did to a node, and what it said last.
    private func reasons(of node: String, from first: Int64, through last: Int64) -> [String] {
        let diagnosis = Diagnosis(context: self)
        return diagnosis.steps(on: node, from: first, through: last) + diagnosis.lastWords(of: node)
    }

    /// A node ended by a signal or with a code.
    func judgeExit(_ node: String, signal: String?, code: Int?) -> Finding {
        let exits = view.processes.filter { $0.node == node && $0.change == .exited }
        let allowed =
            signal.map { "ended by SIG\(SignalName.number(of: $0).map(SignalName.name(of:)) ?? $0)" }
            ?? "ended with code \(code ?? 0)"
        let isThere = exits.contains { exit in
            if let signal { return exit.signal != nil && exit.signal == SignalName.number(of: signal).map(Int.init) }
            return exit.signal == nil && exit.code == code ?? 0
        }
        let seen = exits.isEmpty ? "never ended" : exits.map(Self.words).joined(separator: ", ")
        return Finding(
            result: isThere ? .pass : .fail, seen: seen, allowed: allowed,
            sentence: "\(node) \(seen), allowed \(allowed)",
            reasons: isThere ? [] : reasons(of: node, from: .min, through: .max))
    }

    static func words(_ event: JournalEvent.Process) -> String {
        switch event.change {
        case .started: return "started"
        case .ready: return "was ready"
        case .paused: return "was paused"
        case .resumed: return "was resumed"
        case .exited:
            if let signal = event.signal { return "was ended by SIG\(SignalName.name(of: Int32(clamping: signal)))" }
            return "exited with code \(event.code ?? 0)"
        }
    }
}

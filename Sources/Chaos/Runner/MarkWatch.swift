// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Finds the marks that `becomes` expectations make while a run goes on, by the same rule as their judge: the first
/// such change at or after the mark it is measured from. A value without time or timers.
struct MarkWatch {
    private struct Wanted {
        var mark: MarkName
        var transition: Transition
    }

    private struct Change {
        var at: Nanoseconds
        var to: HealthState
    }

    private var wanted: [Wanted]
    private var routable: [TargetKey: [String: Bool]] = [:]
    private var changes: [TargetKey: [Change]] = [:]
    private let ownMarks: Set<MarkName>

    init(_ plan: Plan) {
        wanted = plan.expectations.compactMap { expectation in
            guard case .transition(let transition) = expectation.kind, let mark = transition.mark else { return nil }
            return Wanted(mark: mark, transition: transition)
        }
        ownMarks = Set(wanted.map(\.mark))
    }

    /// Whether it finds this mark; others need the judges.
    func finds(_ mark: MarkName) -> Bool { ownMarks.contains(mark) }

    mutating func observe(_ event: JournalEvent.Health) {
        let key = TargetKey(event.place)
        routable[key, default: [:]][event.place.address] = event.isRoutable
        let state: HealthState = routable[key]?.values.contains(true) ?? true ? .healthy : .unhealthy
        guard state != changes[key]?.last?.to ?? .healthy else { return }
        changes[key, default: []].append(Change(at: Nanoseconds(event.at.t), to: state))
    }

    /// A gateway that starts anew takes every target for healthy.
    mutating func restarted(_ gateway: String, at instant: Nanoseconds) {
        for (key, list) in changes where key.gateway == gateway {
            routable[key] = [:]
            if list.last?.to == .unhealthy { changes[key]?.append(Change(at: instant, to: .healthy)) }
        }
    }

    /// What can be told now, each once, in the order in which they depend on each other.
    mutating func found(_ known: (MarkName) -> Nanoseconds?) -> [(mark: MarkName, at: Nanoseconds)] {
        var found: [(mark: MarkName, at: Nanoseconds)] = []
        var isNew = true
        while isNew {
            isNew = false
            for (index, want) in wanted.enumerated() {
                let after = want.transition.after
                let base = known(after.mark) ?? found.first { $0.mark == after.mark }?.at
                guard let base, let change = first(want.transition, from: base + after.offset) else { continue }
                found.append((want.mark, change.at))
                wanted.remove(at: index)
                isNew = true
                break
            }
        }
        return found
    }

    private func first(_ transition: Transition, from instant: Nanoseconds) -> Change? {
        changes[TargetKey(transition.target)]?.first { $0.to == transition.becomes && $0.at >= instant }
    }
}

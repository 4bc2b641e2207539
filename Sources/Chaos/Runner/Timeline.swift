// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What of a scenario's time line is to be done when: a pure machine. It is told the instants of marks, whether
/// conditions hold, and what was done; it says what is due. All times are from the start of the load.
package struct Timeline: Sendable {
    package enum Order: Hashable, Sendable {
        /// Index into the plan's steps.
        case perform(Int)
        case undo(Int)
    }

    private enum Progress: Hashable, Sendable {
        case waiting
        /// Ordered; `at` is when it was due.
        case doing(due: Nanoseconds)
        /// Done; to be undone then, or never.
        case done(undoAt: Nanoseconds?)
        case undoing
        case over
    }

    private let steps: [Step]
    private var progress: [Progress]
    private var marks: [MarkName: Nanoseconds] = [.start: .zero]
    private var performedAt: [Int: Nanoseconds] = [:]

    package init(_ steps: [Step]) {
        self.steps = steps
        progress = steps.map { _ in .waiting }
    }

    // MARK: Inputs

    /// A mark was seen; the first sighting counts.
    package mutating func know(_ mark: MarkName, at instant: Nanoseconds) {
        if marks[mark] == nil { marks[mark] = instant }
    }

    /// The precondition was looked at before the load started: there is nothing left to do for it.
    package mutating func skip(_ index: Int) { progress[index] = .over }

    /// - Parameter holds: whether a condition is true now.
    /// - Returns: what is due by `now`, in the order of time and, at one instant, of the file; undoing comes first, so
    ///   that a fault that is replaced at the same instant is gone before the next one is there.
    package mutating func advance(to now: Nanoseconds, holds: (Condition) -> Bool) -> [Order] {
        var due: [(at: Nanoseconds, rank: Int, order: Order)] = []
        for index in steps.indices {
            switch progress[index] {
            case .waiting:
                guard let at = dueTime(index, now: now, holds: holds), at <= now else { continue }
                progress[index] = .doing(due: at)
                due.append((at, 1, .perform(index)))
            case .done(let undoAt?) where undoAt <= now:
                progress[index] = .undoing
                due.append((undoAt, 0, .undo(index)))
            case .doing, .done, .undoing, .over: continue
            }
        }
        return due.enumerated()
            .sorted { ($0.element.at, $0.element.rank, $0.offset) < ($1.element.at, $1.element.rank, $1.offset) }
            .map(\.element.order)
    }

    /// A step has its effect since `instant`. Its length counts from when it was due, so that a slow step does not
    /// lengthen what is to be undone at a known time; one without a time of its own counts from its effect.
    package mutating func performed(_ index: Int, at instant: Nanoseconds) {
        guard case .doing(let due) = progress[index] else { return }
        performedAt[index] = instant
        for mark in steps[index].marksDone { know(mark, at: instant) }
        guard let length = steps[index].length else { return progress[index] = .over }
        let start = if case .at = steps[index].trigger { due } else { instant }
        progress[index] = .done(undoAt: start + length)
    }

    package mutating func undone(_ index: Int, at instant: Nanoseconds) {
        progress[index] = .over
        for mark in steps[index].marksUndone { know(mark, at: instant) }
    }

    /// It could not be done or undone.
    package mutating func failed(_ index: Int) {
        progress[index] = .over
        performedAt[index] = nil
    }

    // MARK: Outputs

    /// When something with a known time is due next; nil when all that is left waits for a mark or a condition.
    package var nextDeadline: Nanoseconds? {
        steps.indices.compactMap { index in
            switch progress[index] {
            case .waiting: dueTime(index)
            case .done(let undoAt): undoAt
            case .doing, .undoing, .over: nil
            }
        }.min()
    }

    /// The marks that steps wait for and that are not known yet.
    package var awaited: Set<MarkName> {
        Set(
            steps.indices.compactMap { index in
                if case .waiting = progress[index], case .at(let expression) = steps[index].trigger {
                    return marks[expression.mark] == nil ? expression.mark : nil
                }
                return nil
            })
    }

    /// A step waits for a mark that is not known yet: an observed one, as a rule.
    package var awaitsMarks: Bool { !awaited.isEmpty }

    package func instant(of mark: MarkName) -> Nanoseconds? { marks[mark] }

    /// Steps that were not begun, in the order of the file.
    package var unreached: [Int] { steps.indices.filter { progress[$0] == .waiting } }

    /// Steps that are in force, the last one first: the order in which they are taken back at the end. A step that
    /// waits for nothing any more (without `for:`) counts too.
    package var inForce: [Int] {
        steps.indices.filter { index in
            switch progress[index] {
            case .done, .doing: true
            case .over: performedAt[index] != nil && steps[index].length == nil
            case .waiting, .undoing: false
            }
        }
        .sorted { (performedAt[$0] ?? .zero, $0) > (performedAt[$1] ?? .zero, $1) }
    }

    /// Steps that are in force and will be undone, in the order of the file.
    package var active: [Int] {
        steps.indices.filter { if case .done(_?) = progress[$0] { true } else { false } }
    }

    private func dueTime(_ index: Int, now: Nanoseconds, holds: (Condition) -> Bool) -> Nanoseconds? {
        if case .when(let condition) = steps[index].trigger { return holds(condition) ? now : nil }
        return dueTime(index)
    }

    private func dueTime(_ index: Int) -> Nanoseconds? {
        guard case .at(let expression) = steps[index].trigger, let mark = marks[expression.mark] else { return nil }
        return mark + expression.offset
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

// The time line: orders of the pure `Timeline` are given to the driver, what came of them to the journal.
extension ScenarioRun {
    /// Does what is due, and sets one timer for what is due next.
    func advanceTimeline() {
        guard phase == .load, let loadStart else { return }
        let orders = timeline.advance(to: now + options.lead) { status.holds($0) }
        for order in orders { carryOut(order) }
        guard let next = timeline.nextDeadline else { return }
        let due = loadStart + (next - options.lead).timeAmount
        if let timer = timelineTimer, timer.due <= due, timer.due > loop.now { return }
        timelineTimer?.task.cancel()
        let task = loop.assumeIsolated().scheduleTask(deadline: due) { [weak self] in
            self?.timelineTimer = nil
            self?.advanceTimeline()
        }
        timelineTimer = (task, due)
    }

    private func carryOut(_ order: Timeline.Order) {
        let index =
            switch order {
            case .perform(let index), .undo(let index): index
            }
        let action = plan.steps[index].action
        let name = plan.steps[index].name ?? "step \(index)"
        let former = lastStep[action.subject] ?? loop.makeSucceededVoidFuture()
        let done = former.assumeIsolated().flatMap { () -> EventLoopFuture<StepEffect> in
            switch order {
            case .perform: self.driver.perform(action, name: name)
            case .undo: self.driver.undo(action, name: name)
            }
        }
        done.whenComplete { result in self.carriedOut(order, index, result) }
        lastStep[action.subject] = done.map { _ in }.nonisolated().recover { _ in }
    }

    private func carriedOut(_ order: Timeline.Order, _ index: Int, _ result: Result<StepEffect, any Error>) {
        guard phase == .load else { return }
        switch result {
        case .success(let effect):
            let at = instant(of: effect)
            switch order {
            case .perform:
                timeline.performed(index, at: Nanoseconds(at.t))
                journal.append(.step(step(index, .started, at)))
            case .undo:
                timeline.undone(index, at: Nanoseconds(at.t))
                journal.append(.step(step(index, .ended, at)))
            }
            advanceTimeline()
        case .failure(let error):
            timeline.failed(index)
            let what =
                "step \(plan.steps[index].name ?? "\(index + 1)") (\(plan.steps[index].location)) could not be "
                + (order == .perform(index) ? "done: " : "undone: ") + Self.text(of: error)
            journal.append(.step(step(index, .failed, Instant(now.count), text: what)))
            // What was to be tested never came about.
            end(.topology, what)
        }
    }

    /// The mark of a step is the instant from which its effect is certain; it may have set in before.
    private func instant(of effect: StepEffect) -> Instant {
        let start = Int64(loadStart?.uptimeNanoseconds ?? 0)
        let latest = Int64(effect.latest.uptimeNanoseconds) - start
        return Instant(latest, lo: max(0, latest - (Int64(effect.earliest.uptimeNanoseconds) - start)))
    }

    func step(_ index: Int, _ phase: JournalEvent.Step.Phase, _ at: Instant, text: String? = nil) -> JournalEvent.Step {
        let step = plan.steps[index]
        return JournalEvent.Step(
            at: at, index: index, name: step.name, phase: phase, text: text ?? step.action.phrase,
            isCheckpoint: step.action == .checkpoint)
    }

    /// Observed marks, for steps that wait for one: the judges find them in the journal so far.
    func learnMarks() {
        for mark in RunJudge.marks(plan, journal.builder.finished()) {
            timeline.know(MarkName(mark.name), at: mark.at)
        }
        advanceTimeline()
    }
}

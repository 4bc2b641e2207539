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
                writeFamilyMarks(plan.steps[index].marksDone, of: index, at)
            case .undo:
                timeline.undone(index, at: Nanoseconds(at.t))
                journal.append(.step(step(index, .ended, at)))
                writeFamilyMarks(plan.steps[index].marksUndone, of: index, at)
            }
            learnMarks()
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

    /// A step's own marks follow from its events; those of the family it belongs to are written apart.
    private func writeFamilyMarks(_ marks: [MarkName], of index: Int, _ at: Instant) {
        let step = plan.steps[index]
        for mark in marks where mark != step.mark && mark != step.endMark {
            journal.append(.mark(.init(at: at, name: mark.text)))
        }
    }

    // MARK: Observed marks

    /// Marks of health changes, for steps that wait for one: known with the event that makes them.
    func learnMarks() {
        guard timeline.awaitsMarks else { return }
        for (mark, at) in markWatch.found({ timeline.instant(of: $0) }) { timeline.know(mark, at: at) }
    }

    /// All other marks (edges of windows, recoveries): the judges find them in the journal so far. The edge of a window
    /// counts when no later answer can move it.
    func learnSlowMarks() {
        let slow = timeline.awaited.filter { name in
            !markWatch.finds(name) && plan.expectations.contains { $0.marksMade.contains(name) }
        }
        guard !slow.isEmpty else { return }
        for mark in RunJudge.marks(plan, journal.builder.finished()) where slow.contains(MarkName(mark.name)) {
            if mark.at + settlingTime(of: MarkName(mark.name)) <= now {
                timeline.know(MarkName(mark.name), at: mark.at)
            }
        }
        learnMarks()
        advanceTimeline()
    }

    private func settlingTime(of mark: MarkName) -> Nanoseconds {
        for case .window(let window) in plan.expectations.map(\.kind) {
            if let name = window.mark, mark.text == name.text + ".end" { return window.gap + .milliseconds(250) }
        }
        return .zero
    }

    // MARK: The end

    /// Takes back what is still in force, the last step first. What was killed stays dead: all of it ends now anyway.
    func takeBack() -> EventLoopFuture<Void> {
        var done = loop.makeSucceededVoidFuture()
        for index in timeline.inForce where plan.steps[index].action.isTakenBack {
            let step = plan.steps[index]
            done = done.assumeIsolated().flatMap { () -> EventLoopFuture<Void> in
                self.driver.undo(step.action, name: step.name ?? "step \(index)").assumeIsolated()
                    .map { _ in self.note("taken back at the end: \(step.action.phrase)") }
                    .recover { error in
                        self.note("\(step.action.phrase) could not be taken back: \(Self.text(of: error))")
                    }
                    .nonisolated()
            }.nonisolated()
        }
        return done
    }
}

extension Step.Action {
    /// Taken back at the end of a run when it is still in force.
    fileprivate var isTakenBack: Bool {
        switch self {
        case .set, .fault, .names, .stress, .pause, .configure, .health: true
        case .run(_, let undo): undo != nil
        case .signal(_, let name): SignalName.effect(of: name) == .stops
        case .checkpoint, .kill, .resume, .start, .restart, .stop: false
        }
    }
}

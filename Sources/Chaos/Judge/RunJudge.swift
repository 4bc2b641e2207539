// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import World

/// Judges a whole run: marks in the order in which they depend on each other, then expectations and invariants, then
/// the run itself. A pure function of the plan and the journal.
package struct RunJudge {
    private var context: JudgeContext
    private var plan: Plan { context.plan }
    private var view: JournalView { context.view }

    /// The verdict over a finished run.
    package static func judge(_ plan: Plan, _ view: JournalView) -> RunVerdict {
        var judge = RunJudge(plan, view)
        return judge.verdict()
    }

    /// The marks that can be told so far, also those that expectations make (`as:`), in the order of the plan. For a
    /// runner that has to start a step after an observed mark.
    package static func marks(_ plan: Plan, _ view: JournalView) -> [ObservedMark] {
        var judge = RunJudge(plan, view)
        _ = judge.findings()
        return judge.observedMarks(sorted: false)
    }

    private init(_ plan: Plan, _ view: JournalView) {
        let isVirtual = view.header?.isVirtual ?? false
        let plan = view.header.map { plan.drawn(RandomStreams(seed: $0.seed)) } ?? plan
        context = JudgeContext(plan: plan, view: view, slack: isVirtual ? 0 : Self.slack(plan, view))
    }

    /// How late timers of this host were, p99.9; what the scenario fixes instead.
    private static func slack(_ plan: Plan, _ view: JournalView) -> Int64 {
        if let timer = plan.tolerance.timer { return timer.count }
        return view.ending?.canary?.p999 ?? view.lateness.filter { $0.source == .canary }.map(\.late).max() ?? 0
    }
}

// MARK: Verdicts

extension RunJudge {
    private mutating func verdict() -> RunVerdict {
        let findings = findings()
        var verdicts = zip(plan.expectations, findings).map { expectation, finding in
            let focus = context.focus(of: expectation, finding)
            var verdict = settled(
                Self.verdict(expectation, finding), decided: context.decision(of: expectation)
            ) { context.starvation(of: expectation, focus) }
            verdict.focus = focus
            verdict.weight = expectation.weight
            verdict.comparisons = finding.comparisons
            return verdict
        }
        var violations: [(id: String, at: Int64)] = []
        for invariant in plan.invariants {
            let (verdict, first) = verdict(invariant)
            verdicts.append(
                settled(verdict, decided: first ?? view.lastInstant) {
                    context.starvation(of: invariant, firstViolation: first)
                })
            if let first { violations.append((invariant.id, first)) }
        }
        let checkpoints = failedCheckpoints(violations)
        verdicts += checkpoints.map(\.verdict)
        let (result, reasons) = result(verdicts, isPreconditionMet: !checkpoints.contains { $0.index == 0 })
        if result != .pass && result != .fail { verdicts = verdicts.map { Self.withheld($0, reasons) } }
        return RunVerdict(
            result: result, reasons: reasons, verdicts: verdicts, marks: observedMarks(sorted: true),
            reproduce: reproduce, slack: Nanoseconds(context.slack))
    }

    /// A failure is none that a stall of the host may have caused, or that would not have been had processes not waited
    /// for a core.
    private func settled(_ verdict: Verdict, decided: Int64, starvation: () -> String?) -> Verdict {
        guard verdict.result == .fail,
            let excuse = context.stalls.excuse(forFailureAt: decided)?.capitalizingFirst ?? starvation()
        else { return verdict }
        var verdict = verdict
        verdict.result = .inconclusive
        verdict.reasons = [excuse] + verdict.reasons
        return verdict
    }

    /// In a run that cannot be judged nothing can have failed, but the checkpoint that says so.
    private static func withheld(_ verdict: Verdict, _ reasons: [String]) -> Verdict {
        guard verdict.result == .fail, verdict.group != .checkpoint else { return verdict }
        var verdict = verdict
        verdict.result = .inconclusive
        verdict.reasons = reasons.prefix(1) + verdict.reasons
        return verdict
    }

    /// In the order of the file; judged in the order of the marks.
    private mutating func findings() -> [Finding] {
        var findings = [Finding?](repeating: nil, count: plan.expectations.count)
        let rest = plan.expectations.indices.filter { !plan.judgingOrder.contains($0) }
        for index in plan.judgingOrder + rest where plan.expectations.indices.contains(index) {
            let expectation = plan.expectations[index]
            var finding: Finding
            do throws(Unjudgeable) {
                finding = try context.judge(expectation)
            } catch {
                finding = error.finding
                finding.marks = marksThatFail(with: expectation, because: error)
            }
            for mark in finding.marks { context.marks[mark.name] = mark.value }
            findings[index] = finding
        }
        return findings.compactMap(\.self)
    }

    /// What depends on an expectation that could not be judged points to the same root.
    private func marksThatFail(with expectation: Expectation, because error: Unjudgeable) -> [Finding.FoundMark] {
        plan.marks.compactMap { mark in
            guard case .expectation(let index) = mark.origin, plan.expectations.indices.contains(index),
                plan.expectations[index].id == expectation.id
            else { return nil }
            return .init(name: mark.name, value: .missing(root: error.root ?? expectation.id, result: error.result))
        }
    }

    private static func verdict(_ expectation: Expectation, _ finding: Finding) -> Verdict {
        Verdict(
            id: expectation.id, group: .expectation, kind: expectation.kind.word, severity: expectation.severity,
            result: finding.result, seen: finding.seen, allowed: finding.allowed, sentence: finding.sentence,
            reasons: finding.reasons, why: expectation.why, location: expectation.location)
    }

    private func verdict(_ invariant: Invariant) -> (Verdict, firstViolation: Int64?) {
        let found: JudgeContext.InvariantFinding
        do throws(Unjudgeable) {
            found = try context.judge(invariant)
        } catch {
            found = JudgeContext.InvariantFinding(finding: error.finding, firstViolation: nil)
        }
        var verdict = Verdict(
            id: invariant.id, group: .invariant, kind: invariant.kind.word, result: found.finding.result,
            seen: found.finding.seen, allowed: found.finding.allowed, sentence: found.finding.sentence,
            reasons: found.finding.reasons, why: invariant.why, location: invariant.location)
        verdict.focus = found.firstViolation.map { Focus(range: $0...$0) }
        return (verdict, found.finding.result == .fail ? found.firstViolation : nil)
    }

    /// A checkpoint fails when the runner says so, or when an invariant was violated before it.
    private func failedCheckpoints(_ violations: [(id: String, at: Int64)]) -> [(index: Int, verdict: Verdict)] {
        view.steps.filter { $0.isCheckpoint && $0.phase != .ended }.compactMap { step in
            let broken = violations.filter { $0.at <= step.at.t }.map(\.id)
            guard step.phase == .failed || !broken.isEmpty else { return nil }
            let name = step.name ?? "checkpoint at \(readable(step.at.t))"
            let seen = broken.isEmpty ? step.text : "violated before it: \(broken.joined(separator: ", "))"
            return (
                step.index,
                Verdict(
                    id: name, group: .checkpoint, kind: "checkpoint", result: .fail, seen: seen,
                    allowed: "all invariants hold", sentence: "checkpoint \(name) did not hold: \(seen)")
            )
        }
    }
}

// MARK: The run

extension RunJudge {
    private func result(_ verdicts: [Verdict], isPreconditionMet: Bool) -> (RunResult, reasons: [String]) {
        let detail = view.ending.map { $0.detail.isEmpty ? [] : [$0.detail] } ?? []
        switch view.ending?.reason {
        case .internalError: return (.internalError, detail)
        case .topology: return (.topology, detail)
        case .interrupted: return (.interrupted, detail)
        case .precondition: return (.precondition, detail)
        case .skipped: return (.skipped, detail)
        case nil: return (.inconclusive, ["the journal has no end: the run was cut off"])
        case .finished, .timeout: break
        }
        guard isPreconditionMet else { return (.precondition, detail) }
        if let busy = context.stalls.verdictOnRun { return (.inconclusive, [busy]) }
        if view.ending?.reason == .timeout {
            let excuse = context.stalls.excuse(forFailureAt: view.lastInstant)
            return (
                excuse == nil ? .fail : .inconclusive,
                ["the run did not end within its timeout of \(plan.timeout)"] + [excuse].compactMap(\.self) + detail
            )
        }
        switch Verdict.Result.worst(verdicts.filter { $0.severity == .must }.map(\.result)) {
        case .pass: return (.pass, detail)
        case .fail: return (.fail, detail)
        case .inconclusive: return (.inconclusive, detail)
        }
    }

    private var reproduce: String {
        guard let header = view.header else { return "" }
        let file = header.file.isEmpty ? header.scenario : header.file
        return "gatecrash run \(Self.quoted(file)) --seed \(header.seed)" + (header.isVirtual ? " --virtual" : "")
    }

    /// As a shell needs it.
    private static func quoted(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "-"),
                UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "="):
                true
            default: byte >= 0x80
            }
        }
        return isPlain && !word.isEmpty
            ? word
            : "'"
                + word.split(separator: "'", omittingEmptySubsequences: false)
                .joined(separator: "'\\''") + "'"
    }

    private func observedMarks(sorted: Bool) -> [ObservedMark] {
        let marks = plan.marks.compactMap { definition -> ObservedMark? in
            guard case .seen(let sighting, _) = context.marks[definition.name] else { return nil }
            return ObservedMark(
                name: definition.name.text, at: sighting.at, earliest: sighting.earliest, latest: sighting.latest)
        }
        guard sorted else { return marks }
        return marks.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }
}

extension String {
    fileprivate var capitalizingFirst: String { prefix(1).uppercased() + dropFirst() }
}

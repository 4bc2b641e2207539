// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What the processes of a run waited for a core although they could have run, and what that takes from verdicts.
///
/// `Stalls` are the moments at which the runner was late. Here the runner was on time, and the gateway, a mock or a
/// link was not let run: an answer that took long for that reason proves nothing against the gateway. What a `stress`
/// step burns is what the scenario asks for, and excuses nobody.
struct Starvation: Sendable {
    /// The waits of one process, in the order of time.
    fileprivate struct Track {
        var name: String
        var role: Role
        var samples: [Sample] = []
    }

    /// Between two looks; at which moments between them is not known.
    fileprivate struct Sample {
        var from: Int64
        var through: Int64
        var waited: Int64
    }

    /// A request passes one process of each.
    fileprivate enum Role: Hashable, CaseIterable { case runner, gateway, mock, program }

    /// What of the waits a judge overlooks, to find out whether a failure would have been one without them.
    enum Forgiveness: Hashable, Sendable {
        case nothing
        /// Something may have come later by so many nanoseconds.
        case delay(Int64)
        /// The latency of a request is taken without what was waited meanwhile.
        case latency
        /// What became of a request that was held up until its time was over is left open.
        case timeouts

        var delay: Int64 { if case .delay(let delay) = self { delay } else { 0 } }
    }

    private var tracks: [Track] = []

    init(plan: Plan, view: JournalView) {
        guard view.header?.isVirtual != true, !view.waits.isEmpty else { return }
        let wanted = Self.burnt(plan, view)
        var places: [String?: Int] = [:]
        for event in view.waits {
            let sample = Sample(from: event.at.earliest, through: event.at.t, waited: event.waited)
            guard !wanted.contains(where: { $0.overlaps(sample.from...sample.through) }) else { continue }
            let place = places[event.node] ?? tracks.count
            if place == tracks.count {
                places[event.node] = place
                tracks.append(Self.track(of: event.node, view))
            }
            tracks[place].samples.append(sample)
        }
    }

    private static func track(of node: String?, _ view: JournalView) -> Track {
        guard let node else { return Track(name: "the runner", role: .runner) }
        return switch view.header?.nodes.first(where: { $0.id == node })?.role {
        case .mock: Track(name: "mock \(node)", role: .mock)
        case .program: Track(name: "program \(node)", role: .program)
        case .gateway, .remote, nil:
            Track(name: node == "gateway" ? "the gateway" : "gateway \(node)", role: .gateway)
        }
    }

    /// When steps of the scenario burnt processors.
    private static func burnt(_ plan: Plan, _ view: JournalView) -> [ClosedRange<Int64>] {
        plan.steps.indices.compactMap { index in
            guard case .stress(let stress) = plan.steps[index].action, stress.processor != nil else { return nil }
            let events = view.steps.filter { $0.index == index }
            guard let started = events.first(where: { $0.phase == .started })?.at.earliest else { return nil }
            let ended = events.last { $0.phase == .ended }?.at.latest ?? .max
            return started...max(started, ended)
        }
    }

    var isEmpty: Bool { tracks.isEmpty }

    static let second: Int64 = 1_000_000_000
}

extension Starvation {
    /// By how much something that went through every kind of process between two instants may have been held up. No
    /// more than the time itself, and no process more than that it waited.
    func delay(from first: Int64, through last: Int64) -> Int64 {
        guard first <= last else { return 0 }
        let sum = Role.allCases.reduce(0 as Int64) { sum, role in
            let most = tracks.filter { $0.role == role }.map { $0.waited(from: first, through: last) }.max()
            return sum.clampedAdding(most ?? 0)
        }
        return min(sum, last.clampedSubtracting(first))
    }

    /// The most that anything may have been held up within one second of a range.
    func worstDelay(in range: ClosedRange<Int64>) -> Int64 {
        let ends = tracks.flatMap { track in
            track.indices(from: range.lowerBound, through: range.upperBound).map { track.samples[$0].through }
        }
        return ends.map { end in
            delay(from: max(range.lowerBound, end.clampedSubtracting(Self.second)), through: min(range.upperBound, end))
        }.max() ?? 0
    }

    /// `The gateway waited 120ms and api-1 61ms for a core between 12s and 12.3s, …`; nil when nobody did.
    func excuse(in range: ClosedRange<Int64>) -> String? {
        let waits = tracks.compactMap { track -> (name: String, waited: Int64)? in
            let waited = track.waited(from: range.lowerBound, through: range.upperBound)
            return waited > 0 ? (track.name, waited) : nil
        }.sorted { ($1.waited, $0.name) < ($0.waited, $1.name) }
        guard let first = waits.first else { return nil }
        var text = "\(first.name.prefix(1).uppercased())\(first.name.dropFirst()) waited \(readable(first.waited))"
        for other in waits.dropFirst().prefix(2) where other.waited >= first.waited / 4 {
            text += " and \(other.name) \(readable(other.waited))"
        }
        return text + " for a core between \(readable(range.lowerBound)) and \(readable(range.upperBound)), more than "
            + "the bound leaves room for: that proves nothing against the gateway"
    }
}

extension Starvation.Track {
    /// The samples that overlap a range.
    fileprivate func indices(from first: Int64, through last: Int64) -> Range<Int> {
        let start = samples.partitionIndex { $0.through > first }
        let end = samples.partitionIndex { $0.from >= last }
        return start..<max(start, end)
    }

    fileprivate func waited(from first: Int64, through last: Int64) -> Int64 {
        indices(from: first, through: last).reduce(0 as Int64) { sum, index in
            let sample = samples[index]
            let shared = min(last, sample.through) - max(first, sample.from)
            return sum.clampedAdding(min(max(0, sample.waited), max(0, shared)))
        }
    }
}

// MARK: What it takes from a failure

extension JudgeContext {
    /// Why a failed expectation proves nothing: without what processes waited for a core it would not have failed.
    /// Nil when it stands.
    func starvation(of expectation: Expectation, _ focus: Focus?) -> String? {
        guard !starvation.isEmpty else { return nil }
        let range: ClosedRange<Int64>
        let forgiveness: Starvation.Forgiveness
        switch expectation.kind {
        case .latency(let latency):
            guard let slowest = slowest(latency) else { return nil }
            (range, forgiveness) = (slowest, .latency)
        case .transition, .window, .recovery, .probes:
            range = moment(focus)
            forgiveness = .delay(starvation.worstDelay(in: range))
        case .process(_, _, let during):
            guard let interval = try? interval(during) else { return nil }
            let start = interval.outer.lowerBound
            range = max(0, start.clampedSubtracting(Starvation.second))...max(0, start.clampedAdding(Starvation.second))
            forgiveness = .delay(starvation.worstDelay(in: range))
        default:
            guard let (loads, during) = outcomes(of: expectation.kind), let heldUp = heldUp(loads, during: during)
            else { return nil }
            (range, forgiveness) = (heldUp, .timeouts)
        }
        guard let finding = try? forgiving(forgiveness).judge(expectation), finding.result != .fail else { return nil }
        return starvation.excuse(in: range)
    }

    /// Of which loads, and when, an expectation is about what became of requests.
    private func outcomes(of kind: Expectation.Kind) -> (loads: [String], during: During)? {
        switch kind {
        case .count(let count): (count.filter.loads, count.during)
        case .sometimes(let filter, let during): (filter.loads, during)
        case .availability(let availability): (availability.loads, availability.during)
        case .requests(let bounds): (bounds.loads, bounds.during)
        default: nil
        }
    }

    func starvation(of invariant: Invariant, firstViolation: Int64?) -> String? {
        guard !starvation.isEmpty, let first = firstViolation else { return nil }
        let range: ClosedRange<Int64>
        let forgiveness: Starvation.Forgiveness
        switch invariant.kind {
        case .alwaysLatency:
            let row = view.requests.rows(from: first, through: first).first
            range = first...max(first, row.flatMap { view.requests.end($0) } ?? view.lastInstant)
            forgiveness = .latency
        case .neverOutcome(let filter):
            guard let heldUp = heldUp(filter.loads, during: invariant.during) else { return nil }
            (range, forgiveness) = (heldUp, .timeouts)
        case .alwaysAvailability(let availability):
            guard let heldUp = heldUp(availability.loads, during: invariant.during) else { return nil }
            (range, forgiveness) = (heldUp, .timeouts)
        default: return nil
        }
        guard let found = try? forgiving(forgiveness).judge(invariant), found.finding.result != .fail else {
            return nil
        }
        return starvation.excuse(in: range)
    }

    /// Whether what became of a request is left open: it was given up after some time, by the client, by the gateway
    /// or as the run ended, and those on its way waited for a core for at least half of that time.
    func isLeftOpen(_ row: Int) -> Bool { forgiven == .timeouts && isHeldUp(row) }

    private func isHeldUp(_ row: Int) -> Bool {
        let requests = view.requests
        switch requests.failure(row) {
        case .timeout, .connectTimeout, .aborted: break
        default: guard requests.status(row) == 504, requests.origin(row) != .upstream else { return false }
        }
        let planned = requests.planned[row]
        let end = max(planned, requests.end(row) ?? view.lastInstant)
        return starvation.delay(from: planned, through: end) >= (end - planned + 1) / 2
    }

    /// From the start of the first to the end of the last request that was held up until its time was over.
    private func heldUp(_ loads: [String], during: During) -> ClosedRange<Int64>? {
        guard let interval = try? interval(during) else { return nil }
        let heldUp = rows(in: interval, loads: loads).narrowed { isHeldUp($0) }
        guard let first = heldUp.first else { return nil }
        let planned = view.requests.planned[first]
        return planned...heldUp.reduce(planned) { max($0, view.requests.end($1) ?? view.lastInstant) }
    }

    /// What came late was held up in the second before it was due, or later.
    private func moment(_ focus: Focus?) -> ClosedRange<Int64> {
        guard let focus else { return 0...max(0, view.lastInstant) }
        let last = focus.range.upperBound
        let due = min(focus.allowed?.upperBound ?? focus.range.lowerBound, last)
        return due.clampedSubtracting(Starvation.second)...last
    }

    /// From the planned start to the end of the slowest request that counts.
    private func slowest(_ latency: LatencyBounds) -> ClosedRange<Int64>? {
        guard let interval = try? interval(latency.during) else { return nil }
        let slowest = rows(in: interval, loads: latency.filter.loads)
            .narrowed { match(latency.filter, $0) != .no && view.requests.latency($0) != nil }
            .max { view.requests.latency($0) ?? 0 < view.requests.latency($1) ?? 0 }
        return slowest.map { row in
            let planned = view.requests.planned[row]
            return planned...max(planned, view.requests.end(row) ?? planned)
        }
    }

    /// What a request took; without what processes waited meanwhile when that is forgiven.
    func latency(_ row: Int, corrected: Bool = true) -> Int64? {
        guard let latency = view.requests.latency(row, corrected: corrected) else { return nil }
        guard forgiven == .latency, let end = view.requests.end(row) else { return latency }
        return max(0, latency - starvation.delay(from: end.clampedSubtracting(latency), through: end))
    }
}

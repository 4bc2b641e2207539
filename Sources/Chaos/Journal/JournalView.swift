// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A journal, indexed for the judges. A value: judging it twice gives the same verdicts.
package struct JournalView: Sendable {
    package fileprivate(set) var header: JournalEvent.Header?
    /// Sorted by planned start.
    package fileprivate(set) var requests = RequestTable()
    /// Sorted by time, joined with `requests`.
    package fileprivate(set) var served = ServedTable()
    /// The following are sorted by time; events of one instant keep the order of the journal.
    package fileprivate(set) var health: [JournalEvent.Health] = []
    package fileprivate(set) var probes: [JournalEvent.Probe] = []
    package fileprivate(set) var attempts: [JournalEvent.Attempt] = []
    package fileprivate(set) var configurations: [JournalEvent.Configuration] = []
    package fileprivate(set) var documents: [JournalEvent.GivenDocument] = []
    package fileprivate(set) var processes: [JournalEvent.Process] = []
    /// What faults on links hit; what they spared is in the file alone.
    package fileprivate(set) var faults: [JournalEvent.Fault] = []
    package fileprivate(set) var steps: [JournalEvent.Step] = []
    package fileprivate(set) var lateness: [JournalEvent.Lateness] = []
    package fileprivate(set) var waits: [JournalEvent.Waited] = []
    package fileprivate(set) var lookups: [JournalEvent.Lookup] = []
    package fileprivate(set) var usage: [JournalEvent.Usage] = []
    package fileprivate(set) var metrics: [JournalEvent.Metric] = []
    package fileprivate(set) var logs: [JournalEvent.Log] = []
    package fileprivate(set) var notes: [JournalEvent.Note] = []
    package fileprivate(set) var ending: JournalEvent.End?
    /// Marks of steps and of `mark` events, in the order of time; the first of a name counts.
    package fileprivate(set) var marks: [(name: String, at: Instant)] = []
    /// The last instant that anything is known about, nanoseconds.
    package fileprivate(set) var lastInstant: Int64 = 0

    /// When a step or `mark` event of that name was; nil when it was not. `start` is 0; `end`, unless marked, is the
    /// last planned arrival, or the end of the run when there was none.
    package func mark(_ name: String) -> Instant? {
        if let mark = marks.first(where: { $0.name == name }) { return mark.at }
        switch name {
        case "start": return Instant(0)
        case "end": return requests.planned.last.map { Instant($0) } ?? ending?.at
        default: return nil
        }
    }

    /// True when the mocks' records are here, so that the absence of one means something.
    package var hasServedRecords: Bool {
        served.count > 0 || header?.nodes.contains { $0.role == .mock } ?? false
    }

    /// Gathers events in any order; `finished()` sorts and joins them.
    package struct Builder: Sendable {
        private var view = JournalView()
        /// Each place once: millions of events are about a few, and each comes with texts of its own.
        private var places: [JournalEvent.Address: JournalEvent.Address] = [:]

        package init() {}

        package mutating func append(_ event: JournalEvent) {
            if let instant = event.instant { view.lastInstant = max(view.lastInstant, instant.t) }
            switch event {
            case .header(let header): view.header = view.header ?? header
            case .step(let step): view.steps.append(step)
            case .mark(let mark): view.marks.append((mark.name, mark.at))
            case .request(let request):
                view.lastInstant = max(view.lastInstant, Instant.bounded(request.end ?? request.planned))
                view.requests.append(request)
            case .health(var health):
                health.place = kept(health.place)
                view.health.append(health)
            case .probe(var probe):
                probe.place = kept(probe.place)
                view.probes.append(probe)
            case .attempt(var attempt):
                attempt.place = kept(attempt.place)
                // A gateway's own id of a request; judges know requests by ours.
                attempt.request = nil
                view.attempts.append(attempt)
            case .configuration(let configuration): view.configurations.append(configuration)
            case .document(let document): view.documents.append(document)
            case .served(let served): view.served.append(served)
            case .process(let process): view.processes.append(process)
            case .fault(let fault): if fault.isHit { view.faults.append(fault) }
            case .lateness(let lateness): view.lateness.append(lateness)
            case .waited(let waited): view.waits.append(waited)
            case .lookup(let lookup): view.lookups.append(lookup)
            case .usage(let usage): view.usage.append(usage)
            case .metric(let metric): view.metrics.append(metric)
            case .log(let log): view.logs.append(log)
            case .note(let note): view.notes.append(note)
            case .end(let end): view.ending = end
            }
        }

        private mutating func kept(_ place: JournalEvent.Address) -> JournalEvent.Address {
            if let known = places[place] { return known }
            places[place] = place
            return place
        }

        package consuming func finished() -> JournalView {
            view.finish()
            return view
        }
    }
}

// MARK: Finishing

extension JournalView {
    fileprivate mutating func finish() {
        requests.sort()
        served.finish(joining: requests)
        settleOrigins()
        health = Self.sorted(health, by: \.at)
        probes = Self.sorted(probes, by: \.at)
        attempts = Self.sorted(attempts, by: \.at)
        configurations = Self.sorted(configurations, by: \.at)
        processes = Self.sorted(processes, by: \.at)
        steps = Self.sorted(steps, by: \.at)
        waits = Self.sorted(waits, by: \.at)
        for step in steps {
            guard let name = step.name else { continue }
            switch step.phase {
            case .started: marks.append((name, step.at))
            case .ended: marks.append((name + ".end", step.at))
            case .failed: break
            }
        }
        marks = Self.sorted(marks, by: \.at)
    }

    /// Whose answer was it? A mock's when it recorded that very status for the request, else the gateway's own. Without
    /// records nobody knows.
    private mutating func settleOrigins() {
        guard hasServedRecords else { return }
        for row in requests.indices where requests.origin(row) == .unknown {
            guard let status = requests.status(row) else { continue }
            let isUpstream = served.hasRecord(ofRequest: row, status: status)
            requests.setOrigin(isUpstream ? .upstream : .gateway, row: row)
        }
    }

    private static func sorted<Event>(_ events: [Event], by at: (Event) -> Instant) -> [Event] {
        guard zip(events, events.dropFirst()).contains(where: { at($1).t < at($0).t }) else { return events }
        return events.enumerated().sorted { (at($0.element).t, $0.offset) < (at($1.element).t, $1.offset) }.map(
            \.element)
    }
}

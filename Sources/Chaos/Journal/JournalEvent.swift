// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// One line of a journal: everything that was observed in a run, in the order in which the runner learnt of it.
///
/// Times are nanoseconds from the start of the load (`Instant`). The judges read nothing but these events.
package enum JournalEvent: Hashable, Sendable {
    case header(Header)
    case step(Step)
    case mark(Mark)
    case request(Request)
    case health(Health)
    case probe(Probe)
    case attempt(Attempt)
    case configuration(Configuration)
    case document(GivenDocument)
    case served(Served)
    case process(Process)
    case fault(Fault)
    case lateness(Lateness)
    case waited(Waited)
    case lookup(Lookup)
    case usage(Usage)
    case metric(Metric)
    case log(Log)
    case note(Note)
    case end(End)
}

extension JournalEvent {
    /// The value of `kind` in the line.
    package enum Kind: String, CaseIterable, Sendable {
        case header, step, mark, request, health, probe, attempt, config, document, served, process, fault, lateness,
            waited, lookup, usage, metric, log, note, end
    }

    package var kind: Kind {
        switch self {
        case .header: .header
        case .step: .step
        case .mark: .mark
        case .request: .request
        case .health: .health
        case .probe: .probe
        case .attempt: .attempt
        case .configuration: .config
        case .document: .document
        case .served: .served
        case .process: .process
        case .fault: .fault
        case .lateness: .lateness
        case .waited: .waited
        case .lookup: .lookup
        case .usage: .usage
        case .metric: .metric
        case .log: .log
        case .note: .note
        case .end: .end
        }
    }

    /// When it happened; nil for the header.
    package var instant: Instant? {
        switch self {
        case .header: nil
        case .step(let event): event.at
        case .mark(let event): event.at
        case .request(let event): Instant(event.planned)
        case .health(let event): event.at
        case .probe(let event): event.at
        case .attempt(let event): event.at
        case .configuration(let event): event.at
        case .document(let event): event.at
        case .served(let event): event.at
        case .process(let event): event.at
        case .fault(let event): event.at
        case .lateness(let event): event.at
        case .waited(let event): event.at
        case .lookup(let event): event.at
        case .usage(let event): event.at
        case .metric(let event): event.at
        case .log(let event): event.at
        case .note(let event): event.at
        case .end(let event): event.at
        }
    }
}

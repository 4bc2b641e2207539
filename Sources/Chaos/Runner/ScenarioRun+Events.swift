// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import NIOCore

// What the topology and the loads tell, on its way to the journal.
extension ScenarioRun {
    func received(_ event: TopologyEvent) {
        switch event {
        case .gatewayRecord(let gateway, let record):
            journal.append(gatewayRecord: record, of: gateway)
            if record["kind"]?.stringValue == "health" { observe(record, of: gateway) }
        case .mockRecord(let mock, let record): journal.append(mockRecord: record, of: mock)
        case .process(let node, let change, let instant): processChanged(node, change, at: instant)
        case .lookup(let name, let type, let answer, let faults, let instant):
            journal.append(at: instant) { at in
                .lookup(.init(at: at, name: name, type: type, answer: answer, faults: faults))
            }
        case .decision(let decision, let instant):
            journal.append(at: instant) { .fault(.init(at: $0, decision)) }
        case .log(let node, let text): journal.append(at: loop.now) { .log(.init(at: $0, node: node, text: text)) }
        case .document(let gateway, let document):
            journal.append(at: loop.now) { .document(.init(at: $0, gateway: gateway, document: document)) }
        case .note(let text): note(text)
        }
    }

    /// A health change may be what a step waits for.
    private func observe(_ record: JSONValue, of gateway: String) {
        guard let event = try? JournalEvent(gatewayEvent: record, gateway: gateway, loadStart: 0) else { return }
        status.observe(event)
        guard phase == .load, let loadStart, !plan.steps.isEmpty, case .health(var change) = event else { return }
        change.at = Instant(change.at.t.clampedSubtracting(Int64(loadStart.uptimeNanoseconds)))
        markWatch.observe(change)
        learnMarks()
        advanceTimeline()
    }

    private func processChanged(_ node: String, _ change: ProcessChange, at instant: NIODeadline) {
        // The ends of a run that is over are no news.
        if phase == .stopping, case .exited(_, isExpected: true) = change { return }
        let make = { (at: Instant) -> JournalEvent in
            var event = JournalEvent.Process(at: at, node: node, change: .started)
            switch change {
            case .started(let pid): event.pid = Int(pid)
            case .ready(let pid): (event.change, event.pid) = (.ready, Int(pid))
            case .paused: event.change = .paused
            case .resumed: event.change = .resumed
            case .exited(let exit, let isExpected):
                (event.change, event.isExpected) = (.exited, isExpected)
                switch exit {
                case .code(let code): event.code = Int(code)
                case .signal(let signal): event.signal = Int(signal)
                }
            }
            return .process(event)
        }
        if case .ready = change, loadStart == nil, node == plan.topology.gateways.first?.id { gatewayStart = instant }
        status.observe(make(Instant(0)))
        journal.append(at: instant, make)
        guard phase == .load, let loadStart else { return }
        if case .started = change {
            markWatch.restarted(node, at: Nanoseconds((instant - loadStart).nanoseconds))
        }
        advanceTimeline()
    }

    func received(_ request: JournalEvent.Request) {
        let event = JournalEvent.request(request)
        status.observe(event)
        journal.append(event)
    }

    func header() -> JournalEvent.Header {
        var header = JournalEvent.Header(scenario: plan.scenario)
        header.program = options.program
        header.file = options.file
        header.text = options.text
        header.host = options.host
        header.seed = world.random.seed
        header.repetition = options.repetition
        header.isVirtual = options.isVirtual
        let variables = plan.variables.map { ($0.isMatrixAxis, JournalEvent.Variable($0.name, "\($0.value)")) }
        header.cell = variables.filter(\.0).map(\.1)
        header.variables = variables.map(\.1)
        header.nodes = plan.topology.gateways.map { .init($0.id, Self.isRemote($0) ? .remote : .gateway) }
        header.nodes += plan.topology.mocks.map { .init($0.id, .mock, names: driver.names(of: $0.id)) }
        header.nodes += plan.topology.programs.map { .init($0.id, .program) }
        header.configurations = plan.topology.gateways.map { .init($0.id, $0.document) }
        return header
    }

    private static func isRemote(_ node: GatewayNode) -> Bool {
        if case .remote = node.source { true } else { false }
    }
}

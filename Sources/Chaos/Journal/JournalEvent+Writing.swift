// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension JournalEvent {
    /// The event as one line of JSON with its line feed. Fields without a value are left out.
    package var line: [UInt8] {
        var line = JournalLine(kind: kind, at: instant)
        switch self {
        case .header(let event): event.write(to: &line)
        case .step(let event): event.write(to: &line)
        case .mark(let event): line.field("name", event.name)
        case .request(let event): event.write(to: &line)
        case .health(let event): event.write(to: &line)
        case .probe(let event): event.write(to: &line)
        case .attempt(let event): event.write(to: &line)
        case .configuration(let event): event.write(to: &line)
        case .document(let event):
            line.field("gateway", event.gateway)
            line.field("kong", event.document)
        case .served(let event): event.write(to: &line)
        case .process(let event): event.write(to: &line)
        case .fault(let event): event.write(to: &line)
        case .lateness(let event):
            line.field("source", event.source.rawValue)
            line.field("late", event.late)
        case .waited(let event):
            line.field("node", event.node)
            line.field("waited", event.waited)
        case .lookup(let event):
            line.field("name", event.name)
            line.field("type", event.type)
            line.field("answer", event.answer)
            if !event.faults.isEmpty { line.field("faults", .array(event.faults.map(JSONValue.string))) }
        case .usage(let event):
            line.field("node", event.node)
            line.field("rss", event.memory)
            line.field("fds", event.descriptors)
            line.field("cpu", event.cpu)
        case .metric(let event):
            line.field("node", event.node)
            line.field("series", event.series)
            line.field("value", .number(event.value))
        case .log(let event):
            line.field("node", event.node)
            line.field("text", event.text)
        case .note(let event): line.field("text", event.text)
        case .end(let event): event.write(to: &line)
        }
        return line.finished()
    }
}

extension JournalEvent.Header {
    fileprivate func write(to line: inout JournalLine) {
        line.field("format", format)
        line.field("program", program)
        line.field("scenario", scenario)
        line.field("file", file)
        line.field("cell", Self.json(cell))
        line.field("variables", Self.json(variables))
        line.field("seed", String(seed))
        line.field("repetition", repetition)
        line.field("virtual", isVirtual)
        line.field("host", host)
        line.field("nodes", .array(nodes.map(\.json)))
        line.field(
            "configurations",
            .array(configurations.map { ["gateway": .string($0.name), "kong": $0.document] }))
        line.field("text", text)
    }

    /// A list of pairs, because names keep their order and need not be unique.
    private static func json(_ variables: [JournalEvent.Variable]) -> JSONValue {
        .array(variables.map { ["name": .string($0.name), "value": .string($0.value)] })
    }
}

extension JournalEvent.Node {
    fileprivate var json: JSONValue {
        ["id": .string(id), "role": .string(role.rawValue), "names": .array(names.map(JSONValue.string))]
    }
}

extension JournalEvent.Step {
    fileprivate func write(to line: inout JournalLine) {
        line.field("index", index)
        line.field("name", name)
        line.field("phase", phase.rawValue)
        line.field("text", text)
        if isCheckpoint { line.field("checkpoint", true) }
    }
}

extension JournalEvent.Request {
    /// `t` is the planned start; the other moments are written as distances from it.
    fileprivate func write(to line: inout JournalLine) {
        line.field("load", load)
        line.field("n", n)
        line.field("method", method)
        line.field("path", path)
        line.field("sent", sent.map { $0.clampedSubtracting(planned) })
        line.field("first", firstByte.map { $0.clampedSubtracting(planned) })
        line.field("end", end.map { $0.clampedSubtracting(planned) })
        line.field("status", status)
        line.field("failure", failure?.rawValue)
        if origin != .unknown { line.field("origin", origin.rawValue) }
        line.field("outcome", outcome.rawValue)
        line.field("bytes", bytes)
        line.field("connection", connection)
        if isWarmup { line.field("warmup", true) }
    }
}

extension JournalEvent.Served {
    fileprivate func write(to line: inout JournalLine) {
        line.field("node", node)
        line.field("id", chaosID)
        line.field("n", n)
        line.field("method", method)
        line.field("path", path)
        line.field("status", status)
        line.field("connection", connection)
    }
}

extension JournalEvent.Process {
    fileprivate func write(to line: inout JournalLine) {
        line.field("node", node)
        line.field("change", change.rawValue)
        line.field("pid", pid)
        line.field("code", code)
        line.field("signal", signal)
        if isExpected { line.field("expected", true) }
    }
}

extension JournalEvent.Address {
    fileprivate func write(sequence: Int, to line: inout JournalLine) {
        line.field("seq", sequence)
        line.field("gateway", gateway)
        line.field("upstream", upstream)
        line.field("target", target)
        line.field("address", address)
    }
}

extension JournalEvent.Health {
    fileprivate func write(to line: inout JournalLine) {
        place.write(sequence: sequence, to: &line)
        line.field("from", from.rawValue)
        line.field("to", to.rawValue)
        line.field("cause", cause.rawValue)
        line.field("report", report?.rawValue)
        line.field("status", status)
        line.field(
            "counters",
            [
                "success": .integer(counters.success), "http": .integer(counters.http), "tcp": .integer(counters.tcp),
                "timeout": .integer(counters.timeout),
            ])
        line.field("limit", limit)
        line.field("routable", isRoutable)
    }
}

extension JournalEvent.Probe {
    fileprivate func write(to line: inout JournalLine) {
        place.write(sequence: sequence, to: &line)
        line.field("started", started)
        line.field("result", result.rawValue)
        line.field("status", status)
        line.field("detail", detail)
    }
}

extension JournalEvent.Attempt {
    fileprivate func write(to line: inout JournalLine) {
        place.write(sequence: sequence, to: &line)
        line.field("request", request)
        line.field("chaos", chaosID)
        line.field("result", result.rawValue)
        line.field("status", status)
    }
}

extension JournalEvent.Configuration {
    fileprivate func write(to line: inout JournalLine) {
        line.field("seq", sequence)
        line.field("gateway", gateway)
        line.field("version", version)
        line.field("hash", hash)
        line.field("source", source)
    }
}

extension JournalEvent.End {
    fileprivate func write(to line: inout JournalLine) {
        line.field("reason", reason.rawValue)
        if !detail.isEmpty { line.field("detail", detail) }
        if let canary { line.field("canary", canary.json) }
        if let generator { line.field("generator", generator.json) }
    }
}

extension JournalEvent.Quantiles {
    var json: JSONValue {
        [
            "count": .integer(count), "p50": .integer(Int(p50)), "p99": .integer(Int(p99)), "p999": .integer(Int(p999)),
            "max": .integer(Int(max)),
        ]
    }
}

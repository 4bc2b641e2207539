// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

extension JournalEvent {
    /// Reads one line without its line feed.
    ///
    /// - Returns: nil for a kind that this version does not know.
    /// - Throws: `Problem` without a place: bad JSON, a missing field, a wrong one.
    package init?(line: UnsafeRawBufferPointer) throws(Problem) {
        if let event = JournalRecordScanner.event(line) {
            self = event
            return
        }
        let fields = try JournalFields(try JSONLineScanner.value(of: line))
        guard let kind = Kind(rawValue: try fields.text("kind")) else { return nil }
        switch kind {
        case .header: self = .header(try Header(fields))
        case .step: self = .step(try Step(fields))
        case .mark: self = .mark(Mark(at: try fields.instant(), name: try fields.text("name")))
        case .request: self = .request(try Request(fields))
        case .health: self = .health(try Health(fields, at: try fields.instant()))
        case .probe: self = .probe(try Probe(fields, at: try fields.instant(), started: try fields.time("started")))
        case .attempt: self = .attempt(try Attempt(fields, at: try fields.instant()))
        case .config: self = .configuration(try Configuration(fields, at: try fields.instant()))
        case .document:
            self = .document(
                GivenDocument(
                    at: try fields.instant(), gateway: try fields.text("gateway"), document: fields["kong"] ?? .null))
        case .served: self = .served(try Served(fields, at: try fields.instant(), node: try fields.text("node")))
        case .process: self = .process(try Process(fields))
        case .fault: self = .fault(try Fault(fields, at: try fields.instant()))
        case .lateness:
            self = .lateness(
                Lateness(at: try fields.instant(), source: try fields.word("source"), late: try fields.time("late")))
        case .waited:
            self = .waited(
                Waited(
                    at: try fields.instant(), node: fields.optionalText("node"), waited: try fields.time("waited")))
        case .lookup:
            let faults = (fields["faults"]?.arrayValue ?? []).compactMap(\.stringValue)
            self = .lookup(
                Lookup(
                    at: try fields.instant(), name: try fields.text("name"), type: try fields.text("type"),
                    answer: try fields.text("answer"), faults: faults))
        case .usage:
            self = .usage(
                Usage(
                    at: try fields.instant(), node: try fields.text("node"), memory: try fields.integer("rss"),
                    descriptors: try fields.integer("fds"), cpu: fields.optionalTime("cpu") ?? 0))
        case .metric:
            self = .metric(
                Metric(
                    at: try fields.instant(), node: try fields.text("node"), series: try fields.text("series"),
                    value: fields["value"]?.doubleValue ?? .infinity))
        case .log:
            self = .log(Log(at: try fields.instant(), node: try fields.text("node"), text: try fields.text("text")))
        case .note: self = .note(Note(at: try fields.instant(), text: try fields.text("text")))
        case .end: self = .end(try End(fields))
        }
    }
}

extension JournalEvent.Header {
    fileprivate init(_ fields: JournalFields) throws(Problem) {
        self.init(scenario: try fields.text("scenario"))
        format = try fields.integer("format")
        guard format <= Self.currentFormat else {
            throw Problem(
                at: nil, "the journal has format \(format), this program reads up to \(Self.currentFormat)",
                advice: "use the version that wrote it (\(fields.optionalText("program") ?? "a newer one"))")
        }
        program = fields.optionalText("program") ?? ""
        file = fields.optionalText("file") ?? ""
        text = fields.optionalText("text") ?? ""
        cell = Self.variables(fields["cell"])
        variables = Self.variables(fields["variables"])
        seed = fields.optionalText("seed").flatMap(UInt64.init) ?? 0
        repetition = fields.optionalInteger("repetition") ?? 1
        isVirtual = fields.flag("virtual")
        host = fields.optionalText("host") ?? ""
        for node in fields["nodes"]?.arrayValue ?? [] {
            let node = try JournalFields(node)
            let names = (node["names"]?.arrayValue ?? []).compactMap(\.stringValue)
            nodes.append(JournalEvent.Node(try node.text("id"), try node.word("role"), names: names))
        }
        for entry in fields["configurations"]?.arrayValue ?? [] {
            let entry = try JournalFields(entry)
            configurations.append(JournalEvent.NamedDocument(try entry.text("gateway"), entry["kong"] ?? .null))
        }
    }

    private static func variables(_ value: JSONValue?) -> [JournalEvent.Variable] {
        (value?.arrayValue ?? []).compactMap { pair in
            guard let name = pair["name"]?.stringValue, let value = pair["value"]?.stringValue else { return nil }
            return JournalEvent.Variable(name, value)
        }
    }
}

extension JournalEvent.Step {
    fileprivate init(_ fields: JournalFields) throws(Problem) {
        self.init(
            at: try fields.instant(), index: try fields.integer("index"), name: fields.optionalText("name"),
            phase: try fields.word("phase"), text: fields.optionalText("text") ?? "",
            isCheckpoint: fields.flag("checkpoint"))
    }
}

extension JournalEvent.Request {
    fileprivate init(_ fields: JournalFields) throws(Problem) {
        let planned = try fields.time("t")
        self.init(
            load: try fields.text("load"), n: try fields.integer("n"), method: fields.optionalText("method") ?? "GET",
            path: fields.optionalText("path") ?? "/", planned: planned,
            sent: fields.optionalTime("sent").map { planned.clampedAdding($0) },
            firstByte: fields.optionalTime("first").map { planned.clampedAdding($0) },
            end: fields.optionalTime("end").map { planned.clampedAdding($0) },
            status: fields.optionalInteger("status"), failure: try fields.optionalWord("failure"),
            origin: try fields.optionalWord("origin") ?? .unknown, outcome: try fields.word("outcome"),
            bytes: fields.optionalInteger("bytes") ?? 0, connection: fields.optionalInteger("connection"),
            isWarmup: fields.flag("warmup"))
    }
}

extension JournalEvent.Process {
    fileprivate init(_ fields: JournalFields) throws(Problem) {
        self.init(
            at: try fields.instant(), node: try fields.text("node"), change: try fields.word("change"),
            pid: fields.optionalInteger("pid"), code: fields.optionalInteger("code"),
            signal: fields.optionalInteger("signal"), isExpected: fields.flag("expected"))
    }
}

extension JournalEvent.End {
    fileprivate init(_ fields: JournalFields) throws(Problem) {
        self.init(
            at: try fields.instant(), reason: try fields.word("reason"), detail: fields.optionalText("detail") ?? "",
            canary: try fields["canary"].map(JournalEvent.Quantiles.read),
            generator: try fields["generator"].map(JournalEvent.Quantiles.read))
    }
}

extension JournalEvent.Quantiles {
    fileprivate static func read(_ value: JSONValue) throws(Problem) -> Self {
        let fields = try JournalFields(value)
        return Self(
            count: try fields.integer("count"), p50: try fields.time("p50"), p99: try fields.time("p99"),
            p999: try fields.time("p999"), max: try fields.time("max"))
    }
}

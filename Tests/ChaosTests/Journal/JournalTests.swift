// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import FoundationEssentials
import Testing

@testable import Chaos

@Suite struct JournalTests {
    private static let place = JournalEvent.Address(
        gateway: "edge", upstream: "orders-up", target: "api:8080", address: "127.0.0.1:4001")

    /// Every kind of event with every field set.
    private static var everything: [JournalEvent] {
        var header = JournalEvent.Header(scenario: "walk-through")
        header.program = "0.1.0"
        header.file = "a \"quoted\" file.yaml"
        header.text = "scenario: walk-through\n# ü ± \u{1F4A5} \\ \u{7}\n"
        header.cell = [.init("health_hit", "false")]
        header.variables = [.init("rate", "50/s"), .init("health_hit", "false")]
        header.seed = .max
        header.repetition = 3
        header.isVirtual = true
        header.host = "Linux, 2 cores"
        header.nodes = [.init("gateway", .gateway), .init("api", .mock, names: ["api:8080", "127.0.0.1:4001"])]
        header.configurations = [.init("gateway", ["_format_version": "3.0", "services": [["port": 80, "x": 0.5]]])]
        let at = Instant(s(1.5), lo: 3, hi: 4)
        return [
            .header(header),
            .step(.init(at: at, index: 2, name: "on", phase: .ended, text: "mock api", isCheckpoint: true)),
            .mark(.init(at: at, name: "warm")),
            .request(
                .init(
                    load: "users", n: 7, method: "POST", path: "/items/7?a=ü", planned: s(1), sent: s(1) + 5,
                    firstByte: s(1.1), end: s(1.2), status: 503, failure: .reset, origin: .gateway, outcome: .failed,
                    bytes: 34, connection: 3, isWarmup: true)),
            .request(.init(load: "users", n: 8, planned: -5, failure: .connectTimeout, outcome: .unknown)),
            .health(
                .init(
                    at: at, sequence: 12, place: place, from: .mostlyHealthy, to: .unhealthy, cause: .passive,
                    report: .httpFailure, status: 500, counters: .init(success: 1, http: 3, tcp: 2, timeout: 4),
                    limit: 3)),
            .health(.init(at: at, sequence: 13, place: place, from: .unhealthy, to: .healthy, cause: .manual)),
            .probe(
                .init(
                    at: at, sequence: 14, place: place, started: s(1.4), result: .ignored, status: 426,
                    detail: "upgrade")),
            .attempt(
                .init(
                    at: at, sequence: 15, place: place, request: "abc", chaosID: "users-7", result: .httpStatus,
                    status: 500)),
            .configuration(.init(at: at, sequence: 16, gateway: "edge", version: 3, hash: "ff", source: "admin")),
            .served(
                .init(
                    at: at, node: "api", chaosID: "users-7", n: 3, method: "GET", path: "/x", status: 200, connection: 9
                )),
            .process(.init(at: at, node: "api", change: .exited, pid: 12, code: nil, signal: 9, isExpected: true)),
            .fault(
                .init(
                    at: at,
                    LinkDecision(
                        link: "wire", toxic: "cut", kind: "truncate", connection: 2, request: 7, line: "GET /x",
                        chaosID: "users-7", isHit: true))),
            .fault(
                .init(at: at, LinkDecision(link: "wire", toxic: "no", kind: "refuse", connection: 3, isHit: false))),
            .lateness(.init(at: at, source: .generator, late: 12)), .log(.init(at: at, node: "api", text: "a\tb\r\n")),
            .waited(.init(at: at, node: "api", waited: 5)), .waited(.init(at: at, node: nil, waited: 6)),
            .note(.init(at: at, text: "")),
            .document(.init(at: at, gateway: "edge", document: ["services": [["port": 80, "x": 0.5]]])),
            .usage(.init(at: at, node: "api", memory: 12, descriptors: 3, cpu: 4)),
            .metric(.init(at: at, node: "edge", series: #"kong_up{node="a"}"#, value: 1.5)),
            .lookup(.init(at: at, name: "x.test", type: "SRV", answer: "name error", faults: ["gone", "late"])),
            .end(
                .init(
                    at: at, reason: .timeout, detail: "why", canary: .init(count: 1, p50: 2, p99: 3, p999: 4, max: 5),
                    generator: .init(count: 6, p50: 7, p99: 8, p999: 9, max: 10))),
        ]
    }

    private func read(_ bytes: [UInt8]) -> ([JournalEvent], JournalReader.Summary) {
        var events: [JournalEvent] = []
        let summary = bytes.withUnsafeBytes { JournalReader.read(bytes: $0, file: "j.jsonl") { events.append($0) } }
        return (events, summary)
    }

    private func read(_ text: String) -> ([JournalEvent], JournalReader.Summary) { read(Array(text.utf8)) }

    @Test func `what is written is read`() {
        let events = Self.everything
        let (back, summary) = read(events.flatMap(\.line))
        #expect(back == events)
        #expect(summary.problems.isEmpty)
        #expect(summary.notes == [])
        #expect(Set(events.map(\.kind)) == Set(JournalEvent.Kind.allCases))
    }

    @Test func `every event is one line of JSON`() throws {
        for event in Self.everything {
            let line = event.line
            #expect(line.count { $0 == 0x0A } == 1)
            let value = try JSONValue(parsing: line.dropLast())
            #expect(value["kind"]?.stringValue == event.kind.rawValue)
        }
    }

    @Test func `a file is written and read`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "gatecrash-journal-\(getpidText()).jsonl")
            .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let writer = try JournalWriter(path: path)
        writer.append(Self.everything[0])
        for n in 0..<3000 {
            writer.append(.request(.init(load: "users", n: n, planned: Int64(3000 - n), outcome: .ok)))
        }
        try writer.close()
        let (view, summary) = try JournalReader.view(path: path)
        #expect(summary.events == 3001)
        #expect(view.requests.count == 3000)
        #expect(Array(view.requests.planned) == Array(1...3000))
        #expect(view.header?.scenario == "walk-through")
    }

    private func getpidText() -> String { String(ProcessInfo.processInfo.processIdentifier) }

    @Test func `a journal that cannot be written or read is one clear line`() {
        let writing = #expect(throws: Problem.self) { try JournalWriter(path: "/nowhere/at/all.jsonl") }
        #expect(
            writing?.description == "cannot write the journal /nowhere/at/all.jsonl: No such file or directory; "
                + "give a path in a folder that exists and may be written to")
        let reading = #expect(throws: Problem.self) { try JournalReader.view(path: "/nowhere.jsonl") }
        #expect(
            reading?.description
                == "cannot read the journal /nowhere.jsonl: No such file or directory; give the journal of a run")
    }

    // MARK: Broken journals

    @Test func `a last line cut off by a crash is a note, the rest is read`() {
        let bytes = Array(Self.everything.flatMap(\.line).dropLast(20))
        let (events, summary) = read(bytes)
        #expect(events == Array(Self.everything.dropLast()))
        #expect(summary.problems.isEmpty)
        let last = Self.everything.count
        #expect(summary.notes == ["j.jsonl:\(last): the last line is cut off (the run ended in a crash), ignored"])
    }

    @Test(arguments: [
        ("{\"kind\":\"note\",\"t\":1,\"text\":\"a}", "j.jsonl:2:1: the line ends too early"),
        ("nonsense", "j.jsonl:2:1: not a JSON value at column 1"),
        ("[1]", "j.jsonl:2:1: not a JSON object"),
        ("{\"kind\":\"note\",\"text\":\"a\"}", "j.jsonl:2:1: \"t\" must be a whole number"),
        ("{\"kind\":\"note\",\"t\":1.5,\"text\":\"a\"}", "j.jsonl:2:1: \"t\" must be a whole number"),
        ("{\"kind\":\"note\",\"t\":1}", "j.jsonl:2:1: \"text\" must be text"),
        (
            "{\"kind\":\"request\",\"t\":1,\"load\":\"a\",\"n\":1,\"outcome\":\"great\"}",
            "j.jsonl:2:1: \"outcome\" cannot be \"great\""
        ),
        (
            "{\"kind\":\"header\",\"scenario\":\"x\",\"format\":99,\"program\":\"9.0\"}",
            "j.jsonl:2:1: the journal has format 99, this program reads up to 1; use the version that wrote it (9.0)"
        ),
        ("{\"kind\":\"note\",\"t\":1,\"text\":\"\\ud800\"}", "j.jsonl:2:1: half a surrogate pair at column 36"),
        ("{\"a\":1}{}", "j.jsonl:2:1: something follows the value at column 8"),
    ])
    func `a broken line is named and skipped`(line: String, problem: String) {
        let good = String(decoding: JournalEvent.note(.init(at: Instant(1), text: "good")).line, as: UTF8.self)
        let (events, summary) = read(good + line + "\n" + good)
        #expect(events.count == 2)
        #expect(summary.problems.list.map(\.description) == [problem])
    }

    @Test func `kinds of a newer version are skipped with a note`() {
        let (events, summary) = read("{\"kind\":\"tea\",\"t\":1}\n\n  \n")
        #expect(events == [])
        #expect(summary.problems.isEmpty)
        #expect(summary.notes == ["j.jsonl:1: a kind of event that this version does not know, skipped"])
    }

    @Test func `no bytes whatever crash the reader`() {
        let lines = Self.everything.map(\.line)
        var state: UInt64 = 7
        func next() -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33)
        }
        for round in 0..<3000 {
            var bytes = lines[next() % lines.count]
            for _ in 0...(round % 5) { bytes[next() % bytes.count] = UInt8(truncatingIfNeeded: next()) }
            _ = read(bytes)
            _ = read(Array(bytes.prefix(next() % bytes.count)))
        }
        let deep = String(repeating: "[", count: 100_000)
        let (_, summary) = read(deep + "\n")
        #expect(summary.problems.list.map(\.message) == ["nested too deeply at column 66"])
    }

    @Test func `numbers at the ends of their range do not trap the judges`() {
        var story = Story()
        story.append(
            .request(.init(load: "users", n: .max, planned: .min, sent: .max, end: .max, status: .max, outcome: .ok)))
        story.append(
            .request(.init(load: "users", n: .min, planned: .max, sent: .min, end: .min, status: -5, outcome: .ok)))
        story.health(.max, .healthy, .unhealthy, .passive, .httpFailure, lo: .max, hi: .max)
        story.health(.min, .unhealthy, .healthy, .passive, .success, lo: .max, hi: .max)
        story.end(.max)
        let verdict = RunJudge.judge(WalkThrough.plan, story.view)
        let report = RunReport(view: story.view, verdict: verdict)
        #expect(!VerdictTable(report, style: Style()).text.isEmpty)
        #expect(!TimeLine(report, style: Style()).text.isEmpty)
    }

    // MARK: Records of gateways and mocks

    @Test func `events of a gateway are stamped from the start of the load`() throws {
        let line = """
            {"t":1000500,"seq":4,"kind":"health","upstream":"orders-up","target":"api:8080","address":"127.0.0.1:4001",\
            "from":"mostly_healthy","to":"unhealthy","cause":"passive","report":"http_failure","status":500,\
            "counters":{"success":0,"http":3,"tcp":0,"timeout":0},"limit":3,"routable":false}
            """
        let event = try JournalEvent(
            gatewayEvent: JSONValue(parsing: line.utf8), gateway: "edge", loadStart: 1_000_000)
        #expect(
            event
                == .health(
                    .init(
                        at: Instant(500), sequence: 4, place: Self.place, from: .mostlyHealthy, to: .unhealthy,
                        cause: .passive, report: .httpFailure, status: 500, counters: .init(http: 3), limit: 3)))
        let probe = try JournalEvent(
            gatewayEvent: [
                "kind": "probe", "t": 1_000_900, "seq": 5, "upstream": "u", "target": "t:1", "address": "1.2.3.4:1",
                "started": 1_000_800, "result": "tcp_failure", "status": nil, "detail": "refused", "mode": "healthy",
            ], gateway: "edge", loadStart: 1_000_000)
        guard case .probe(let value) = probe else {
            Issue.record("not a probe")
            return
        }
        #expect(value.started == 800)
        #expect(value.status == nil)
        #expect(try JournalEvent(gatewayEvent: ["kind": "hello", "t": 1], gateway: "edge", loadStart: 0) == nil)
    }

    @Test func `records of a mock become served events`() throws {
        let record: JSONValue = [
            "kind": "served", "t": 1_000_100, "id": nil, "n": 12, "method": "GET", "path": "/health", "status": 200,
            "connection": 3,
        ]
        let event = try JournalEvent(mockRecord: record, node: "api", loadStart: 1_000_000)
        #expect(
            event
                == .served(
                    .init(
                        at: Instant(100), node: "api", chaosID: nil, n: 12, path: "/health", status: 200, connection: 3)
                ))
        #expect(try JournalEvent(mockRecord: ["kind": "ready", "t": 1], node: "api", loadStart: 0) == nil)
    }

    // MARK: View

    @Test func `origins follow from the mocks' records`() {
        var story = Story()
        story.answer(s(3), 500, from: .upstream)
        story.answer(s(1), 503, from: .gateway)
        let retried = story.answer(s(2), 200, from: .upstream)
        story.serve(s(1.9), 500, id: retried)
        story.noAnswer(s(4))
        let view = story.view
        #expect(view.requests.indices.map { view.requests.origin($0) } == [.gateway, .upstream, .upstream, .unknown])
        #expect(view.served.rows(ofRequest: 1).map { view.served.status($0) } == [500, 200])
        #expect(view.requests.id(0) == "users-2")
    }

    @Test func `without records nobody knows an origin`() {
        var story = Story()
        story.editHeader { $0.nodes = [.init("gateway", .remote)] }
        story.answer(s(1), 503, from: .gateway)
        let view = story.view
        #expect(view.requests.origin(0) == .unknown)
        let context = JudgeContext(plan: TestPlan.plan(), view: view, slack: 0)
        #expect(context.match(OutcomeFilter(statuses: [503...503], origin: .gateway), 0) == .maybe)
        #expect(context.match(OutcomeFilter(statuses: [500...500], origin: .gateway), 0) == .no)
    }

    @Test func `steps make marks, the first of a name counts`() {
        var story = Story()
        story.step("on", s(2), to: s(3))
        story.step("on", s(1), to: s(4))
        story.answer(s(9), 200)
        let view = story.view
        #expect(view.mark("on") == Instant(s(1)))
        #expect(view.mark("on.end") == Instant(s(3)))
        #expect(view.mark("start") == Instant(0))
        #expect(view.mark("end") == Instant(s(9)))
        #expect(view.mark("off") == nil)
    }
}

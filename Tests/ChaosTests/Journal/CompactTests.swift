// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chaos

/// What a journal of millions of requests costs, and that nothing is lost for it.
@Suite struct CompactTests {
    private static let second: Int64 = 1_000_000_000

    /// Exact up to half a second, to the microsecond up to nine minutes, to the millisecond beyond.
    @Test(
        arguments: [
            (nil, nil), (0, 0), (1, 1), (-1, -1), (536_870_911, 536_870_911), (-536_870_911, -536_870_911),
            (536_870_912, 536_871_000), (1_000_000_499, 1_000_000_000), (1_000_000_500, 1_000_001_000),
            (-1_000_000_500, -1_000_001_000), (30 * second, 30 * second), (600 * second + 400_000, 600 * second),
            (.max, 536_870_911_000_000), (.min, -536_870_911_000_000),
        ] as [(Int64?, Int64?)])
    func `times in four bytes`(time: Int64?, kept: Int64?) { #expect(CompactTime(time).value == kept) }

    @Test func `a column is an array of any length`() {
        var column = Column<Int>()
        let count = 200_000
        for number in 0..<count { column.append(number * 3) }
        #expect(column.count == count)
        #expect([0, 65_535, 65_536, 131_071, 131_072, count - 1].allSatisfy { column[$0] == $0 * 3 })
        #expect(column.partitionIndex { $0 >= 300_000 } == 100_000)
        column[65_536] = -1
        #expect(column[65_536] == -1 && column[65_535] == 196_605)
        #expect(Array(column.permuted(by: [2, 65_536, 0])) == [6, -1, 0])
        #expect(Array(Column(repeating: 7, count: 3)) == [7, 7, 7])
    }

    @Test func `rows are a range until some are left out`() {
        let all = RowList(10..<20)
        #expect(Array(all.narrowed { _ in true }) == Array(10..<20))
        #expect(Array(all.narrowed { $0 % 3 == 0 }) == [12, 15, 18])
        #expect(Array(all.narrowed { $0 % 3 == 0 }.narrowed { $0 > 12 }) == [15, 18])
        #expect(RowList(5..<5).narrowed { _ in false }.isEmpty)
    }

    @Test func `texts are kept once while they are few, and all of them when they are many`() {
        var pool = TextPool()
        let few = (0..<3).map { _ in pool.number(of: "/orders") }
        #expect(Set(few).count == 1)
        let texts = (0..<10_000).map { "/items/\($0)?ü=\($0)" }
        let numbers = texts.map { pool.number(of: $0) }
        #expect(zip(texts, numbers).allSatisfy { pool[$1] == $0 })
        #expect(pool[few[0]] == "/orders")
    }

    // MARK: Reading

    /// The quick reader of the two frequent kinds either gives what the general one does, or leaves the line to it.
    @Test func `the quick reader agrees with the general one`() throws {
        var request = JournalEvent.Request(load: "users", n: 7, planned: 5, outcome: .ok)
        var lines: [[UInt8]] = []
        for path in ["/", "/a?b=ü", "/q\"uote", "/back\\slash", ""] {
            for status in [nil, 200, -1] as [Int?] {
                for time in [nil, 5, -12, Int64.max, .min] as [Int64?] {
                    (request.path, request.status, request.sent, request.end) = (path, status, time, time)
                    request.isWarmup = time == 5
                    request.failure = status == nil ? .reset : nil
                    lines.append(JournalEvent.request(request).line)
                    lines.append(
                        JournalEvent.served(
                            .init(
                                at: Instant(time ?? 0, lo: time == 5 ? 1 : 0), node: "api", chaosID: path, n: 3,
                                path: path, status: status ?? 0, connection: status)
                        ).line)
                }
            }
        }
        let texts = [
            #"{"kind":"request","t":1,"load":"a","n":1,"outcome":"ok"}"#, #"{"kind":"request","t":1}"#,
            #"{"kind":"request","t":01,"load":"a","n":1,"outcome":"ok"}"#,
            #"{"kind":"request","t":1e3,"load":"a","n":1,"outcome":"ok"}"#,
            #"{"kind":"request","t":1,"load":"a","n":1,"outcome":"ok","new":[1]}"#,
            #"{"kind":"request","t":1,"load":"a","n":1,"outcome":"ok","status":null,"warmup":false}"#,
            #"{"kind":"request","t":1,"load":"a","n":1,"n":2,"outcome":"ok"}"#,
            #"{"kind":"request","t":99999999999999999999,"load":"a","n":1,"outcome":"ok"}"#,
            #"{"kind":"served","t":1,"node":"a","n":1,"status":200} "#, #"{"kind":"served","t":1,"node":"a","n":1"#,
            #"{"kind":"served","t":-0,"node":"a","n":1,"status":200}"#,
        ]
        lines += texts.map { Array($0.utf8) }
        var quick = 0
        for line in lines {
            line.withUnsafeBytes { bytes in
                let bytes = UnsafeRawBufferPointer(
                    rebasing: bytes[..<(bytes.last == 0x0A ? bytes.count - 1 : bytes.count)])
                guard let event = JournalRecordScanner.event(bytes) else { return }
                quick += 1
                // A blank behind the kind is one that the quick reader does not know.
                var general = Array(bytes)
                general.insert(0x20, at: 1)
                let other = general.withUnsafeBytes { try? JournalEvent(line: $0) }
                #expect(event == other, "\(String(decoding: line, as: UTF8.self))")
            }
        }
        #expect(quick > 40)
    }

    @Test func `a journal is read across the pieces in which it comes`() async throws {
        try await withTemporaryDirectory { folder in
            let path = folder + "/j.jsonl"
            let long = String(repeating: "x", count: 3_000_000)
            let writer = try JournalWriter(path: path)
            for n in 1...30_000 {
                writer.append(.request(.init(load: "users", n: n, planned: Int64(n), outcome: .ok)))
                if n == 20_000 { writer.append(.note(.init(at: Instant(1), text: long))) }
            }
            try writer.close()
            let (view, summary) = try JournalReader.view(path: path)
            #expect(summary.problems.isEmpty && summary.notes.isEmpty)
            #expect(summary.events == 30_001)
            #expect(view.requests.count == 30_000)
            #expect(view.notes.first?.text == long)
        }
    }

    // MARK: Memory

    /// Requests in the order of their ends, each with a record of the mock and a path of its own.
    private static func events(_ count: Int, _ take: (JournalEvent) -> Void) {
        for n in 1...count {
            // Neighbours end in turn.
            let number = n % 2 == 0 ? n - 1 : min(count, n + 1)
            let planned = Int64(number) * 10_000
            let path = "/orders/\(number)"
            take(
                .served(
                    .init(
                        at: Instant(planned + 200), node: "api", chaosID: "users-\(number)", n: n, path: path,
                        status: 200,
                        connection: 3)))
            take(
                .request(
                    .init(
                        load: "users", n: number, path: path, planned: planned, sent: planned + 100,
                        firstByte: planned + 900, end: planned + 1_000, status: 200, outcome: .ok, bytes: 34,
                        connection: 3)))
        }
    }

    private static var header: JournalEvent {
        var header = JournalEvent.Header(scenario: "walk-through")
        header.nodes = [.init("gateway", .gateway), .init("api", .mock, names: ["api:8080"])]
        return .header(header)
    }

    /// 43 bytes a request, 33 a record, 15 to 19 for each path; a full chunk has nothing to spare.
    @Test func `a request with its record and a path of its own takes less than 125 bytes`() {
        let count = 1 << 16
        var builder = JournalView.Builder()
        builder.append(Self.header)
        Self.events(count) { builder.append($0) }
        let view = builder.finished()
        #expect(view.requests.count == count && view.served.count == count)
        #expect(zip(view.requests.planned, view.requests.planned.dropFirst()).allSatisfy { $0 < $1 })
        #expect(view.served.request(count / 2) == count / 2)
        let bytes = Double(view.requests.size + view.served.size) / Double(count)
        print("bytes a request: \(bytes)")
        #expect((70...125).contains(bytes))
    }

    @Test func `writing keeps nothing, and what was written is judged`() async throws {
        try await withTemporaryDirectory { folder in
            let path = folder + "/j.jsonl"
            let count = 20_000
            let writer = try JournalWriter(path: path)
            writer.append(Self.header)
            let before = Self.resident()
            Self.events(count) { writer.append($0) }
            writer.append(.end(.init(at: Instant(Int64(count) * 10_000 + 5_000))))
            try writer.close()
            // A sanitizer keeps what was freed.
            let isSanitized = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil
            #expect(Self.resident() - before < 4 << 20 || isSanitized)
            let (view, summary) = try JournalReader.view(path: path)
            #expect(summary.problems.isEmpty)
            #expect(view.requests.count == count && view.served.count == count)
            #expect(view.requests.origin(count / 2) == .upstream)
            let plan = TestPlan.plan(WalkThrough.expectations, invariants: WalkThrough.invariants)
            let report = RunReport(view: view, verdict: RunJudge.judge(plan, view))
            #expect(report.statistics.good == count)
        }
    }

    /// Memory of this process, bytes (proc(5), statm: pages of 4 KiB).
    private static func resident() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return text.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 4_096 } ?? 0
    }
}

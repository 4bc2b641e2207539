// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Chaos

@Suite struct BenchFiguresTests {
    /// A round in which 1000 requests took 1 … 1000 µs, some of them failed.
    static func tally(
        scale: Int64 = 1000, failures: [BenchFailure] = [], length: Nanoseconds = .seconds(1), late: Int64 = 0
    ) -> BenchTally {
        var recorder = BenchRecorder(
            window: (0, length.count), tellsSendsApart: late > 0, interval: .milliseconds(100))
        for index in 1...1000 {
            let planned = Int64(index) * 900_000
            if late > 0 { recorder.tookUp(planned, at: planned + late) }
            recorder.ended(
                planned: planned, sent: planned + late, at: planned + late + Int64(index) * scale, status: 200,
                bytes: 34,
                failure: nil)
        }
        for failure in failures {
            recorder.ended(
                planned: 0, sent: 0, at: 1, status: failure == .badStatus ? 503 : 0, bytes: 0, failure: failure)
        }
        let costs = [
            ProcessCost(name: "bench", processor: .milliseconds(10), resident: 1 << 20),
            ProcessCost(name: "server", processor: .milliseconds(20), resident: 2 << 20),
        ]
        return BenchTally(recorder, length: length, costs: costs)
    }

    static let target = BenchTarget(name: "direct", host: "127.0.0.1", port: 1, path: "/")

    static func result(_ tallies: [(name: String, rounds: [BenchTally])], expect: String = "") throws -> BenchResult {
        var plan = BenchPlan()
        if !expect.isEmpty { plan.expectations = try BenchExpectation.list(expect, option: "--expect") }
        var result = BenchResult(plan)
        for (name, rounds) in tallies {
            var target = target
            target.name = name
            for tally in rounds { _ = result.add(tally, of: BenchSubject(target: target)) }
        }
        return result
    }

    @Test func `quantiles, extremes and rates are those of the requests`() {
        let figures = BenchFigures(Self.tally())
        func isNear(_ time: Nanoseconds, _ microseconds: Int64) -> Bool {
            abs(time.count - microseconds * 1000) <= microseconds
        }
        #expect(figures.requests == 1000 && figures.ok == 1000 && figures.rps == 1000)
        #expect(isNear(figures.latency.quantile(50), 500) && isNear(figures.latency.quantile(99), 990))
        #expect(figures.latency.min == .microseconds(1) && figures.latency.max == .milliseconds(1))
        #expect(figures.latency.mean == Nanoseconds(500_500))
        #expect(figures.processor == 20_000 && figures.value(of: .rss) == Double(2 << 20))
        #expect(figures.sentLatency == nil && figures.lateness == nil)
    }

    @Test func `refused connections are no latencies, timeouts are`() {
        let refused = BenchFigures(Self.tally(failures: [.refused, .refused, .reset]))
        #expect(refused.requests == 1003 && refused.errors == 3 && refused.latency.count == 1000)
        let slow = BenchFigures(Self.tally(failures: [.timeout, .badStatus]))
        #expect(slow.errors == 2 && slow.latency.count == 1002)
    }

    @Test func `an answer after the window counts as a latency and not in the rate`() {
        var recorder = BenchRecorder(window: (100, 1000), tellsSendsApart: false, interval: .milliseconds(1))
        recorder.ended(planned: 99, sent: 99, at: 500, status: 200, bytes: 1, failure: nil)
        recorder.ended(planned: 100, sent: 100, at: 999, status: 200, bytes: 1, failure: nil)
        recorder.ended(planned: 999, sent: 999, at: 1000, status: 200, bytes: 1, failure: nil)
        #expect(recorder.requests == 2 && recorder.ok == 2 && recorder.okInWindow == 1 && recorder.latency.count == 2)
    }

    @Test func `expectations set the exit code`() throws {
        let good = try Self.result(
            [("direct", [Self.tally()])], expect: "p99 < 1ms, ok >= 99.99%, cpu <= 20us, rps > 999")
        #expect(good.exitCode == 0 && good.verdicts.allSatisfy(\.holds))
        let bad = try Self.result([("direct", [Self.tally()])], expect: "p50 < 400us")
        #expect(bad.exitCode == 1 && bad.verdicts.map(\.seen) == ["500us"])
        #expect(BenchReport(bad, style: Style()).complaints == ["expected p50 < 400us, was 500us"])
    }

    @Test func `failed requests fail a bench that does not say how many may`() throws {
        let silent = try Self.result([("direct", [Self.tally(failures: [.refused, .truncated])])])
        #expect(silent.exitCode == 1)
        #expect(
            BenchReport(silent, style: Style()).complaints == [
                "2 of 1,002 requests to direct failed (connect refused x 1, closed mid-body x 1); say how many may "
                    + "with --expect 'ok >= 99%'"
            ])
        let allowed = try Self.result([("direct", [Self.tally(failures: [.refused])])], expect: "errors <= 1")
        #expect(allowed.exitCode == 0)
    }

    @Test func `a late generator is inconclusive, whatever was expected`() throws {
        var result = try Self.result([("direct", [Self.tally(late: 20_000_000)])], expect: "p99 < 1us")
        #expect(result.exitCode == 4)
        #expect(result.lateness?.contains("could not keep up") == true)
        result.plan.mostLateness = .milliseconds(30)
        #expect(result.exitCode == 1)
    }

    @Test func `overhead is the last against the first, round by round`() throws {
        let direct = [Self.tally(), Self.tally(), Self.tally(scale: 2000)]
        let gateway = [Self.tally(scale: 2000), Self.tally(scale: 3000), Self.tally(scale: 4000)]
        let result = try Self.result(
            [("direct", direct), ("gateway", gateway)], expect: "overhead < 2.1, overhead < 900us, direct.p99 < 2ms")
        let overhead = try #require(result.overhead(.quantile(50)))
        #expect(abs(overhead.factor.median - 2) < 0.01 && abs(overhead.factor.most - 3) < 0.01 && overhead.rounds == 3)
        #expect(result.verdicts.map(\.holds) == [true, false, true])
    }

    @Test func `a baseline is told apart by ranks, and three rounds tell nothing`() throws {
        func file(_ rounds: Int, _ scale: Int64) throws -> BenchBaseline {
            let result = try Self.result([("direct", (0..<rounds).map { Self.tally(scale: scale + Int64($0)) })])
            let text = BenchDocument(result, program: "0", host: "h").json.text(indent: 2)
            return try BenchBaseline(parsing: text, file: "old.json")
        }
        func now(_ rounds: Int, _ scale: Int64) throws -> BenchResult {
            try Self.result([("direct", (0..<rounds).map { Self.tally(scale: scale + Int64($0)) })])
        }
        var result = try now(5, 1500)
        result.baseline = try file(5, 1000).compared(with: result, tolerance: 0.05)
        #expect(result.baseline?.regressions.map(\.metric) == ["p50", "p99"] && result.exitCode == 1)
        result.baseline = try file(5, 2000).compared(with: result, tolerance: 0.05)
        #expect(result.baseline?.regressions.isEmpty == true && result.exitCode == 0)
        #expect(result.baseline?.rows.filter { $0.verdict == .better }.map(\.metric) == ["p50", "p99"])
        result.baseline = try file(5, 1490).compared(with: result, tolerance: 0.05)
        #expect(result.baseline?.rows.allSatisfy { $0.verdict == .same } == true)
        var few = try now(3, 9000)
        few.baseline = try file(3, 1000).compared(with: few, tolerance: 0.05)
        #expect(few.exitCode == 0 && few.baseline?.rows.first { $0.metric == "p99" }?.verdict == .tooFew)
        #expect(BenchReport(few, style: Style()).text.contains("cannot tell: the smallest p they can give is 0.100"))
    }

    @Test(arguments: ["", "{", "[]", "{\"kind\":\"other\"}", "{\"kind\":\"gatecrash-bench\",\"subjects\":[]}"])
    func `what is no baseline is refused in one line`(text: String) {
        do {
            _ = try BenchBaseline(parsing: text, file: "old.json")
            Issue.record("it was read")
        } catch {
            #expect(error.description.hasPrefix("old.json: ") && error.advice != nil)
        }
    }

    @Test func `figures have three digits and a unit`() {
        #expect(BenchText.time(.zero) == "0s" && BenchText.time(Nanoseconds(812)) == "812ns")
        #expect(BenchText.time(Nanoseconds(45_123)) == "45.1us" && BenchText.time(Nanoseconds(1_234_567)) == "1.23ms")
        #expect(BenchText.time(Nanoseconds(999_600)) == "1.00ms" && BenchText.time(.seconds(12)) == "12.0s")
        #expect(BenchText.percent(0.99999999) == "99.999999%" && BenchText.percent(1) == "100%")
        #expect(BenchText.percent(0.9992) == "99.9%" && BenchText.percent(0.99996) == "99.996%")
        #expect(
            BenchText.count(1_234_567) == "1,234,567" && BenchText.count(12) == "12"
                && BenchText.count(-1234) == "-1,234")
        #expect(BenchText.size(1536) == "1.50 KiB" && BenchText.change(-0.032) == "-3.20%")
    }

    @Test func `the page holds everything and asks the network for nothing`() throws {
        var result = try Self.result(
            [
                ("<direct>", [Self.tally(), Self.tally()]),
                ("gateway", [Self.tally(scale: 2000, failures: [.reset]), Self.tally()]),
            ],
            expect: "p99 < 1ms")
        result.isInterrupted = true
        let page = BenchPage(result, program: "0.1.0", host: "Linux").text
        #expect(page.contains("&lt;direct&gt;") && !page.contains("<direct>"))
        #expect(page.components(separatedBy: "<svg").count - 1 == 6)
        #expect(page.contains("p99 &lt; 1ms") && page.contains("reset x 1") && page.contains("interrupted"))
        for forbidden in ["http://", "https://", "<script", "@import", "url("] { #expect(!page.contains(forbidden)) }
        #expect(page.contains("prefers-color-scheme:dark"))
        #expect(!page.contains("NaN"))
    }

    @Test func `a result without a measurement can be written too`() throws {
        let empty = try Self.result([], expect: "p99 < 1ms")
        #expect(BenchReport(empty, style: Style()).text.isEmpty)
        #expect(BenchPage(empty, program: "0", host: "h").text.contains("</html>"))
        #expect(BenchMarkdown(empty, host: "h").text.hasPrefix("# Bench"))
        #expect(BenchDocument(empty, program: "0", host: "h").json["subjects"]?.arrayValue?.isEmpty == true)
        let none = try Self.result([
            (
                "a",
                [
                    BenchTally(
                        BenchRecorder(window: (0, nil), tellsSendsApart: false, interval: .seconds(1)), length: .zero,
                        costs: [])
                ]
            )
        ])
        #expect(BenchReport(none, style: Style()).text.contains("a"))
        #expect(BenchPage(none, program: "0", host: "h").text.contains("</html>"))
    }

    @Test func `a process's usage is read from what the kernel says`() {
        let stat =
            "42 (a) b) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 3 0 100 1000 2000 18446744073709551615 1 1"
        let usage = ProcessUsage(stat: stat, ticksPerSecond: 100, pageBytes: 4096)
        #expect(usage == ProcessUsage(processor: .seconds(2), resident: 2000 * 4096))
        for bad in ["", "42 (a", "42 (a) S 1", "x"] {
            #expect(ProcessUsage(stat: bad, ticksPerSecond: 100, pageBytes: 4096) == nil)
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation
import FoundationXML
import Testing

@testable import Chaos

@Suite struct HTMLReportTests {
    private func report(_ walk: WalkThrough = WalkThrough()) -> RunReport {
        RunReport(view: walk.played.view, verdict: walk.verdict)
    }

    private func page(_ reports: RunReport...) -> String { HTMLReport(reports).text }

    /// The page without its script and style sheet, which are no XML.
    private func body(_ page: String) -> String {
        var text = page
        for tag in ["script", "style"] {
            while let start = text.range(of: "<\(tag)>"), let end = text.range(of: "</\(tag)>") {
                text.removeSubrange(start.lowerBound..<end.upperBound)
            }
        }
        return text.replacingOccurrences(of: "<!DOCTYPE html>", with: "")
    }

    // MARK: Form

    @Test func `the page is well-formed`() {
        let text = body(page(report(), report(WalkThrough(tripsAt: 4))))
        let parser = XMLParser(data: Data(text.utf8))
        #expect(parser.parse(), "line \(parser.lineNumber): \(String(describing: parser.parserError))")
    }

    @Test func `the page asks for nothing from elsewhere`() {
        let text = page(report())
        for word in ["src=", "url(", "@import", "href=\"http", "<link", "fetch(", "XMLHttpRequest"] {
            #expect(!text.contains(word), "\(word)")
        }
        #expect(text.contains("default-src &#39;none&#39;"))
    }

    /// What a server, a log or a path says is shown, never obeyed.
    @Test func `text from outside cannot become markup`() {
        var story = Story()
        let evil = "</title><script>alert(1)</script>\u{1B}[31m&amp;\"'"
        story.append(.note(.init(at: Instant(5), text: evil)))
        story.end(1_000_000_000)
        var verdict = RunJudge.judge(TestPlan.plan(), story.view)
        verdict.reasons = [evil]
        verdict.verdicts = [
            Verdict(
                id: evil, group: .expectation, kind: "count", result: .fail, seen: evil, allowed: evil, sentence: evil)
        ]
        let text = page(RunReport(view: story.view, verdict: verdict))
        #expect(!text.contains("<script>alert"))
        #expect(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;\u{FFFD}[31m&amp;amp;&quot;&#39;"))
        let parser = XMLParser(data: Data(body(text).utf8))
        #expect(parser.parse())
    }

    // MARK: Content

    @Test func `a run that passes shows the outage, the target and every expectation`() {
        let run = report()
        let text = page(run)
        #expect(text.contains("<title>gatecrash: pass, 1 of 1 runs passed</title>"))
        for verdict in run.verdict.verdicts { #expect(text.contains("id=\"run-0-\(verdict.id)\"")) }
        #expect(!text.contains("open=\"\""))
        // The window of 503, as a bar with its length, and the state of the target while it lasted.
        #expect(text.contains("503 from gateway: 10.06s..20.28s, lasted 10.22s, 512 requests, 100% pure"))
        #expect(text.contains("api:8080 unhealthy, 10.04s.."))
        #expect(text.contains("HTTP failure 3 of 3 (status 500), passive"))
        #expect(text.contains(">tripped 10.04s<"))
        #expect(text.contains("class=\"fault\""))
        #expect(text.contains("gatecrash run walk-through.yaml --seed 42"))
    }

    /// 2250 requests, three zooms, the heat map: what is drawn a thousand times is packed.
    @Test func `the page of a run is small`() {
        let size = page(report(WalkThrough(recoversAt: 5))).utf8.count
        #expect(size < 150_000, "\(size) bytes")
    }

    @Test func `every answer is in the heat map, every sort in the bars, every request in the zoom`() throws {
        let run = report(WalkThrough(recoversAt: 5))
        let text = page(run)
        func attribute(_ name: String) throws -> Substring {
            let start = try #require(text.range(of: " \(name)=\"")).upperBound
            return text[start...].prefix { $0 != "\"" }
        }
        let cells = try attribute("data-heat").split(separator: ";")
        let heat = cells.flatMap { $0.split(separator: ":")[1].split(separator: ",") }.compactMap { Int($0) }
        #expect(heat.reduce(0, +) == run.statistics.latency?.count)
        let slices = try attribute("data-slices").split(separator: ";")
        let counts = slices.flatMap { $0.prefix { $0 != "/" }.split(separator: ",") }.compactMap { Int($0) }
        #expect(counts.reduce(0, +) == run.statistics.requests)
        let dots = try attribute("data-requests").split(separator: ";")
        #expect(!dots.isEmpty && dots.count <= ZoomedRequests.maximumDots)
        #expect(dots.allSatisfy { $0.split(separator: ",", omittingEmptySubsequences: false).count == 7 })
    }

    @Test func `what failed is open, with its sentence and the allowed stretch`() throws {
        let run = report(WalkThrough(recoversAt: 5))
        let failed = run.verdict.verdicts.filter { $0.result == .fail }
        #expect(failed.contains { $0.kind == "becomes" || $0.kind == "transition" })
        let text = page(run)
        for verdict in failed {
            #expect(text.contains("id=\"run-0-\(verdict.id)\" open=\"\""))
            #expect(text.contains(Markup.escaped(verdict.sentence)))
        }
        #expect(text.contains("allowed: 20.04s..25.34s"))
    }

    @Test func `several runs have an overview that leads to each`() {
        let text = page(report(), report(WalkThrough(tripsAt: 4)))
        #expect(text.contains("1 of 2 runs passed"))
        #expect(text.contains("href=\"#run-1\"") && text.contains("id=\"run-1\""))
    }

    @Test func `a run that never began has a page`() {
        var story = Story()
        story.end(0)
        let text = page(RunReport(view: story.view, verdict: RunJudge.judge(TestPlan.plan(), story.view)))
        #expect(text.contains("<section class=\"run\""))
        #expect(XMLParser(data: Data(body(text).utf8)).parse())
    }

    /// A page is read in a browser: its size must not follow the number of requests.
    @Test func `a page stays small whatever the run`() {
        var builder = JournalView.Builder()
        for n in 0..<100_000 {
            let planned = Int64(n) * 1_000_000
            let isBad = n % 3 == 0
            builder.append(
                .request(
                    JournalEvent.Request(
                        load: "users", n: n, method: "GET", path: "/\(n)", planned: planned, sent: planned,
                        firstByte: planned + 1_000, end: planned + Int64(1 + n % 977) * 10_000,
                        status: isBad ? 503 : 200, origin: .gateway, outcome: isBad ? .failed : .ok)))
        }
        let view = builder.finished()
        let report = RunReport(view: view, verdict: RunJudge.judge(TestPlan.plan(), view))
        let text = HTMLReport([report]).text
        #expect(text.contains("33334, the first 100"))
        #expect(text.utf8.count < 250_000, "\(text.utf8.count) bytes")
    }

    // MARK: Parts

    @Test func `outage windows are found without an expectation`() {
        let windows = OutageWindow.all(of: report())
        #expect(windows.map(\.sort.name) == ["503 from gateway", "500 from upstream"])
        #expect(windows.first?.windows.count == 1)
        #expect(OutageWindow.isOutage("timeout") && OutageWindow.isOutage("504 from gateway"))
        #expect(!OutageWindow.isOutage("404 from upstream") && !OutageWindow.isOutage("200"))
    }

    @Test(arguments: [(0, 45_000_000_000), (-3_000_000, 7_000_000), (0, 1), (9_990_000_000, 10_010_000_000)])
    func `an axis has a handful of round ticks inside it`(from: Int, to: Int) {
        let axis = TimeAxis(from: Int64(from), to: Int64(to))
        #expect(axis.ticks.count <= 13)
        #expect(axis.ticks.allSatisfy { axis.contains($0) })
        #expect(to == 1 || axis.ticks.count >= 2)
        #expect(axis.x(.min) == axis.left && axis.x(.max) == axis.left + axis.width)
    }

    @Test func `a slice counts every request once`() {
        let run = report()
        let series = RunSeries(run, axis: TimeAxis(from: 0, to: run.length))
        #expect(series.slices.count == RunSeries.sliceCount)
        #expect(series.slices.reduce(0) { $0 + $1.total } == run.view.requests.count)
        #expect(series.slices.allSatisfy { $0.counts.reduce(0, +) == $0.total })
        #expect(series.slices.allSatisfy { slice in (slice.p50 ?? 0) <= (slice.p99 ?? .max) })
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Testing

@testable import Chaos

/// Memory, descriptors, logs, metrics and former runs, from journals made by hand.
struct ObservationTests {
    private func verdict(_ expectation: String, _ events: [JournalEvent]) throws -> Verdict {
        let text = Examples.broken(
            "- { id: trips, target: api, becomes: unhealthy, after: errors, within: 12 requests, as: tripped }",
            "- { id: it, \(expectation) }\n"
                + "  - { id: trips, target: api, becomes: unhealthy, after: errors, within: 12 requests, as: tripped }")
        let plan = try #require(try Examples.plans(text).first)
        var builder = JournalView.Builder()
        builder.append(.header(.init(scenario: "small")))
        for event in events { builder.append(event) }
        builder.append(.end(.init(at: .init(20_000_000_000))))
        return try #require(RunJudge.judge(plan, builder.finished()).verdicts.first { $0.id == "it" })
    }

    private func at(_ seconds: Double, lo: Double = 0) -> Instant { Instant(Int64(seconds * 1e9), lo: Int64(lo * 1e9)) }

    private func usage(_ seconds: Double, _ mebibytes: Int, _ descriptors: Int = 20) -> JournalEvent {
        .usage(.init(at: at(seconds), node: "gateway", memory: mebibytes << 20, descriptors: descriptors, cpu: 0))
    }

    @Test func `the worst sample of memory and descriptors counts`() throws {
        let samples = [usage(1, 40), usage(2, 90, 300), usage(3, 50)]
        #expect(try verdict("process: gateway, rss: <= 100MiB, fds: <= 300", samples).result == .pass)
        let memory = try verdict("process: gateway, rss: <= 80MiB", samples)
        #expect(memory.result == .fail)
        #expect(memory.sentence == "gateway used 90MiB, allowed <= 80MiB")
        #expect(memory.reasons == ["The sample is of 2s; it began with 40MiB at 1s, 3 samples in all"])
        #expect(try verdict("process: gateway, rss: <= 80MiB, during: 2.5s..end", samples).result == .pass)
        #expect(try verdict("process: gateway, fds: \">= 30\"", samples).result == .fail)
        #expect(try verdict("of: gateway, fds: <= 299", samples).sentence == "gateway descriptors: 300, allowed <= 299")
    }

    @Test func `without a sample nothing is known`() throws {
        #expect(try verdict("process: gateway, rss: <= 80MiB", []).result == .inconclusive)
        #expect(try verdict("process: gateway, rss: <= 80MiB", [usage(1, 4)]).result == .pass)
    }

    private func log(_ seconds: Double, _ text: String, node: String = "gateway", lo: Double = 0) -> JournalEvent {
        .log(.init(at: at(seconds, lo: lo), node: node, text: text))
    }

    @Test func `lines of a log are counted by what they match`() throws {
        let lines = [
            log(1, "up: api (1) is unhealthy by passive check"), log(2, "up: api is HEALTHY"), log(3, "x", node: "api"),
        ]
        func result(_ match: String, _ more: String = "") throws -> Verdict.Result {
            try verdict("log: { of: gateway, match: \(match)\(more) }", lines).result
        }
        #expect(try result("/unhealthy by (passive|active)/") == .pass)
        #expect(try result("/healthy$/") == .fail)
        #expect(try result("/healthy$/i") == .pass)
        #expect(try result("(1)") == .pass, "plain text is no expression")
        #expect(try result("/healthy/i", ", count: 2") == .pass)
        #expect(try result("/healthy/i", ", count: 0") == .fail)
        #expect(try result("x") == .fail, "that was another node")
    }

    @Test func `a line that may have been written before the interval leaves the verdict open`() throws {
        let lines = [log(5.1, "oops", lo: 0.25)]
        #expect(
            try verdict("log: { of: gateway, match: oops, count: 1 }, during: 5s..6s", lines).result == .inconclusive)
        #expect(try verdict("log: { of: gateway, match: oops, count: 1 }, during: 4s..6s", lines).result == .pass)
        let failed = try verdict("log: { of: gateway, match: oops, count: 0 }", lines)
        #expect(failed.sentence == "lines with \"oops\" in the log of gateway came 1 times, allowed == 0 times")
        #expect(failed.reasons == ["The first of them, at 5.1s: oops"])
    }

    private func metric(_ seconds: Double, _ value: Double) -> JournalEvent {
        .metric(.init(at: at(seconds), node: "gateway", series: "up{target=\"api\"}", value: value))
    }

    @Test func `a metric is looked at from a mark on, or all the time`() throws {
        let samples = [metric(1, 1), metric(6, 0), metric(9, 0), metric(12, 1)]
        func result(_ bound: String, _ when: String) throws -> Verdict {
            try verdict("metric: { of: gateway, name: 'up{target=\"api\"}', is: \(bound) }, \(when)", samples)
        }
        #expect(try result("== 0", "at: 5s").result == .pass)
        #expect(try result("== 0", "at: 4s + 1s").result == .pass)
        #expect(try result("== 1", "at: end").result == .pass, "the last one, when none came after it")
        #expect(try result("== 0", "during: 5s..10s").result == .pass)
        let failed = try result("== 1", "during: start..end")
        #expect(failed.result == .fail)
        #expect(failed.reasons == ["It was 1 from 1s, 0 from 6s, 1 from 12s"])
        #expect(try result("== 1", "during: 13s..14s").result == .inconclusive)
    }

    @Test(
        arguments: [
            ("up", "up 3", 3), ("up", "# HELP up x\nupper 9\nup{a=\"b\"} 1\nup{a=\"c\"} 2.5", 3.5),
            ("up{a=\"c\"}", "up{a=\"b\"} 1\nup{z=\"1\",a=\"c\"} 2 1700000000", 2),
            ("up{a=\"x\\\"y\"}", "up{a=\"x\\\"y\"} 4", 4), ("up", "up +Inf", .infinity),
            ("up", "down 1\nup nonsense", nil),
        ] as [(String, String, Double?)])
    func `series are found in the text format`(series: String, text: String, value: Double?) throws {
        let (name, labels) = try #require(MetricText.series(series))
        let bound = Bound(
            lower: nil, upper: nil, dimension: .number, text: "", location: .init(file: "", line: 1, column: 1))
        let metric = Metric(node: "x", name: name, labels: labels, bound: bound, moment: .at(.end))
        #expect(MetricText.value(of: metric, in: text) == value)
    }

    @Test(arguments: ["", "1up", "up{", "up{a}", "up{a=b}", "up{a=\"b\"", "up x"])
    func `what is no series is none`(text: String) { #expect(MetricText.series(text) == nil) }
}

/// The same observations as invariants.
struct ObservedInvariantTests {
    private func verdict(_ invariant: String, _ events: [JournalEvent]) throws -> Verdict {
        let text = Examples.broken("- never: { status: 502 }", "- { id: it, \(invariant) }")
        let plan = try #require(try Examples.plans(text).first)
        var builder = JournalView.Builder()
        builder.append(.header(.init(scenario: "small")))
        for event in events { builder.append(event) }
        builder.append(.end(.init(at: .init(20_000_000_000))))
        return try #require(RunJudge.judge(plan, builder.finished()).verdicts.first { $0.id == "it" })
    }

    private func second(_ count: Int64) -> Instant { Instant(count * 1_000_000_000) }

    private func health(_ at: Int64, _ to: JournalEvent.AddressState) -> JournalEvent {
        let place = JournalEvent.Address(upstream: "up", target: "api:8080", address: "127.0.0.1:1")
        return .health(
            .init(
                at: second(at), sequence: Int(at), place: place, from: .healthy, to: to, cause: .passive,
                report: .httpFailure))
    }

    private func probe(_ at: Int64) -> JournalEvent {
        .served(
            .init(
                at: second(at), node: "api", chaosID: nil, n: 1, method: "GET", path: "/health", status: 200,
                connection: 1))
    }

    @Test func `health, probes, logs and samples are looked at every time`() throws {
        let events: [JournalEvent] = [
            health(3, .unhealthy), health(6, .healthy), probe(2), probe(4),
            .log(.init(at: second(5), node: "gateway", text: "PANIC")),
            .usage(.init(at: second(1), node: "gateway", memory: 100 << 20, descriptors: 9, cpu: 0)),
            .metric(.init(at: second(2), node: "gateway", series: "up", value: 3)),
        ]
        let rows: [(String, Verdict.Result)] = [
            ("never: { target: api, becomes: unhealthy }", .fail),
            ("always: { target: api, stays: healthy }", .fail),
            ("always: { target: api, stays: healthy }, during: 7s..end", .pass),
            ("always: { target: api, stays: healthy }, during: 4s..end", .fail),
            ("never: { probes: { to: api }, while: health(api) == unhealthy }", .fail),
            ("never: { probes: { to: api }, while: health(api) == unhealthy, grace: 2s }", .pass),
            ("never: { log: { of: gateway, match: panic } }", .pass),
            ("never: { log: { of: gateway, match: /panic/i } }", .fail),
            ("always: { process: gateway, rss: <= 100MiB, fds: <= 9 }", .pass),
            ("always: { process: gateway, rss: <= 99MiB }", .fail),
            ("always: { metric: { of: gateway, name: up, is: 3 } }", .pass),
            ("always: { metric: { of: gateway, name: up, is: <= 2 } }", .fail),
        ]
        for (invariant, result) in rows { #expect(try verdict(invariant, events).result == result, "\(invariant)") }
        #expect(
            try verdict("always: { process: gateway, rss: <= 99MiB }", events).sentence
                == "gateway was violated once, first at 1s: it used 100MiB, allowed always <= 99MiB")
    }
}

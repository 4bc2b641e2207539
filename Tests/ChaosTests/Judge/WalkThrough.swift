// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

@testable import Chaos

/// Plays the article's outage against a toy gateway that can be given a defect, and writes the journal of it: 50
/// requests a second for 40 s, errors from 10 s to 18 s, probes every 5 s from 0.3 s on.
struct WalkThrough {
    /// What the toy gateway does; the configuration always says 3 and 3.
    var tripsAt = 3
    var recoversAt = 3
    var stillUsesUnhealthy = false
    /// The mock's health answer while the errors last and after.
    var probeStatusAfterErrors = 200
    var errorStatus = 500

    private var story = Story()
    private var state = JournalEvent.AddressState.healthy
    private var counters = JournalEvent.Counters()

    init(
        tripsAt: Int = 3, recoversAt: Int = 3, stillUsesUnhealthy: Bool = false, probeStatusAfterErrors: Int = 200,
        errorStatus: Int = 500
    ) {
        self.tripsAt = tripsAt
        self.recoversAt = recoversAt
        self.stillUsesUnhealthy = stillUsesUnhealthy
        self.probeStatusAfterErrors = probeStatusAfterErrors
        self.errorStatus = errorStatus
    }

    static let expectations: [Expectation.Kind] = [
        TestPlan.becomes(.unhealthy, within: TestPlan.requests(16), cause: .passive, as: "tripped"),
        TestPlan.becomes(
            .healthy, within: TestPlan.time(s(10), s(15.3)), after: "tripped", cause: .active, as: "recovered"),
        TestPlan.window(
            503, origin: .gateway, starts: TestPlan.after("tripped", 0, ms(100)),
            ends: TestPlan.after("recovered", 0, ms(150)), count: TestPlan.number(1, 1), as: "dark"),
        .stays(
            Stays(target: TestPlan.api, stays: .healthy, during: TestPlan.during("recovered", "end"), flaps: nil)),
        .order([
            TestPlan.mark("errors-on"), TestPlan.mark("tripped"), TestPlan.mark("dark.start"),
            TestPlan.mark("recovered"),
            TestPlan.mark("dark.end"),
        ]),
        .model(.kongHealth),
        .sometimes(OutcomeFilter(statuses: [503...503]), during: .wholeRun),
    ]

    static let invariants: [Invariant.Kind] = [
        .neverOutcome(OutcomeFilter(statuses: [502...502, 504...504])),
        .neverTraffic(
            TrafficFilter(to: ["api"], path: "/orders", method: nil), while: .health(TestPlan.api, .unhealthy)),
        .alwaysProcess(node: "gateway", is: .running),
    ]

    static var plan: Plan { TestPlan.plan(expectations, invariants: invariants) }

    var verdict: RunVerdict { RunJudge.judge(Self.plan, played.view) }

    var played: Story {
        var copy = self
        copy.play()
        return copy.story
    }

    private mutating func play() {
        story.step("errors-on", s(10), to: s(18), text: "mock api: ERROR_RATE 0.9")
        var probe = s(0.3)
        for n in 0..<2000 {
            let at = ms(20) * Int64(n)
            while probe <= at {
                probed(probe)
                probe += s(5)
            }
            request(at)
        }
        story.end(s(40))
    }

    private mutating func request(_ at: Int64) {
        guard state.isRoutable || stillUsesUnhealthy else {
            story.answer(at, 503, from: .gateway)
            return
        }
        let isBad = at >= s(10) && at < s(18)
        let id = story.answer(at, isBad ? errorStatus : 200)
        guard isBad, errorStatus == 500 else { return }
        report(at + ms(1.5), .httpFailure, .passive, status: 500, id: id, limit: tripsAt)
    }

    private mutating func probed(_ at: Int64) {
        let status = at >= s(10) ? probeStatusAfterErrors : 200
        let report: JournalEvent.Report? = [200: .success, 500: .httpFailure][status]
        story.probe(at, status, report.flatMap { .init(rawValue: $0.rawValue) } ?? .ignored)
        if let report { self.report(at + 1000, report, .active, status: status, id: nil, limit: recoversAt) }
    }

    private mutating func report(
        _ at: Int64, _ report: JournalEvent.Report, _ cause: JournalEvent.Cause, status: Int, id: String?, limit: Int
    ) {
        let before = state
        if report == .success {
            guard state != .healthy else { return }
            counters = .init(success: counters.success + 1)
            state = counters.success >= limit ? .healthy : state == .unhealthy ? .mostlyUnhealthy : state
        } else {
            guard state != .unhealthy else { return }
            counters = .init(http: counters.http + 1)
            state = counters.http >= limit ? .unhealthy : state == .healthy ? .mostlyHealthy : state
        }
        if let id { story.attempt(at, status, id: id) }
        story.health(at, before, state, cause, report, status: status, counters: counters, limit: 3)
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chaos

@Suite struct DefectTests {
    @Test func `a gateway that does as configured passes everything`() {
        let verdict = WalkThrough().verdict
        let trouble = verdict.verdicts.filter { $0.result != .pass }.map { verdict.failureText(of: $0) }
        #expect(trouble == [])
        #expect(verdict.result == .pass)
        #expect(
            verdict.marks.map(\.name) == [
                "start", "errors-on", "tripped", "dark.start", "errors-on.end", "dark.end",
                "recovered", "end",
            ])
    }

    @Test(arguments: [2, 4]) func `a passive threshold off by one is named with both numbers`(trips: Int) throws {
        let verdict = WalkThrough(tripsAt: trips).verdict
        #expect(verdict.result == .fail)
        let model = try #require(verdict["model-6"])
        #expect(model.result == .fail)
        #expect(
            model.sentence == "api became unhealthy at HTTP failure \(trips), configuration says 3 "
                + "(passive.unhealthy.http_failures = 3 of upstream orders-up)")
        #expect(verdict.failureText(of: model).hasSuffix("Reproduce: gatecrash run walk-through.yaml --seed 42"))
    }

    @Test func `a recovery after two successes is named, and the too early transition says why`() throws {
        let verdict = WalkThrough(recoversAt: 2).verdict
        #expect(verdict.result == .fail)
        let cause =
            "api became healthy at success 2, configuration says 3 (active.healthy.successes = 3, interval 5s of "
            + "upstream orders-up)"
        let model = try #require(verdict["model-6"])
        #expect(model.sentence == cause + ", 2 differences in all")
        let recovery = try #require(verdict["becomes-2"])
        #expect(recovery.result == .fail)
        #expect(recovery.sentence == "api became healthy 5.26s after tripped, allowed 10s..15.3s after tripped")
        #expect(recovery.reasons.first == cause)
    }

    @Test func `traffic to an unhealthy target is named with the first request and how late it was`() throws {
        let verdict = WalkThrough(stillUsesUnhealthy: true).verdict
        #expect(verdict.result == .fail)
        let invariant = try #require(verdict["never-2"])
        #expect(invariant.result == .fail)
        #expect(
            invariant.sentence.contains("traffic to api while health(api) == unhealthy came 1010 times, first at 10.1s")
        )
        let window = try #require(verdict["window-3"])
        #expect(window.result == .fail)
        #expect(window.reasons.contains { $0.hasPrefix("api got ") && $0.contains(" requests while it was unhealthy") })
    }

    @Test func `probes with a status in neither list explain why a target never comes back`() throws {
        let verdict = WalkThrough(probeStatusAfterErrors: 426).verdict
        let recovery = try #require(verdict["becomes-2"])
        #expect(recovery.result == .fail)
        #expect(recovery.sentence == "api never became healthy after tripped, allowed 10s..15.3s")
        #expect(
            recovery.reasons.contains {
                $0 == "6 probes got 426, which is in neither active.healthy.http_statuses nor "
                    + "active.unhealthy.http_statuses: they count for nothing"
            })
    }

    @Test func `failing probes are counted in the sentence`() throws {
        let verdict = WalkThrough(probeStatusAfterErrors: 500).verdict
        let recovery = try #require(verdict["becomes-2"])
        #expect(recovery.reasons.contains { $0.hasPrefix("Probe 1 of 3 at 10.3s got 500 from api") })
    }

    @Test func `an ignored status explains why a target never left`() throws {
        let verdict = WalkThrough(errorStatus: 502).verdict
        let trip = try #require(verdict["becomes-1"])
        #expect(trip.result == .fail)
        #expect(
            trip.reasons.contains {
                $0 == "400 answers 502 were ignored: 502 is in neither passive.healthy.http_statuses nor "
                    + "passive.unhealthy.http_statuses"
            })
        // What depends on the missing mark points to the root and tells the story once.
        let recovery = try #require(verdict["becomes-2"])
        #expect(recovery.sentence == "cannot be judged: tripped was never seen (see becomes-1)")
        let stays = try #require(verdict["stays-4"])
        #expect(stays.sentence == "cannot be judged: recovered was never seen (see becomes-1)")
        #expect(stays.reasons == [])
    }
}

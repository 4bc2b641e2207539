// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chaos

@Suite struct FlakeRateTests {
    private func report(_ scenario: String, _ result: RunResult, seed: UInt64 = 1) -> RunReport {
        var builder = JournalView.Builder()
        var header = JournalEvent.Header(scenario: scenario)
        header.seed = seed
        builder.append(.header(header))
        return RunReport(view: builder.finished(), verdict: RunVerdict(result: result))
    }

    @Test func `one run of each says nothing about flakes`() {
        #expect(FlakeRate([report("a", .pass), report("b", .fail)]).lines == [])
    }

    @Test func `repetitions of one scenario are one line`() {
        let reports = (1...20).map { report("a", $0 == 7 ? .fail : .pass, seed: $0) }
        #expect(FlakeRate(reports).lines == ["a: 19 of 20 passed, 1 failed: flake rate 5% (seed 7)"])
    }

    @Test func `what always fails does not flake`() {
        let reports = (1...4).flatMap { [report("a", .pass, seed: $0), report("b", .fail, seed: $0)] }
        #expect(
            FlakeRate(reports).lines == [
                "a: 4 of 4 passed: flake rate 0%",
                "b: 0 of 4 passed, 4 failed: flake rate 0% (seeds 1, 2, 3, 4)",
                "all repetitions: 4 of 8 passed, 4 failed: flake rate 0%",
            ])
    }

    @Test func `a run without a verdict beside others is a flake`() {
        let reports = [
            report("a", .pass), report("a", .inconclusive, seed: 9), report("a", .pass), report("b", .pass),
            report("c", .pass), report("c", .pass),
        ]
        #expect(
            FlakeRate(reports).lines == [
                "a: 2 of 3 passed, 1 came to no verdict: flake rate 33.3% (seed 9)",
                "c: 2 of 2 passed: flake rate 0%",
                "all repetitions: 4 of 5 passed, 1 came to no verdict: flake rate 20%",
            ])
        #expect(SuiteSummary(reports, style: Style()).text.contains("flake rate 20%"))
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import Chaos

@Suite struct LoadPhaseTests {
    private static let started = NIODeadline.uptimeNanoseconds(7_123_456_789)

    @Test(
        arguments: [
            ([5, 5], 1_000), ([1], 1_000), ([0.5], 500), ([1.5], 500), ([0.2, 5], 200), ([0.3], 100), ([60, 7], 1_000),
            // Kong's ticker makes 100 ms of it.
            ([0.02], 100),
        ] as [([Double], Int64)])
    func `the grid is what whole seconds and intervals have in common`(intervals: [Double], milliseconds: Int64) {
        let phase = LoadPhase(intervals: intervals.map { Nanoseconds(seconds: $0) })
        #expect(phase.grid == .milliseconds(milliseconds))
    }

    @Test func `every step at a whole second is half a grid away from every probe`() {
        for (interval, distance) in [(Int64(5_000), Int64(500)), (1_000, 500), (500, 250), (200, 100), (1_500, 250)] {
            let phase = LoadPhase(intervals: [.milliseconds(interval)])
            for late in stride(from: Int64(0), to: 3_000, by: 37) {
                let earliest = Self.started + .milliseconds(late)
                let start = phase.start(notBefore: earliest, gateway: Self.started)
                #expect(start >= earliest)
                #expect(start - earliest < .seconds(1))
                for probe in 1...20 {
                    let after = (Self.started + .milliseconds(interval * Int64(probe)) - start).nanoseconds / 1_000_000
                    let beyond = ((after % 1_000) + 1_000) % 1_000
                    #expect(min(beyond, 1_000 - beyond) >= distance)
                }
            }
        }
    }

    @Test func `without probes the load starts at once`() {
        let earliest = Self.started + .milliseconds(1_234)
        #expect(LoadPhase(intervals: []).start(notBefore: earliest, gateway: Self.started) == earliest)
        #expect(LoadPhase(TestPlan.plan(checks: ["active": ["healthy": ["interval": 0]]]).topology).grid == nil)
        #expect(LoadPhase(TestPlan.plan().topology).grid == .seconds(1))
    }
}

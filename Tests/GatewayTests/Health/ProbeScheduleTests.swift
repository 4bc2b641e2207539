// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Testing

@Suite struct ProbeScheduleTests {
    private let start = NIODeadline.uptimeNanoseconds(1_234_567_891)

    @Test func `the first pass comes one interval after creation and the rest at exact multiples`() {
        var schedule = ProbeSchedule(interval: .seconds(5), createdAt: start)
        for multiple in 1...1000 {
            #expect(schedule.nextPass == start + .seconds(5) * multiple)
            // A loop that is late by up to a tick does not shift the passes that follow.
            let late = TimeAmount.milliseconds(Int64(multiple % 100))
            #expect(schedule.timerFired(now: schedule.nextPass + late) == .startPass)
            schedule.passEnded()
        }
    }

    @Test func `a pass is left out while the last one runs and the multiples stay`() {
        var schedule = ProbeSchedule(interval: .seconds(1), createdAt: start)
        #expect(schedule.timerFired(now: schedule.nextPass) == .startPass)
        #expect(schedule.timerFired(now: schedule.nextPass) == .leaveOut)
        schedule.passEnded()
        #expect(schedule.nextPass == start + .seconds(3))
        #expect(schedule.timerFired(now: schedule.nextPass) == .startPass)
    }

    @Test func `turns that a stopped loop slept through are not made up for`() {
        var schedule = ProbeSchedule(interval: .seconds(1), createdAt: start)
        #expect(schedule.timerFired(now: start + .milliseconds(7300)) == .startPass)
        #expect(schedule.nextPass == start + .seconds(8))
    }

    @Test func `no interval is shorter than a tick`() {
        #expect(ProbeSchedule(interval: .milliseconds(1), createdAt: start).nextPass == start + .milliseconds(100))
        #expect(ProbeSchedule(interval: .milliseconds(250), createdAt: start).nextPass == start + .milliseconds(250))
    }

    @Test(arguments: [
        (items: 0, concurrency: 10, packages: [[]]),
        (items: 3, concurrency: 10, packages: [[0], [1], [2]]),
        (items: 5, concurrency: 2, packages: [[0, 2, 4], [1, 3]]),
        (items: 4, concurrency: 1, packages: [[0, 1, 2, 3]]),
    ])
    func `items are dealt in turn into packages`(items: Int, concurrency: Int, packages: [[Int]]) {
        let dealt = ProbeSchedule.packages(of: Array(0..<items), concurrency: concurrency)
        #expect(dealt == packages.filter { !$0.isEmpty })
    }
}

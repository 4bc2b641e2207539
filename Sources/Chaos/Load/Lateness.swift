// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Histogram
package import NIOCore

/// How late something was that should have been on time. A run whose generator or timers were late says nothing about
/// the gateway.
package struct Lateness: Sendable {
    /// Three digits up to an hour.
    private var histogram = Histogram<UInt64>(highestTrackableValue: 3_600_000_000_000)
    private var worstSinceTaken = Nanoseconds.zero

    package init() {}

    package var count: Int { Int(histogram.totalCount) }
    package var worst: Nanoseconds { Nanoseconds(Int64(histogram.maxRecorded)) }

    /// - Parameter lateness: a negative one (early by a rounding) counts as none.
    package mutating func record(_ lateness: Nanoseconds) {
        let clamped = min(max(lateness, .zero), .seconds(3600))
        histogram.record(UInt64(clamped.count))
        worstSinceTaken = max(worstSinceTaken, clamped)
    }

    /// - Parameter percent: 99.9 for p99.9.
    package func quantile(_ percent: Double) -> Nanoseconds {
        count == 0 ? .zero : Nanoseconds(Int64(histogram.valueAtPercentile(percent)))
    }

    /// The worst since the last call, for a journal that notes it now and then.
    package mutating func takeWorst() -> Nanoseconds {
        defer { worstSinceTaken = .zero }
        return worstSinceTaken
    }
}

/// A timer that does nothing but be late: it measures what the machine and the event loop do to every timer of the run.
/// Confined to its event loop.
package final class TimerCanary {
    /// Often enough to meet a pause of the host, seldom enough to cost nothing.
    package static let defaultPeriod = Nanoseconds.milliseconds(10)

    package private(set) var lateness = Lateness()
    private let loop: any EventLoop
    private let period: Nanoseconds
    private let start: NIODeadline
    private var slot: Int64 = 0
    private var timer: Scheduled<Void>?

    /// Starts to measure.
    package init(on loop: any EventLoop, period: Nanoseconds = TimerCanary.defaultPeriod) {
        precondition(period > .zero, "a canary needs a period, not \(period)")
        loop.assertInEventLoop()
        self.loop = loop
        self.period = period
        start = loop.now
        schedule()
    }

    package func stop() {
        loop.assertInEventLoop()
        timer?.cancel()
        timer = nil
    }

    package func takeWorst() -> Nanoseconds { lateness.takeWorst() }

    private func schedule() {
        slot += 1
        let due = start + (period * slot).timeAmount
        timer = loop.assumeIsolated().scheduleTask(deadline: due) { [weak self] in self?.fire() }
    }

    /// Every period that has passed meanwhile counts, not only the first: a stall of 50 ms is five late timers.
    private func fire() {
        let passed = Nanoseconds((loop.now - start).nanoseconds)
        while period * slot <= passed {
            lateness.record(passed - period * slot)
            slot += 1
        }
        slot -= 1
        schedule()
    }
}

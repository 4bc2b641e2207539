// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

#if GATECRASH_DEFECTS
import Defects
#endif

/// When the passes of one mode of one checker start.
///
/// Kong has one ticker of 0.1 s for all checkers and starts a pass at the first tick at which the interval has elapsed
/// since the last start. Here every (checker, mode) has a timer of its own, so that passes start at exact multiples of
/// the interval after the creation of the checker, which lie at most one tick before Kong's and do not drift. A pass
/// whose turn comes while the last one still runs is left out; the multiples stay.
package struct ProbeSchedule: Hashable, Sendable {
    /// Which addresses a pass probes: those that get traffic, or those that do not.
    package enum Mode: String, Hashable, Sendable, CaseIterable { case healthy, unhealthy }

    package enum Order: Hashable, Sendable { case startPass, leaveOut }

    /// Kong's ticker (lua-resty-healthcheck, CHECK_INTERVAL): no interval is shorter.
    package static let tick = TimeAmount.milliseconds(100)

    package let interval: TimeAmount
    /// When the timer is to fire next.
    package private(set) var nextPass: NIODeadline
    package private(set) var isRunning = false

    /// - Parameter interval: longer than zero.
    package init(interval: TimeAmount, createdAt: NIODeadline) {
        precondition(interval > .zero, "a schedule without an interval")
        #if GATECRASH_DEFECTS
        let interval = Defect.probeIntervalTooLong.isChosen ? .nanoseconds(interval.nanoseconds / 5 * 6) : interval
        #endif
        self.interval = max(interval, Self.tick)
        nextPass = createdAt + self.interval
    }

    /// - Parameter now: not before `nextPass`.
    package mutating func timerFired(now: NIODeadline) -> Order {
        let missed = max(0, (now - nextPass).nanoseconds / interval.nanoseconds)
        nextPass = nextPass + interval * (missed + 1)
        guard !isRunning else { return .leaveOut }
        isRunning = true
        return .startPass
    }

    package mutating func passEnded() { isRunning = false }

    /// Deals items round-robin into at most `concurrency` packages. Packages run side by side, the items of one package
    /// one after the other.
    package static func packages<Item>(of items: [Item], concurrency: Int) -> [[Item]] {
        let count = min(items.count, max(1, concurrency))
        return (0..<count).map { first in stride(from: first, to: items.count, by: count).map { items[$0] } }
    }
}

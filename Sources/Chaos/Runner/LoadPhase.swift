// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
package import NIOCore

/// When a load may start, seen from the start of the gateway: half a step of the probes' grid after one of them.
///
/// Probes come at whole multiples of their interval after the gateway's start (`ProbeSchedule`), steps at whole seconds
/// after the load's. Were both starts the same, a probe would be under way at the very instant of a step, and whether
/// it still met the old state would be luck: it could be the third failure, or clear the first two. So the load waits
/// until the two grids stand as far apart as they can, at most 1 s:
///
///     grid       the greatest common divisor of 1 s and all probe intervals: 1 s for intervals of whole seconds
///     start      the first instant that lies half a grid after a multiple of it, counted from the gateway's start
///
/// With intervals of whole seconds every probe then falls on x.5 s of the load.
package struct LoadPhase: Hashable, Sendable {
    /// Nil when there is no probe to keep away from.
    package let grid: Nanoseconds?

    private static let second: Int64 = 1_000_000_000
    /// No interval is shorter (Kong's ticker).
    private static let shortest: Int64 = 100_000_000
    /// Intervals are told apart by the millisecond; a grid of less keeps nothing apart.
    private static let unit: Int64 = 1_000_000

    package init(_ topology: Topology) {
        let upstreams = topology.gateways.flatMap(\.upstreams)
        let intervals = upstreams.flatMap { upstream in
            ["healthy", "unhealthy"].compactMap { side in
                upstream.healthChecks["active"]?[side]?["interval"]?.doubleValue
            }
        }
        self.init(intervals: intervals.filter { $0 > 0 }.map { Nanoseconds(seconds: $0) })
    }

    init(intervals: [Nanoseconds]) {
        guard !intervals.isEmpty else {
            grid = nil
            return
        }
        grid = Nanoseconds(
            intervals.reduce(Self.second) { grid, interval in
                Self.greatestCommonDivisor(grid, max(interval.count, Self.shortest) / Self.unit * Self.unit)
            })
    }

    /// The first instant that fits, not before `earliest`.
    package func start(notBefore earliest: NIODeadline, gateway started: NIODeadline) -> NIODeadline {
        guard let grid else { return earliest }
        let since = (earliest - started).nanoseconds
        let (half, whole) = (grid.count / 2, grid.count)
        let behind = ((since - half) % whole + whole) % whole
        return behind == 0 ? earliest : earliest + .nanoseconds(whole - behind)
    }

    private static func greatestCommonDivisor(_ a: Int64, _ b: Int64) -> Int64 {
        b == 0 ? a : greatestCommonDivisor(b, a % b)
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

extension HealthChecks {
    /// Whether an upstream is checked at all (kong/runloop/balancer/healthcheckers.lua, is_upstream_using_healthcheck).
    /// `passive.healthy.successes` alone does not switch checks on, and `active.type` has no say.
    package var areOn: Bool {
        active.healthy.interval != .zero || active.unhealthy.interval != .zero
            || passive.unhealthy.tcpFailures != 0 || passive.unhealthy.timeouts != 0
            || passive.unhealthy.httpFailures != 0
    }

    /// Whether Kong's library accepts what Kong's schema accepted: it knows no gRPC, and its counters end below 255.
    /// Where it does not, the upstream runs as one without checks.
    package var canBeMade: Bool {
        let limits = [active.limits, passive.limits].flatMap { limits in
            HealthMachine.Report.allCases.map { limits[$0] }
        }
        let kinds: [Kind] = [.http, .https, .tcp]
        return limits.allSatisfy { $0 < 255 } && kinds.contains(active.type) && kinds.contains(passive.type)
    }

    /// Between the passes of a mode; zero is off. Probes of type tcp belong to Kong's stream proxy: under HTTP they
    /// count as switched on, but none is ever sent.
    package func interval(_ mode: ProbeSchedule.Mode) -> TimeAmount {
        guard active.type != .tcp else { return .zero }
        return mode == .healthy ? active.healthy.interval : active.unhealthy.interval
    }
}

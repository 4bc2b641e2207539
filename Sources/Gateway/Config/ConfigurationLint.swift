// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
import NIOCore

/// Traps in a valid configuration: what Kong accepts and people regret. Each is one line that says what and what to do.
package enum ConfigurationLint {
    package static func warnings(for configuration: Configuration) -> [Problem] {
        configuration.upstreams.flatMap { upstream in
            let targets = configuration.targets.filter { $0.upstreamID == upstream.id }
            let services = configuration.services.filter { $0.upstreamID == upstream.id }
            return warnings(for: upstream) + weightWarnings(upstream, targets) + retryWarnings(upstream, services)
        }
    }

    /// The traps in the health checks of one upstream.
    package static func warnings(for upstream: Upstream) -> [Problem] {
        let name = "\(upstream.serviceID == nil ? "upstream" : "service") '\(upstream.name)'"
        let findings = recovery(upstream.healthchecks) + probes(upstream.healthchecks) + limits(upstream.healthchecks)
        return findings.map { Problem(at: nil, "\(name): \($0.what)", advice: $0.advice) }
    }

    private typealias Finding = (what: String, advice: String)

    /// Ways out that have no way back.
    private static func recovery(_ checks: HealthChecks) -> [Finding] {
        var found: [Finding] = []
        let passive = checks.passive.unhealthy
        let ejectsPassively = passive.tcpFailures > 0 || passive.timeouts > 0 || passive.httpFailures > 0
        let isProbedWhenDown = checks.active.unhealthy.interval > .zero && checks.active.type != .tcp
        if ejectsPassively && !isProbedWhenDown {
            found.append(
                (
                    "passive checks take a target out and nothing brings it back",
                    "set healthchecks.active.unhealthy.interval and healthchecks.active.healthy.successes"
                ))
        } else if checks.active.healthy.interval > .zero && checks.active.unhealthy.interval == .zero {
            found.append(
                (
                    "an unhealthy target is never probed again (healthy.interval > 0, unhealthy.interval = 0)",
                    "set healthchecks.active.unhealthy.interval"
                ))
        }
        if checks.active.unhealthy.interval > .zero && checks.active.healthy.successes == 0 {
            found.append(
                (
                    "probes of an unhealthy target cannot bring it back (active.healthy.successes = 0)",
                    "set healthchecks.active.healthy.successes"
                ))
        }
        if ejectsPassively && checks.passive.healthy.successes == 0 && !clearsActively(checks) {
            found.append(
                (
                    "passive failures add up for ever, because no success clears them",
                    "set healthchecks.passive.healthy.successes to 1"
                ))
        }
        return found
    }

    private static func clearsActively(_ checks: HealthChecks) -> Bool {
        checks.active.healthy.interval > .zero && checks.active.healthy.successes > 0
    }

    /// Probes that do less than they seem to.
    private static func probes(_ checks: HealthChecks) -> [Finding] {
        let active = checks.active
        guard active.healthy.interval > .zero || active.unhealthy.interval > .zero else { return [] }
        switch active.type {
        case .tcp:
            return [("probes of type tcp are never sent for HTTP traffic, as in Kong", "use type http or https")]
        case .grpc, .grpcs:
            return [
                ("Kong's checker refuses probes of type \(active.type.rawValue)", "use type http, https or tcp")
            ]
        case .http, .https:
            break
        }
        guard active.healthy.interval > .zero else { return [] }
        let ignored = [("tcp_failures", active.unhealthy.tcpFailures), ("timeouts", active.unhealthy.timeouts)]
            .filter { $0.1 == 0 }.map(\.0)
        if ignored.isEmpty { return [] }
        let what = ignored.contains("tcp_failures") ? "that refuses connections" : "that does not answer"
        return [
            (
                "probes do not notice a target \(what) (active.unhealthy.\(ignored.joined(separator: ", ")) = 0)",
                "set healthchecks.active.unhealthy.\(ignored.joined(separator: " and "))"
            )
        ]
    }

    /// Numbers that mean something else than they look.
    private static func limits(_ checks: HealthChecks) -> [Finding] {
        var found: [Finding] = []
        if checks.threshold >= 100 {
            found.append(("a threshold of 100 % is never exceeded: every request gets 503", "set a lower threshold"))
        }
        let (active, passive) = (checks.active, checks.passive)
        let counts = [
            active.healthy.successes, active.unhealthy.tcpFailures, active.unhealthy.timeouts,
            active.unhealthy.httpFailures, passive.healthy.successes, passive.unhealthy.tcpFailures,
            passive.unhealthy.timeouts, passive.unhealthy.httpFailures,
        ]
        if counts.contains(255) {
            found.append(("Kong's checker refuses a limit of 255 and runs without checks", "use at most 254"))
        }
        return found
    }

    private static func weightWarnings(_ upstream: Upstream, _ targets: [Target]) -> [Problem] {
        if targets.contains(where: { $0.weight > 0 }) { return [] }
        let what = targets.isEmpty ? "has no targets" : "has only targets of weight 0"
        return [
            Problem(
                at: nil, "upstream '\(upstream.name)' \(what): every request gets 503",
                advice: "add a target with a weight above 0")
        ]
    }

    /// On the last try a refused connection is reported as status 502, never as a TCP failure
    /// (log.after in kong/runloop/handler.lua).
    private static func retryWarnings(_ upstream: Upstream, _ services: [Service]) -> [Problem] {
        guard upstream.healthchecks.passive.unhealthy.tcpFailures > 0 else { return [] }
        return services.filter { $0.retries == 0 }.map { service in
            Problem(
                at: nil,
                "service '\(service.name ?? service.id)': with retries = 0 a refused connection counts as status 502, "
                    + "not as a TCP failure",
                advice: "set retries to 1 or more, or add 502 to healthchecks.passive.unhealthy.http_statuses")
        }
    }
}

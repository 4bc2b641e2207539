// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// What is legal in a Kong document and seldom meant.
enum ConfigurationWarnings {
    static func of(_ plan: Plan) -> [String] {
        var warnings: [String] = []
        for gateway in plan.topology.gateways {
            for upstream in gateway.upstreams {
                let health = HealthText(facts: upstream)
                let texts = health.isOn ? checks(health, retries(of: upstream.name, in: gateway.document)) : []
                warnings += texts.map { "\(upstream.name): \($0)" }
                if let limit = tooHigh(upstream.healthChecks) {
                    warnings.append("\(upstream.name): \(limit)")
                }
                for target in upstream.targets where !isBound(target, gateway, plan) {
                    warnings.append(
                        "\(upstream.name): the target \(target.target) goes to no mock; bind: it, or it is looked up for real"
                    )
                }
            }
        }
        return warnings + forecast(plan)
    }

    private static func isBound(_ target: UpstreamFacts.Target, _ gateway: GatewayNode, _ plan: Plan) -> Bool {
        plan.topology.bindings.contains {
            $0.gateway == gateway.id && $0.host == target.host && $0.port == target.port
        }
    }

    /// The fewest retries of the services in front of an upstream; Kong's default is 5.
    private static func retries(of upstream: String, in document: JSONValue) -> Int? {
        (document["services"]?.arrayValue ?? []).filter { $0["host"]?.stringValue == upstream }
            .map { $0["retries"]?.intValue ?? 5 }.min()
    }

    private static func checks(_ health: HealthText, _ retries: Int?) -> [String] {
        var warnings: [String] = []
        let unhealthy = health.active["unhealthy"]
        let passive = health.passive["unhealthy"]
        let isPassive = !HealthText.limits(passive).isEmpty
        if isPassive, health.unhealthyInterval == .zero || health.successes == 0 {
            let missing = health.unhealthyInterval == .zero ? "active.unhealthy.interval" : "active.healthy.successes"
            warnings.append("a target that left never returns by itself: \(missing) is 0")
        }
        if health.active["type"]?.stringValue == "tcp" {
            warnings.append("active.type is tcp, so no probe is ever sent to an HTTP upstream")
        }
        let statuses = (passive?["http_statuses"]?.arrayValue ?? []).compactMap(\.intValue)
        let noticesBadGateway = HealthText.limit(passive, "http_failures") > 0 && statuses.contains(502)
        let noticesByProbe = health.healthyInterval > .zero && HealthText.limit(unhealthy, "tcp_failures") > 0
        if retries == 0, isPassive, !noticesBadGateway, !noticesByProbe {
            warnings.append(
                "with retries 0 a refused connection is an HTTP 502, which passive.unhealthy.http_statuses does not list, "
                    + "and probes have no tcp_failures: a dead target is used for ever")
        }
        let shortest = [health.healthyInterval, health.unhealthyInterval].filter { $0 > .zero }.min()
        if let shortest, health.probeTimeout >= shortest {
            warnings.append(
                "the probe's timeout (\(health.probeTimeout)) is not shorter than the interval (\(shortest)): "
                    + "passes are left out while one runs")
        }
        if HealthText.limit(health.passive["healthy"], "successes") == 0, isPassive,
            health.healthyInterval == .zero || health.successes == 0
        {
            warnings.append("nothing clears failures, so they add up over hours: set passive.healthy.successes")
        }
        if health.facts.healthChecks["threshold"]?.doubleValue == 100 {
            warnings.append("threshold 100 is never exceeded: every request gets 503")
        }
        return warnings
    }

    /// The library under Kong takes less than 255 only, though Kong's schema allows it.
    private static func tooHigh(_ checks: JSONValue) -> String? {
        for side in ["active", "passive"] {
            for (group, keys) in [
                ("healthy", ["successes"]), ("unhealthy", ["http_failures", "tcp_failures", "timeouts"]),
            ] {
                for key in keys where checks[side]?[group]?[key]?.intValue == 255 {
                    return "\(side).\(group).\(key) is 255: Kong runs the upstream without checks then; use 254 at most"
                }
            }
        }
        return nil
    }

    /// Observed marks that may come only when the load is over.
    private static func forecast(_ plan: Plan) -> [String] {
        guard let length = plan.length else { return [] }
        let forecast = MarkForecast(plan)
        return plan.marks.compactMap { mark in
            guard case .expectation(let index) = mark.origin, let range = forecast.ranges[mark.name],
                range.upperBound > length
            else { return nil }
            return "`\(mark.name)` of \(plan.expectations[index].id) may come as late as \(range.upperBound), "
                + "after the end of the load (\(length))"
        }
    }
}

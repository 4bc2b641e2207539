// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway

/// What is legal in a scenario and its Kong document and seldom meant.
enum ConfigurationWarnings {
    static func of(_ plan: Plan) -> [String] {
        var warnings: [String] = []
        for gateway in plan.topology.gateways where gateway.document != .null {
            warnings += lint(gateway.document)
            for upstream in gateway.upstreams {
                let retries = retries(of: upstream.name, in: gateway.document)
                warnings += checks(HealthText(facts: upstream), retries).map { "upstream '\(upstream.name)': \($0)" }
                for target in upstream.targets where !isBound(target, gateway, plan) {
                    warnings.append(
                        "upstream '\(upstream.name)': \(target.target) goes to no mock; it is looked up for real "
                            + "unless `bind:` names it")
                }
            }
        }
        return warnings + forecast(plan)
    }

    /// The gateway's own findings.
    private static func lint(_ document: JSONValue) -> [String] {
        let store = try? DeclarativeFile.read(
            document.description, file: "kong", acceptsServiceHealthChecks: true, now: 1_000_000_000)
        return store.map { ConfigurationLint.warnings(for: $0.configuration()).map(\.description) } ?? []
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
        guard health.isOn else { return [] }
        var warnings: [String] = []
        let passive = health.passive["unhealthy"]
        let statuses = (passive?["http_statuses"]?.arrayValue ?? []).compactMap(\.intValue)
        let noticesBadGateway = HealthText.limit(passive, "http_failures") > 0 && statuses.contains(502)
        let noticesByProbe =
            health.healthyInterval > .zero && HealthText.limit(health.active["unhealthy"], "tcp_failures") > 0
        if retries == 0, !noticesBadGateway, !noticesByProbe {
            warnings.append(
                "a dead target is used for ever: with retries = 0 a refused connection counts as status 502, which "
                    + "passive checks do not list, and probes have no tcp_failures; set one of them")
        }
        let shortest = [health.healthyInterval, health.unhealthyInterval].filter { $0 > .zero }.min()
        if let shortest, health.probeTimeout >= shortest {
            warnings.append(
                "the timeout of a probe (\(health.probeTimeout)) is not shorter than the interval (\(shortest)), so a "
                    + "slow target is probed less often; set a shorter active.timeout")
        }
        return warnings
    }

    /// Observed marks that may come only when the load is over.
    private static func forecast(_ plan: Plan) -> [String] {
        guard let length = plan.length else { return [] }
        let forecast = MarkForecast(plan)
        return plan.marks.compactMap { mark in
            guard case .expectation(let index) = mark.origin, let range = forecast.ranges[mark.name],
                range.upperBound > length
            else { return nil }
            return
                "`\(mark.name)` of `\(plan.expectations[index].id)` may come as late as \(range.upperBound), after the "
                + "end of the load (\(length)); make the load longer"
        }
    }
}

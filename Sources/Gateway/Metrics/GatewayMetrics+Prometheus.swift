// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The names, labels and words of Kong's prometheus plugin (kong/plugins/prometheus/exporter.lua), with everything
/// switched on that the plugin can count. Requests that found no service are counted too, with empty labels.
extension GatewayMetrics {
    package func prometheus(nodeID: String) -> String {
        var out = PrometheusText()
        out.begin("kong_node_info", .gauge, "Kong Node metadata information")
        out.add("kong_node_info", [("node_id", nodeID), ("version", AdminAPI.version)], 1)
        out.begin("kong_datastore_reachable", .gauge, "Datastore reachable from Kong, 0 is unreachable")
        out.add("kong_datastore_reachable", [], 1)
        writeConnections(nodeID, to: &out)
        writeRequests(to: &out)
        writeBandwidth(to: &out)
        writeLatencies(to: &out)
        writeHealth(to: &out)
        return out.text
    }

    private func writeConnections(_ nodeID: String, to out: inout PrometheusText) {
        let connections = "kong_nginx_connections_total"
        out.begin(connections, .gauge, "Number of connections by subsystem")
        let states = [
            ("accepted", server.connectionsAccepted), ("active", server.connectionsActive),
            ("handled", server.connectionsHandled), ("reading", server.connectionsReading),
            ("total", server.totalRequests), ("waiting", server.connectionsWaiting),
            ("writing", server.connectionsWriting),
        ]
        for (state, count) in states {
            out.add(connections, [("node_id", nodeID), ("subsystem", "http"), ("state", state)], count)
        }
        out.begin("kong_nginx_requests_total", .gauge, "Number of requests total")
        out.add("kong_nginx_requests_total", [("node_id", nodeID), ("subsystem", "http")], server.totalRequests)
    }

    private func writeRequests(to out: inout PrometheusText) {
        let name = "kong_http_requests_total"
        out.begin(name, .counter, "HTTP status codes per consumer/service/route in Kong")
        for route in routes {
            let answers = route.answers.sorted {
                ($0.key.status, $0.key.isFromService ? 1 : 0) < ($1.key.status, $1.key.isFromService ? 1 : 0)
            }
            for (answer, count) in answers {
                out.add(
                    name,
                    [
                        ("service", route.labels.service), ("route", route.labels.route), ("code", "\(answer.status)"),
                        ("source", answer.isFromService ? "service" : "kong"), ("workspace", "default"),
                        ("consumer", ""),
                    ], count)
            }
        }
    }

    private func writeBandwidth(to out: inout PrometheusText) {
        let name = "kong_bandwidth_bytes"
        out.begin(name, .counter, "Total bandwidth (ingress/egress) throughput in bytes")
        for route in routes {
            for (direction, bytes) in [("egress", route.egress), ("ingress", route.ingress)] where bytes > 0 {
                out.add(
                    name,
                    [
                        ("service", route.labels.service), ("route", route.labels.route), ("direction", direction),
                        ("workspace", "default"), ("consumer", ""),
                    ], bytes)
            }
        }
    }

    private func writeLatencies(to out: inout PrometheusText) {
        let histograms: [(name: String, help: String, of: KeyPath<RouteMetrics, LatencyHistogram>)] = [
            (
                "kong_kong_latency_ms", "Latency added by Kong and enabled plugins for each service/route in Kong",
                \.kong
            ),
            (
                "kong_request_latency_ms",
                "Total latency incurred during requests for each service/route in Kong", \.request
            ),
            (
                "kong_upstream_latency_ms", "Latency added by upstream response for each service/route in Kong",
                \.upstream
            ),
        ]
        for (name, help, histogram) in histograms {
            out.begin(name, .histogram, help)
            for route in routes where route[keyPath: histogram].counts.contains(where: { $0 > 0 }) {
                out.add(
                    name,
                    [
                        ("service", route.labels.service), ("route", route.labels.route), ("workspace", "default"),
                    ], route[keyPath: histogram])
            }
        }
    }

    private func writeHealth(to out: inout PrometheusText) {
        let name = "kong_upstream_target_health"
        out.begin(
            name, .gauge,
            "Health status of targets of upstream. States = healthchecks_off|healthy|unhealthy|dns_error, "
                + "value is 1 when state is populated.")
        for (upstream, health) in upstreams {
            for target in health.targets {
                let addresses = target.addresses.map { (Self.text(of: $0), $0.health) }
                for (address, status) in addresses.isEmpty ? [("", HealthStatus.dnsError)] : addresses {
                    for state in ["healthchecks_off", "healthy", "unhealthy", "dns_error"] {
                        out.add(
                            name,
                            [
                                ("upstream", upstream), ("target", "\(target.host):\(target.port)"),
                                ("address", address), ("state", state), ("subsystem", "http"),
                            ], status.rawValue.lowercased() == state ? 1 : 0)
                    }
                }
            }
        }
    }

    private static func text(of address: AddressHealthView) -> String {
        TargetAddress.text(ip: address.ip, port: address.port)
    }
}

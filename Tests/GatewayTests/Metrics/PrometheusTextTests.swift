// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Gateway

/// What a scrape reads, without a socket.
@Suite struct PrometheusTextTests {
    @Test func `buckets hold all that is at or below their bound`() {
        let counters = RouteCounters(RouteLabels(service: "api", route: "hello"))
        for milliseconds in [0, 1, 2, 3, 1000, 1001] as [Int64] {
            counters.count(answer(total: milliseconds * 1_000_000))
        }
        let text = self.text([counters.metrics])
        let labels = #"service="api",route="hello",workspace="default""#
        for (bound, count) in [("1", 2), ("2", 3), ("5", 4), ("750", 4), ("1000", 5), ("+Inf", 6)] {
            #expect(text.contains("kong_kong_latency_ms_bucket{\(labels),le=\"\(bound)\"} \(count)\n"), "\(bound)")
        }
        #expect(text.contains("kong_kong_latency_ms_count{\(labels)} 6\n"))
        #expect(text.contains("kong_kong_latency_ms_sum{\(labels)} 2007\n"))
        #expect(text.contains("kong_request_latency_ms_bucket{\(labels),le=\"25\"} 4\n"))
        // Nobody but the gateway answered.
        #expect(!text.contains("kong_upstream_latency_ms_bucket"))
    }

    @Test func `the gateway's own time is what the upstream did not take`() {
        let counters = RouteCounters(RouteLabels(service: "api", route: "hello"))
        counters.count(answer(total: 30_500_000, upstream: 26_000_000))
        let metrics = counters.metrics
        #expect(metrics.kong.nanoseconds == 4_500_000)
        #expect(metrics.upstream.nanoseconds == 26_000_000)
        #expect(metrics.request.nanoseconds == 30_500_000)
        let labels = #"service="api",route="hello",workspace="default""#
        #expect(text([metrics]).contains("kong_kong_latency_ms_sum{\(labels)} 4.500\n"))
    }

    @Test func `answers are told apart by status and source, more than there are places for`() {
        let counters = RouteCounters(RouteLabels(service: "api", route: "hello"))
        for status in 200..<220 {
            for _ in 200...status { counters.count(answer(status: status)) }
        }
        counters.count(answer(status: 200, isFromService: false))
        let metrics = counters.metrics
        #expect(metrics.answers.count == 21)
        for status in 200..<220 {
            #expect(metrics.answers[.init(status: status, isFromService: true)] == status - 199, "\(status)")
        }
        let labels = #"service="api",route="hello",code="200",source="kong",workspace="default",consumer="""#
        #expect(text([metrics]).contains("kong_http_requests_total{\(labels)} 1\n"))
    }

    @Test func `what several workers counted is added up, in the order of the labels`() {
        func counted(_ route: String, times: Int) -> RouteMetrics {
            let counters = RouteCounters(RouteLabels(service: "api", route: route))
            for _ in 0..<times { counters.count(answer(ingress: 10, egress: 100)) }
            return counters.metrics
        }
        let merged = RouteMetrics.merged([counted("b", times: 1), counted("a", times: 2), counted("b", times: 3)])
        #expect(merged.map(\.labels.route) == ["a", "b"])
        #expect(merged.map { $0.answers.values.reduce(0, +) } == [2, 4])
        #expect(merged[1].ingress == 40)
        #expect(merged[1].egress == 400)
        #expect(merged[1].request.counts[0] == 4)
    }

    @Test(arguments: [("plain", "plain"), ("a\"b", #"a\"b"#), ("a\\b", #"a\\b"#), ("a\nb", #"a\nb"#), ("ä", "ä")])
    func `what a label's value may not hold is escaped`(value: String, escaped: String) {
        #expect(PrometheusText.escaped(value) == escaped)
    }

    @Test func `every address has one state that is 1, and a name that did not resolve has dns_error`() {
        var metrics = GatewayMetrics()
        let weight = HealthWeight(total: 100, available: 0, unavailable: 100)
        func target(_ host: String, _ addresses: [AddressHealthView]) -> TargetHealth {
            TargetHealth(
                targetID: host, host: host, port: 80, dns: "A", nodeWeight: 100, weight: weight, addresses: addresses,
                health: .unhealthy)
        }
        let down = AddressHealthView(ip: "::1", port: 80, weight: 100, health: .unhealthy, isAvailable: false)
        metrics.upstreams = [
            (
                "up",
                UpstreamHealth(
                    checksOn: true, isHealthy: false, weight: weight,
                    targets: [target("a.example", [down]), target("b.example", [])])
            )
        ]
        let lines = metrics.prometheus(nodeID: "n").split(separator: "\n").filter {
            $0.hasPrefix("kong_upstream_target_health{")
        }
        #expect(lines.count == 8)
        let set = lines.filter { $0.hasSuffix(" 1") }
        let prefix = #"kong_upstream_target_health{upstream="up",target=""#
        #expect(
            set == [
                #"\#(prefix)a.example:80",address="[::1]:80",state="unhealthy",subsystem="http"} 1"#,
                #"\#(prefix)b.example:80",address="",state="dns_error",subsystem="http"} 1"#,
            ])
    }

    private func answer(
        status: Int = 200, isFromService: Bool = true, ingress: Int = 0, egress: Int = 0, total: Int64 = 0,
        upstream: Int64? = nil
    ) -> CountedRequest {
        CountedRequest(
            status: status, isFromService: isFromService, ingress: ingress, egress: egress, total: total,
            upstream: upstream)
    }

    private func text(_ routes: [RouteMetrics]) -> String {
        var metrics = GatewayMetrics()
        metrics.routes = routes
        return metrics.prometheus(nodeID: "n")
    }
}

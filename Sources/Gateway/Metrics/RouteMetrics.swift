// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// How often something took how long.
package struct LatencyHistogram: Hashable, Sendable {
    /// Upper bounds in milliseconds.
    package var bounds: [Int]
    /// How many there were between a bound and the one before; the last is beyond all bounds.
    package var counts: [Int]
    package var nanoseconds: Int

    package init(bounds: [Int], counts: [Int], nanoseconds: Int) {
        self.bounds = bounds
        self.counts = counts
        self.nanoseconds = nanoseconds
    }

    static func empty(_ buckets: LatencyBuckets) -> LatencyHistogram {
        LatencyHistogram(
            bounds: buckets.bounds, counts: Array(repeating: 0, count: buckets.count), nanoseconds: 0)
    }

    mutating func add(_ other: LatencyHistogram) {
        for place in counts.indices { counts[place] += other.counts[place] }
        nanoseconds += other.nanoseconds
    }
}

/// The counts of one service and route, of one worker or of all.
package struct RouteMetrics: Sendable {
    package struct Answer: Hashable, Sendable {
        package var status: Int
        package var isFromService: Bool

        package init(status: Int, isFromService: Bool) {
            self.status = status
            self.isFromService = isFromService
        }

        init(_ key: Int) { self.init(status: key >> 1, isFromService: key & 1 == 1) }
    }

    package var labels: RouteLabels
    package var answers: [Answer: Int] = [:]
    /// Bytes from clients and to them, heads included.
    package var ingress = 0
    package var egress = 0
    package var kong = LatencyHistogram.empty(.kong)
    package var upstream = LatencyHistogram.empty(.upstream)
    package var request = LatencyHistogram.empty(.upstream)

    package init(_ labels: RouteLabels) { self.labels = labels }

    mutating func add(_ other: RouteMetrics) {
        answers.merge(other.answers) { $0 + $1 }
        ingress += other.ingress
        egress += other.egress
        kong.add(other.kong)
        upstream.add(other.upstream)
        request.add(other.request)
    }

    /// The sums over all workers, in the order of their labels.
    package static func merged(_ all: [RouteMetrics]) -> [RouteMetrics] {
        var sums: [RouteLabels: RouteMetrics] = [:]
        for metrics in all { sums[metrics.labels, default: RouteMetrics(metrics.labels)].add(metrics) }
        return sums.values.sorted { ($0.labels.service, $0.labels.route) < ($1.labels.service, $1.labels.route) }
    }
}

/// All that a gateway counts, at one moment.
package struct GatewayMetrics: Sendable {
    package var server = ServerStatus()
    /// In the order of their labels.
    package var routes: [RouteMetrics] = []
    /// In the order of the configuration; without those that have no balancer.
    package var upstreams: [(name: String, health: UpstreamHealth)] = []

    package init() {}
}

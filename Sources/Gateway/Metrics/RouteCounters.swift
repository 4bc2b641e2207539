// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What requests are told apart by: the names of the service and the route that they found, each empty when there was
/// none.
package struct RouteLabels: Hashable, Sendable {
    package var service: String
    package var route: String

    package init(service: String, route: String) {
        self.service = service
        self.route = route
    }

    /// For a request that found no route.
    static let none = RouteLabels(service: "", route: "")
}

/// A request that is over, as it is counted.
struct CountedRequest {
    /// That the client got; 499 when it had gone before.
    var status: Int
    /// The upstream's own answer, not one of the gateway.
    var isFromService: Bool
    /// Bytes from the client and to it, heads included.
    var ingress: Int
    var egress: Int
    /// Nanoseconds from the head of the request to the end of the response.
    var total: Int64
    /// Nanoseconds that the last upstream took for the head of its answer; nil when none answered.
    var upstream: Int64?
}

/// The counts of one route in one worker. The worker's loop alone writes, anybody may read.
///
///     [ ingress, egress | sum and buckets of: kong, upstream, request | (answer, count) x 8 ]
final class RouteCounters: Sendable {
    /// As many different answers (status and source) are counted without a lock; more than these are rare.
    private static let answerPlaces = 8

    private enum Place {
        static let ingress = 0
        static let egress = 1
        static let kong = 2
        static let upstream = kong + 1 + LatencyBuckets.kong.count
        static let request = upstream + 1 + LatencyBuckets.upstream.count
        static let answers = request + 1 + LatencyBuckets.upstream.count
    }

    let labels: RouteLabels
    private let counts = CountArray(count: Place.answers + 2 * answerPlaces)
    private let rareAnswers = Mutex<[Int: Int]>([:])

    init(_ labels: RouteLabels) { self.labels = labels }

    /// To be called on the worker's loop.
    func count(_ request: CountedRequest) {
        countAnswer(request.status << 1 | (request.isFromService ? 1 : 0))
        counts.add(request.ingress, at: Place.ingress)
        counts.add(request.egress, at: Place.egress)
        observe(request.total - (request.upstream ?? 0), at: Place.kong, .kong)
        observe(request.total, at: Place.request, .upstream)
        if let upstream = request.upstream { observe(upstream, at: Place.upstream, .upstream) }
    }

    @inline(__always)
    private func observe(_ nanoseconds: Int64, at place: Int, _ buckets: LatencyBuckets) {
        counts.add(Int(nanoseconds), at: place)
        counts.add(1, at: place + 1 + buckets.place(ofNanoseconds: nanoseconds))
    }

    /// Finds the place of the answer, which is the first one as a rule; 0 stands for a place that is free.
    @inline(__always)
    private func countAnswer(_ answer: Int) {
        for place in 0..<Self.answerPlaces {
            let key = Place.answers + 2 * place
            if counts[key] == 0 { counts.set(answer, at: key) }
            if counts[key] == answer { return counts.add(1, at: key + 1) }
        }
        rareAnswers.withLock { $0[answer, default: 0] += 1 }
    }

    /// A copy of the counts as they are.
    var metrics: RouteMetrics {
        var metrics = RouteMetrics(labels)
        metrics.ingress = counts[Place.ingress]
        metrics.egress = counts[Place.egress]
        metrics.kong = histogram(at: Place.kong, .kong)
        metrics.upstream = histogram(at: Place.upstream, .upstream)
        metrics.request = histogram(at: Place.request, .upstream)
        for place in 0..<Self.answerPlaces {
            let key = counts[Place.answers + 2 * place]
            if key != 0 { metrics.answers[.init(key), default: 0] += counts[Place.answers + 2 * place + 1] }
        }
        for (key, count) in rareAnswers.withLock({ $0 }) { metrics.answers[.init(key), default: 0] += count }
        return metrics
    }

    private func histogram(at place: Int, _ buckets: LatencyBuckets) -> LatencyHistogram {
        LatencyHistogram(
            bounds: buckets.bounds, counts: (0..<buckets.count).map { counts[place + 1 + $0] },
            nanoseconds: counts[place])
    }
}

/// The counts of all routes of one worker.
final class RouteCounterTable: Sendable {
    private let table = Mutex<[RouteLabels: RouteCounters]>([:])

    /// The counts of a route, which go on through all changes of configuration. To be asked for on the worker's loop,
    /// once a route and configuration.
    func counters(for labels: RouteLabels) -> RouteCounters {
        table.withLock { table in
            if let known = table[labels] { return known }
            let new = RouteCounters(labels)
            table[labels] = new
            return new
        }
    }

    /// A copy of all counts, in no order.
    var metrics: [RouteMetrics] { table.withLock { Array($0.values) }.map(\.metrics) }
}

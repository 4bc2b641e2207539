// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What a process has cost while a subject was measured.
package struct ProcessCost: Hashable, Sendable {
    package var name: String
    /// Within the window.
    package var processor: Nanoseconds
    /// Bytes at the end of the window.
    package var resident: Int
}

/// All that was counted of a subject, in one round or in several: the records, how long they took, what they cost.
package struct BenchTally: Sendable {
    package private(set) var recorder: BenchRecorder
    /// Of the windows together.
    package private(set) var length: Nanoseconds
    /// The bench itself comes first.
    package private(set) var costs: [ProcessCost]

    init(_ recorder: BenchRecorder, length: Nanoseconds, costs: [ProcessCost]) {
        self.recorder = recorder
        self.length = length
        self.costs = costs
    }

    mutating func add(_ other: BenchTally) {
        recorder.add(other.recorder)
        length += other.length
        for cost in other.costs {
            if let index = costs.firstIndex(where: { $0.name == cost.name }) {
                costs[index].processor += cost.processor
                costs[index].resident = max(costs[index].resident, cost.resident)
            } else {
                costs.append(cost)
            }
        }
    }
}

/// The figures of a subject: small enough to be kept for every round, and to be written to a file.
package struct BenchFigures: Hashable, Sendable {
    /// What is shown and written as a rule.
    package static let shown: [Double] = [50, 90, 99, 99.9]
    static let usual: [Double] = [50, 75, 90, 95, 99, 99.9, 99.99]

    package struct Latency: Hashable, Sendable {
        package var count: Int
        package var min, mean, max: Nanoseconds
        /// By percentage, in their order.
        package var quantiles: [Double: Nanoseconds]

        init(_ histogram: LatencyHistogram, _ percentages: [Double]) {
            count = histogram.count
            (min, mean, max) = (histogram.min, histogram.mean, histogram.max)
            quantiles = [:]
            for percent in percentages { quantiles[percent] = histogram.quantile(percent) }
        }

        package func quantile(_ percent: Double) -> Nanoseconds { percent >= 100 ? max : quantiles[percent] ?? .zero }
    }

    /// Of processes, in the order in which they were named; the bench itself first.
    package struct Cost: Hashable, Sendable {
        package var name: String
        /// Nanoseconds of processor time a complete answer; nil when there was none.
        package var processor: Double?
        package var resident: Int
    }

    package var requests: Int
    package var ok: Int
    package var errors: Int
    package var rps: Double
    /// From the planned start.
    package var latency: Latency
    /// From the real send; nil when that is the planned start.
    package var sentLatency: Latency?
    /// Of the generator; nil for a closed loop, which plans nothing.
    package var lateness: Latency?
    package var costs: [Cost]
    package var connections: Int
    package var queued: Int
    package var bytes: Int
    package var length: Nanoseconds

    /// - Parameter percentages: kept besides the usual ones.
    init(_ tally: BenchTally, percentages: [Double] = []) {
        let recorder = tally.recorder
        let kept = Self.usual + percentages
        (requests, ok, errors) = (recorder.requests, recorder.ok, recorder.errors)
        rps = tally.length > .zero ? Double(recorder.okInWindow) / tally.length.inSeconds : 0
        latency = Latency(recorder.latency, kept)
        sentLatency = recorder.tellsSendsApart ? Latency(recorder.sentLatency, kept) : nil
        lateness = recorder.lateness.count > 0 ? Latency(recorder.lateness, kept) : nil
        costs = tally.costs.map { cost in
            let each =
                recorder.answeredInWindow > 0
                ? Double(cost.processor.count) / Double(recorder.answeredInWindow) : nil
            return Cost(name: cost.name, processor: each, resident: cost.resident)
        }
        (connections, queued, bytes) = (recorder.connections, recorder.queued, recorder.bytes)
        length = tally.length
    }

    /// The part of all requests that succeeded.
    package var okPart: Double { requests > 0 ? Double(ok) / Double(requests) : 0 }

    /// Processor time a request of the processes that are measured, without the bench itself; of the bench when it is
    /// the only one.
    package var processor: Double? {
        let others = costs.count > 1 ? costs.dropFirst() : costs[...]
        let known = others.compactMap(\.processor)
        return known.isEmpty ? nil : known.reduce(0, +)
    }

    /// A figure in nanoseconds, bytes, parts or numbers; nil when there is none (no request, no process).
    package func value(of kind: BenchMetric.Kind) -> Double? {
        switch kind {
        case .quantile(let percent): latency.count > 0 ? Double(latency.quantile(percent).count) : nil
        case .least: latency.count > 0 ? Double(latency.min.count) : nil
        case .most: latency.count > 0 ? Double(latency.max.count) : nil
        case .mean: latency.count > 0 ? Double(latency.mean.count) : nil
        case .rps: rps
        case .ok: requests > 0 ? okPart : nil
        case .errors: Double(errors)
        case .requests: Double(requests)
        case .cpu: processor
        case .rss: costs.isEmpty ? nil : Double(costs.dropFirst(costs.count > 1 ? 1 : 0).reduce(0) { $0 + $1.resident })
        case .lateness: lateness.map { Double($0.quantile(99).count) } ?? 0
        case .overhead: nil
        }
    }
}

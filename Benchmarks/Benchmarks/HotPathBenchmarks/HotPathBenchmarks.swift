// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import AllocationCounter
import Benchmark
import HotPath

/// What one operation asks of the heap, counted by us: over many runs, so that a rare growth shows as a part of one.
private let allocations = BenchmarkMetric.custom(
    "Allocations × 1000", polarity: .prefersSmaller, useScalingFactor: false)

private func measure(_ name: String, _ operation: @escaping () -> Void) {
    Benchmark(
        name,
        configuration: .init(
            metrics: [.wallClock, .instructions, allocations], scalingFactor: .kilo, maxDuration: .seconds(1))
    ) { benchmark in
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { operation() }
        benchmark.stopMeasurement()
        allocation_counter_start()
        for _ in 0..<1000 { operation() }
        benchmark.measurement(allocations, Int(allocation_counter_stop()))
    }
}

let benchmarks: @Sendable () -> Void = {
    for fields in [5, 20, 100] {
        let scan = HeadScan(fields: fields)
        measure("head scan, \(fields) fields") { blackHole(scan.run()) }
        let rewrite = HeadRewrite(fields: fields)
        measure("request head rewrite, \(fields) fields") { blackHole(rewrite.runRequest()) }
        measure("response head rewrite, \(fields) fields") { blackHole(rewrite.runResponse()) }
    }
    for routes in [1, 100, 10_000] {
        let matching = RouteMatching(routes: routes)
        measure("route match, \(routes) routes") { blackHole(matching.run()) }
    }
    for algorithm in ["round-robin", "least-connections", "consistent-hashing", "latency"] {
        let balancing = Balancing(algorithm: algorithm)
        measure("balancer pick, \(algorithm)") { blackHole(balancing.runPick()) }
    }
    let balancing = Balancing()
    measure("health report") { balancing.runReport() }
}

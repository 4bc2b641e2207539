// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import AllocationCounter
import HotPath
import Testing

/// What the path of a request asks of the heap, counted call by call.
@Suite(.enabled(if: allocation_counter_works())) struct AllocationTests {
    /// Allocations of one run, once everything that is used again has been made.
    private func allocations(_ operation: () -> Void) -> UInt64 {
        for _ in 0..<10 { operation() }
        allocation_counter_start()
        operation()
        return allocation_counter_stop()
    }

    @Test func `the counter sees an allocation`() {
        #expect(allocations { withExtendedLifetime(Array(repeating: 1, count: 100)) {} } >= 1)
        #expect(allocations {} == 0)
    }

    /// A debug build boxes what a release keeps in registers, so that only a release can be held to a number. That
    /// nothing grows holds in both.
    private func expect(_ allocations: UInt64, atMost limit: UInt64) {
        #if !DEBUG
        #expect(allocations <= limit)
        #endif
    }

    @Test func `scanning a head allocates nothing, however many fields it has`() {
        let (few, many) = (HeadScan(fields: 5), HeadScan(fields: 100))
        let scan = allocations { few.run() }
        #expect(allocations { many.run() } == scan)
        expect(scan, atMost: 0)
    }

    @Test func `writing heads allocates their buffer and nothing that grows with the number of fields`() {
        let (few, many) = (HeadRewrite(fields: 5), HeadRewrite(fields: 100))
        let request = allocations { few.runRequest() }
        #expect(allocations { many.runRequest() } == request)
        let response = allocations { few.runResponse() }
        #expect(allocations { many.runResponse() } == response)
        // The memory is used again.
        expect(request, atMost: 0)
        expect(response, atMost: 0)
    }

    @Test func `finding a route among ten thousand allocates no more than with a hundred`() {
        let (some, many) = (RouteMatching(routes: 100), RouteMatching(routes: 10_000))
        let match = allocations { some.run() }
        #expect(allocations { many.run() } == match)
        expect(match, atMost: 0)
    }

    @Test(arguments: ["round-robin", "least-connections", "consistent-hashing", "latency"])
    func `picking a target allocates nothing`(algorithm: String) {
        let balancing = Balancing(algorithm: algorithm)
        expect(allocations { balancing.runPick() }, atMost: 0)
    }

    @Test func `a success of a healthy target allocates nothing`() {
        let balancing = Balancing()
        expect(allocations { balancing.runReport() }, atMost: 0)
    }
}

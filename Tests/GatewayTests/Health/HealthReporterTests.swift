// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Testing
import World

@Suite struct HealthReporterTests {
    @Test func `a report from another loop reaches the monitor on its own loop`() async throws {
        let world = World.real(threads: 2, seed: 1)
        let control = world.loops.next()
        let other = world.loops.next()
        #expect(control !== other)
        let resolved = resolve(makeUpstream { $0.watchTraffic(failures: 1) }, "a:1")
        let (bound, reporter, set) = try await control.submit {
            let monitor = HealthMonitor(
                loop: control, probe: { _ in control.makeSucceededFuture(.connected) },
                emit: { _ in control.assertInEventLoop() })
            let set = monitor.apply([resolved])[0]
            return (NIOLoopBound(monitor, eventLoop: control), monitor.reporter, set)
        }.get()
        try await other.submit { set.addresses[0].reportPassive(.tcpFailure, to: reporter) }.get()
        // The loop works off its tasks in order: what was handed over before is applied by now.
        let health = try await control.submit { bound.value.health(ofUpstream: "id-of-orders") }.get()
        #expect(health?.targets[0].health == .unhealthy)
        #expect(!set.isHealthy)
        try await control.submit { bound.value.stop() }.get()
        try await world.loops.shutdownGracefully()
    }
}

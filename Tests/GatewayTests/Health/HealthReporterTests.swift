// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Testing
import World

@Suite struct HealthReporterTests {
    @Test(.timeLimit(.minutes(1)))
    func `a failure from another loop is applied on the monitor's and confirmed on the first`() async throws {
        let world = World.real(threads: 2, seed: 1)
        let control = world.loops.next()
        let other = world.loops.next()
        #expect(control !== other)
        let resolved = resolve(makeUpstream { $0.watchTraffic(failures: 1, successes: 1) }, "a:1")
        let (bound, reporter, set) = try await control.submit {
            let monitor = HealthMonitor(
                loop: control, probe: { _ in control.makeSucceededFuture(.connected) },
                emit: { _ in control.assertInEventLoop() })
            let set = monitor.apply([resolved])[0]
            return (NIOLoopBound(monitor, eventLoop: control), monitor.reporter, set)
        }.get()
        let address = set.addresses[0]
        let seen = other.makePromise(of: Bool.self)
        let isAwaited = try await other.submit {
            let confirmed = {
                other.assertInEventLoop()
                seen.succeed(address.isAvailable)
            }
            return address.reportPassive(
                .tcpFailure, to: reporter, from: other, confirmed: { confirmed }, label: { nil })
        }.get()
        try #require(isAwaited)
        #expect(try await !seen.futureResult.get())
        let health = try await control.submit { bound.value.health(ofUpstream: "id-of-orders") }.get()
        #expect(health?.targets[0].health == .unhealthy)

        let isSuccessAwaited = try await other.submit {
            address.reportPassive(
                .httpStatus(200), to: reporter, from: other,
                confirmed: {
                    Issue.record("a success asked for its confirmation")
                    return {}
                }, label: { nil })
        }.get()
        #expect(!isSuccessAwaited)
        // The loop works off its tasks in order: what was handed over before is applied by now.
        let again = try await control.submit { bound.value.health(ofUpstream: "id-of-orders") }.get()
        #expect(again?.targets[0].health == .healthy)
        try await control.submit { bound.value.stop() }.get()
        try await world.loops.shutdownGracefully()
    }
}

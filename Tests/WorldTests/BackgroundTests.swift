// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import World

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite struct BackgroundTests {
    @Test(arguments: [World.real(seed: 1), World.real(seed: 1, loops: .own)])
    func `work is done in its order, beside the loop, and handed over there`(world: World) async throws {
        let loop = world.loops.next()
        let done = NIOLockedValueBox<[Int]>([])
        try await loop.flatSubmit {
            let all = (0..<100).map { number in
                world.background.run(on: loop) {
                    #expect(!loop.inEventLoop)
                    done.withLockedValue { $0.append(number) }
                    return number
                }.map { value in
                    loop.assertInEventLoop()
                    #expect(value == number)
                }
            }
            // Nothing of it can have been handed over while the loop is here.
            return EventLoopFuture.andAllSucceed(all, on: loop)
        }.get()
        #expect(done.withLockedValue { $0 } == Array(0..<100))
        try await world.loops.shutdownGracefully()
    }

    #if os(Linux)
    /// A thread's, as the kernel has it.
    private static func niceness() -> Int32 { getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) }

    @Test func `background work makes way, and only that`() async throws {
        let world = World.real(seed: 1, loops: .own)
        let loop = world.loops.next()
        let before = try await loop.submit { Self.niceness() }.get()
        let background = try await world.background.run(on: loop) { Self.niceness() }.get()
        #expect(background == max(before, 10))
        #expect(try await loop.submit { Self.niceness() }.get() == before)
        try await world.loops.shutdownGracefully()
    }
    #endif
}

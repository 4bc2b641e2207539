// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import CPlatform
import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Synchronization
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

    /// On one core with a thread that never rests. Niceness alone makes it some 14 turns.
    @Test func `who gives way takes short turns`() async {
        let isDone = Flag()
        async let other: Void = Self.onOneCore { while !isDone.value.load(ordering: .acquiring) {} }
        let turns = await Self.onOneCore {
            gatecrash_begin_giving_way(10, 100_000)
            let (start, before) = (Self.consumed(), Self.interruptions())
            while Self.consumed() - start < 20_000_000 {}
            let turns = Self.interruptions() - before
            gatecrash_end_giving_way()
            isDone.value.store(true, ordering: .releasing)
            return turns
        }
        await other
        #expect(turns >= 30, "20 ms of work took \(turns) turns")
    }

    private final class Flag: Sendable { let value = Atomic(false) }

    /// On a thread of its own that is bound to the first core.
    private static func onOneCore<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var cores: [Int32] = [0]
                gatecrash_processors(0, &cores, 1)
                gatecrash_pin(cores[0])
                continuation.resume(returning: work())
            }
        }
    }

    /// What the calling thread had of processors, nanoseconds.
    private static func consumed() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// How often another thread was let run though the calling one could have gone on, see proc_pid_status(5).
    private static func interruptions() -> Int {
        let status = try? String(contentsOfFile: "/proc/thread-self/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("nonvoluntary_ctxt_switches:") }
        return line.flatMap { Int($0.split(separator: "\t")[1]) } ?? 0
    }
    #endif
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The system's date.
package struct RealWallClock: WallClock {
    package init() {}

    package var nanosecondsSinceEpoch: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// Whose event loops and sockets a real world has.
package enum RealLoops: Sendable, CaseIterable {
    case nio
    /// Those of `PollLoop`, where the system has what they are made of; else NIO's.
    case own

    fileprivate func group(_ threads: Int) -> any EventLoopGroup {
        #if os(Linux)
        if self == .own { return PollLoopGroup(count: threads) }
        #endif
        return MultiThreadedEventLoopGroup(numberOfThreads: threads)
    }
}

extension World {
    /// This machine: its sockets, its clock (CLOCK_MONOTONIC, which all processes of a host share), its date.
    ///
    /// - Parameters:
    ///   - threads: event loops, each with a thread of its own.
    ///   - seed: nil draws one from the system.
    ///   - loops: `.own` costs a server half of the time that its sockets take.
    package static func real(threads: Int = 1, seed: UInt64? = nil, loops: RealLoops = .nio) -> World {
        World(
            loops: loops.group(threads), network: RealNetwork(), wallClock: RealWallClock(),
            random: RandomStreams(seed: seed ?? drawSeed()), background: LowPriorityThread())
    }

    /// A seed from the system, for a run that was given none.
    package static func drawSeed() -> UInt64 {
        var system = SystemRandomNumberGenerator()
        return system.next()
    }
}

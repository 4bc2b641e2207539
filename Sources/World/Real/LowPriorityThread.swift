// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import CPlatform
package import NIOCore
import NIOPosix

/// One thread of this process that makes way for the event loops: with a core for both, they are served first.
package struct LowPriorityThread: Background {
    /// Started when it is first needed.
    private static let pool: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        return pool
    }()
    /// Of -20 to 19, 0 being everyone's: a tenth of the time that is wanted by an event loop too, so that an overloaded
    /// gateway can still be given another configuration.
    private static let niceness: Int32 = 10
    /// Longer than what the kernel gives to others, so that an event loop which wakes up need not wait for the end of
    /// it; nanoseconds.
    private static let slice: UInt64 = 100_000_000

    package init() {}

    package func run<Value: Sendable>(
        on loop: any EventLoop, _ work: @escaping @Sendable () -> Value
    ) -> EventLoopFuture<Value> {
        Self.pool.runIfActive(eventLoop: loop) {
            // The calling thread's, and setting it again costs nothing.
            _ = gatecrash_make_way(Self.niceness, Self.slice)
            return work()
        }
    }
}

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
    /// Of -20 to 19, 0 being everyone's. Of a core that an event loop wants all of, a few hundredths are left for the
    /// work here, so that an overloaded gateway can still be given another configuration.
    private static let niceness: Int32 = 10
    /// Nanoseconds, the shortest slice of Linux: how long a request waits at most for what is done here.
    private static let turn = 100_000

    package init() {}

    package func run<Value: Sendable>(
        on loop: any EventLoop, _ work: @escaping @Sendable () -> Value
    ) -> EventLoopFuture<Value> {
        Self.pool.runIfActive(eventLoop: loop) {
            gatecrash_begin_giving_way(Self.niceness, Self.turn)
            defer { gatecrash_end_giving_way() }
            return work()
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

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

    package init() {}

    package func run<Value: Sendable>(
        on loop: any EventLoop, _ work: @escaping @Sendable () -> Value
    ) -> EventLoopFuture<Value> {
        Self.pool.runIfActive(eventLoop: loop) {
            #if os(Linux)
            // There it is the calling thread's, and setting it again costs nothing.
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
            #endif
            return work()
        }
    }
}

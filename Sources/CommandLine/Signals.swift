// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Signals as a queue that one thread reads: they are blocked before any other thread exists, so that all threads
/// inherit the block and none is interrupted.
struct Signals: Sendable {
    private var set = sigset_t()

    /// Blocks the signals from now on, and ignores SIGPIPE for good: a reader that has gone is an error of a write.
    init(_ signals: [CInt]) {
        signal(SIGPIPE, SIG_IGN)
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits for the next of them.
    func next() -> CInt {
        var set = set
        var received: CInt = 0
        while sigwait(&set, &received) != 0 {}
        return received
    }

    /// Calls `body` for each of them from now on, on a thread of its own that lasts as long as the process.
    func forward(_ body: @escaping @Sendable () -> Void) throws {
        let signals = self
        try DedicatedThread.start {
            while true {
                _ = signals.next()
                body()
            }
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where the handler of all signals writes; -1 until there is a queue. A handler may touch nothing but this.
private let doorbell = Atomic<CInt>(-1)

/// Signals as a queue that one thread reads. A handler passes them on through a pipe: blocking them and waiting
/// (sigwait) would need every thread to block them, and an asynchronous `main` has made threads before it is asked.
struct Signals: Sendable {
    private let queue: CInt

    /// Takes the signals from now on, and ignores SIGPIPE for good: a reader that has gone is an error of a write.
    init(_ signals: [CInt]) {
        signal(SIGPIPE, SIG_IGN)
        var ends: [CInt] = [-1, -1]
        precondition(pipe(&ends) == 0, "no pipe for signals: errno \(errno)")
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        queue = ends[0]
        doorbell.store(ends[1], ordering: .sequentiallyConsistent)
        // Whoever started this process may have blocked them.
        var taken = sigset_t()
        sigemptyset(&taken)
        for number in signals { sigaddset(&taken, number) }
        pthread_sigmask(SIG_UNBLOCK, &taken, nil)
        for number in signals {
            signal(number) { number in
                let before = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(doorbell.load(ordering: .sequentiallyConsistent), &byte, 1)
                errno = before
            }
        }
    }

    /// Waits for the next of them.
    func next() -> CInt {
        var byte: UInt8 = 0
        while read(queue, &byte, 1) != 1 {}
        return CInt(byte)
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

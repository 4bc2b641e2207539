// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Starts child processes and tells what becomes of them. Not a keeper of policy: who is restarted, and when, is for
/// the caller to say.
///
/// All children are started by one thread that lives as long as the supervisor: Linux's parent death signal, by which a
/// child dies with a killed runner, looks at the thread, not the process (prctl(2)). Each child has two threads more,
/// one that waits for its end and one that reads its stdout.
package final class Supervisor: Sendable {
    private struct Request: Sendable {
        var specification: ChildSpecification
        var loop: any EventLoop
        var onEvent: @Sendable (ChildEvent) -> Void
        var promise: EventLoopPromise<ChildProcess>
    }

    private let requests: Mutex<[Request]>
    /// A byte in this pipe says that there is a request; its end says that the supervisor is gone.
    private let doorbell: CInt

    /// - Throws: `TopologyError` when the system has no pipe or no thread left.
    package init() throws(TopologyError) {
        let pipe = try Pipe.make()
        doorbell = pipe.write
        requests = Mutex([])
        try DedicatedThread.start { [weak self] in
            var byte: UInt8 = 0
            while true {
                let count = read(pipe.read, &byte, 1)
                if count < 0, errno == EINTR { continue }
                guard count == 1, let request = self?.takeRequest() else { break }
                Self.serve(request)
            }
            close(pipe.read)
        }
    }

    /// Children that still run are killed by the kernel now (Linux), or see the end of their stdin.
    deinit { close(doorbell) }

    /// Starts a child.
    ///
    /// - Parameters:
    ///   - loop: where `onEvent` is called and the future completes.
    ///   - onEvent: everything the child does, from its first line on.
    /// - Returns: the running child; fails with `TopologyError`.
    package func spawn(
        _ specification: ChildSpecification, on loop: any EventLoop,
        onEvent: @escaping @Sendable (ChildEvent) -> Void
    ) -> EventLoopFuture<ChildProcess> {
        let promise = loop.makePromise(of: ChildProcess.self)
        requests.withLock {
            $0.append(Request(specification: specification, loop: loop, onEvent: onEvent, promise: promise))
        }
        var byte: UInt8 = 0
        while write(doorbell, &byte, 1) < 0, errno == EINTR {}
        return promise.futureResult
    }

    private func takeRequest() -> Request? { requests.withLock { $0.isEmpty ? nil : $0.removeFirst() } }

    private static func serve(_ request: Request) {
        do {
            let (child, output) = try request.specification.start()
            let (loop, onEvent) = (request.loop, request.onEvent)
            request.promise.succeed(child)
            try DedicatedThread.start {
                let status = child.waitUntilExit { isStopped in
                    let instant = monotonicNow()
                    loop.execute { onEvent(isStopped ? .stopped(at: instant) : .continued(at: instant)) }
                }
                let instant = monotonicNow()
                loop.execute { onEvent(.exited(status, at: instant)) }
            }
            try DedicatedThread.start {
                Pipe.readLines(from: output) { lines in loop.execute { onEvent(.output(lines)) } }
                close(output)
                loop.execute { onEvent(.outputEnded) }
            }
        } catch {
            request.promise.fail(error)
        }
    }
}

/// The clock of all event loops (`NIODeadline.now`) for threads that have none, so that an exit is stamped when it
/// happens and not when a loop gets to it.
func monotonicNow() -> NIODeadline {
    #if canImport(Darwin)
    return .uptimeNanoseconds(clock_gettime_nsec_np(CLOCK_UPTIME_RAW))
    #else
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return .uptimeNanoseconds(UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    #endif
}

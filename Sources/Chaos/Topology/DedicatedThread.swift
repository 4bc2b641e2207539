// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Threads that block in the kernel for a child's sake (wait for its end, read its pipe, be its parent) and so cannot
/// be event loops. Nothing that a scenario times runs on them.
package enum DedicatedThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a thread that runs `body` once. It takes no signals: those are for the threads that wait for them.
    ///
    /// - Throws: `TopologyError` when the system has no thread left.
    package static func start(_ body: @escaping @Sendable () -> Void) throws(TopologyError) {
        let argument = Unmanaged.passRetained(Body(body)).toOpaque()
        var everything = sigset_t()
        var before = sigset_t()
        sigfillset(&everything)
        pthread_sigmask(SIG_SETMASK, &everything, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        #if canImport(Darwin)
        var thread: pthread_t?
        #else
        var thread = pthread_t()
        #endif
        let code = pthread_create(&thread, nil, Self.main, argument)
        guard code == 0 else {
            Unmanaged<Body>.fromOpaque(argument).release()
            throw TopologyError("no thread could be started: \(systemMessage(code))")
        }
        #if canImport(Darwin)
        if let thread { pthread_detach(thread) }
        #else
        pthread_detach(thread)
        #endif
    }

    #if canImport(Darwin)
    private static let main: @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? = { argument in
        Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
        return nil
    }
    #else
    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
    }
    #endif
}

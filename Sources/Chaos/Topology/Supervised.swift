// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import CPlatform

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The child's side of supervision: a supervised process never outlives its supervisor, whatever happens to either.
package enum Supervised {
    /// The environment variable in which a supervisor names itself.
    package static let parentVariable = "GATECRASH_SUPERVISOR"

    /// The first belt alone, for a process that becomes another program: the signal survives exec(3) (prctl(2)).
    package static func tieToParent() {
        _ = gatecrash_set_parent_death_signal(SIGKILL)
        // The supervisor may have died before the line above: then no signal comes, but this process has another
        // parent.
        if let parent = getenv(parentVariable), pid_t(String(cString: parent)) != getppid() { _exit(1) }
    }

    /// Ties this process to its supervisor; to be called before anything else. Exits with code 1 when the supervisor
    /// has gone already; later its end, or the end of stdin, ends this process at once.
    ///
    /// Two belts: the kernel's parent death signal kills also a stopped process (Linux), and the end of stdin works
    /// everywhere.
    package static func enter() {
        tieToParent()
        do {
            try DedicatedThread.start {
                var bytes = [UInt8](repeating: 0, count: 256)
                while true {
                    let count = read(STDIN_FILENO, &bytes, bytes.count)
                    if count == 0 || (count < 0 && errno != EINTR) { _exit(0) }
                }
            }
        } catch {
            _exit(1)
        }
    }
}

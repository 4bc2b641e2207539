// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import CPlatform

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The helper of a `stress` step, as a child process of its own: it burns a processor or holds memory until it is
/// killed, which is how a step is undone, and what the kernel does when the runner dies.
package enum Burner {
    /// One turn of burning and resting. Short against what people measure, long against what the scheduler costs.
    private static let period = 20.0

    /// Burns a share of one processor.
    ///
    /// - Parameters:
    ///   - share: 0...1.
    ///   - processor: its number; nil leaves the choice to the system.
    package static func burn(share: Double, processor: Int?) -> Never {
        if let processor { _ = gatecrash_pin(CInt(clamping: processor)) }
        ready()
        let rest = CInt((period * (1 - share)).rounded())
        while true {
            // By the clock on the wall: where others want the processor too it burns less, as any program would.
            let until = milliseconds() + period * share
            while milliseconds() < until {}
            if rest > 0 { poll(nil, 0, rest) }
        }
    }

    /// Holds memory: every page is written, so that it is there.
    package static func hold(bytes: Int) -> Never {
        let page = max(Int(sysconf(CInt(_SC_PAGESIZE))), 1)
        guard let space = malloc(max(bytes, 1)) else { _exit(1) }
        for offset in stride(from: 0, to: bytes, by: page) {
            space.storeBytes(of: UInt8(truncatingIfNeeded: offset / page | 1), toByteOffset: offset, as: UInt8.self)
        }
        ready()
        while true { poll(nil, 0, -1) }
    }

    private static func milliseconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
    }

    /// What `NodeProcess` waits for.
    private static func ready() {
        let line = Array(#"{"kind":"ready"}"#.utf8) + [UInt8(ascii: "\n")]
        _ = write(STDOUT_FILENO, line, line.count)
    }
}

/// What of the system's means a process may use.
enum ProcessLimits {
    /// The processors a process may run on; empty where the system does not tell.
    static func processors(of pid: pid_t) -> [Int] {
        var numbers = [CInt](repeating: 0, count: 1024)
        let count = gatecrash_processors(pid, &numbers, CInt(numbers.count))
        return numbers.prefix(max(0, Int(count))).map(Int.init)
    }

    /// Sets the soft limit of open descriptors of a running process.
    ///
    /// - Returns: the limit that was, or nil when it cannot be set.
    static func limitDescriptors(of pid: pid_t, to limit: UInt64) -> UInt64? {
        var former: UInt64 = 0
        return gatecrash_limit_descriptors(pid, limit, &former) == 0 ? former : nil
    }

    /// Bytes that the system could give without swapping (Linux); nil where it does not tell.
    static func availableMemory() -> Int? {
        let descriptor = open("/proc/meminfo", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }) else { return nil }
        return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What a process has used so far.
package struct ProcessUsage: Hashable, Sendable {
    /// Processor time of all its threads, in user and kernel mode, those that have ended too.
    package var processor: Nanoseconds
    /// Bytes of resident memory now.
    package var resident: Int

    package init(processor: Nanoseconds, resident: Int) {
        self.processor = processor
        self.resident = resident
    }

    /// Reads `/proc/PID/stat` (proc(5)): fields 14, 15 (user and system time in ticks) and 24 (resident pages). The
    /// second field, the program's name in parentheses, may hold anything.
    ///
    /// - Returns: nil when the text is none.
    package init?(stat text: String, ticksPerSecond: Int, pageBytes: Int) {
        guard ticksPerSecond > 0, let close = text.lastIndex(of: ")") else { return nil }
        // The first of these is field 3.
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count > 21, let user = Int64(fields[11]), let system = Int64(fields[12]),
            let pages = Int(fields[21]), user >= 0, system >= 0, pages >= 0
        else { return nil }
        processor = Nanoseconds(seconds: Double(user + system) / Double(ticksPerSecond))
        resident = pages.multipliedReportingOverflow(by: pageBytes).partialValue
    }
}

/// Where the usage of processes comes from: the kernel, or a test's own figures.
package struct ProcessMeter: Sendable {
    /// Nil when there is no such process, or the system cannot say.
    package var usage: @Sendable (_ pid: Int32) -> ProcessUsage?

    package init(usage: @escaping @Sendable (_ pid: Int32) -> ProcessUsage?) { self.usage = usage }

    /// `/proc`, with processor time to the nanosecond where the kernel has a clock for each process (Linux). Systems
    /// without `/proc` say nothing.
    package static let system = ProcessMeter { pid in
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return nil }
        let (ticks, page) = (Int(sysconf(Int32(_SC_CLK_TCK))), Int(sysconf(Int32(_SC_PAGESIZE))))
        guard
            var usage = ProcessUsage(
                stat: String(decoding: data, as: UTF8.self), ticksPerSecond: ticks, pageBytes: page)
        else { return nil }
        if let exact = exactProcessorTime(of: pid) { usage.processor = exact }
        return usage
    }

    private static func exactProcessorTime(of pid: Int32) -> Nanoseconds? {
        #if os(Linux)
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else { return nil }
        return .seconds(Int64(time.tv_sec)) + Nanoseconds(Int64(time.tv_nsec))
        #else
        return nil
        #endif
    }
}

/// This process among others.
package enum OwnProcess {
    package static var identifier: Int32 { getpid() }
}

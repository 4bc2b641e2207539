// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The planned starts of a replay: those of the log, so many times faster.
package struct ReplayPacer: Sendable {
    private let log: AccessLog
    private let speed: Double
    private var next = 0

    package init(_ log: AccessLog, speed: Double) {
        self.log = log
        self.speed = speed
    }

    /// From the start of the load, in the order of the log; nil when all have started.
    package mutating func nextStart() -> Nanoseconds? {
        guard next < log.entries.count else { return nil }
        defer { next += 1 }
        return log.start(of: next, speed: speed)
    }
}

extension AccessLog {
    /// The longest time between two requests.
    func longestGap(speed: Double) -> Nanoseconds {
        let gaps = zip(entries.dropFirst(), entries).map { $0.start - $1.start }
        return Nanoseconds(seconds: (gaps.max() ?? .zero).inSeconds / speed)
    }
}

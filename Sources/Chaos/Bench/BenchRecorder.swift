// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Histogram

/// What one worker of a bench has seen in one round; those of several workers add up. All memory is there before the
/// first request.
package struct BenchRecorder: Sendable {
    /// When counting begins and, if it is known, ends: nanoseconds from the start of the round. Requests that were
    /// planned before are warm-up.
    let window: (start: Int64, end: Int64?)
    /// Planned starts and real sends differ: an open loop, or a connection for every request.
    let tellsSendsApart: Bool
    /// From the planned start: what a user feels.
    package private(set) var latency = LatencyHistogram()
    /// From the moment the bytes were given to the kernel: what the server alone needs.
    package private(set) var sentLatency = LatencyHistogram()
    /// Of the generator: from the planned start of a request to when it was taken up.
    package private(set) var lateness = LatencyHistogram()
    package private(set) var series: BenchSeries
    /// Answers by status, 0 for those out of range.
    private var statuses = [Int](repeating: 0, count: 600)
    private var failures = [Int](repeating: 0, count: BenchFailure.allCases.count)
    /// Requests that are over, one way or another, without the warm-up.
    package private(set) var requests = 0
    package private(set) var ok = 0
    /// Successes that ended within the window: what the rate is made of.
    package private(set) var okInWindow = 0
    /// Complete answers that ended within the window: what processor time is shared by.
    package private(set) var answeredInWindow = 0
    /// Of bodies.
    package private(set) var bytes = 0
    /// Begun and given up when the run was interrupted.
    package var abandoned = 0
    /// Connections that were opened, in the warm-up too.
    package var connections = 0
    /// Requests that waited because every connection was in use.
    package var queued = 0
    /// End of the last request, from the start of the round.
    package private(set) var lastEnd: Int64 = 0

    init(window: (start: Int64, end: Int64?), tellsSendsApart: Bool, interval: Nanoseconds) {
        self.window = window
        self.tellsSendsApart = tellsSendsApart
        let length = window.end.map { Nanoseconds($0 - window.start) }
        series = BenchSeries(interval: interval, length: length)
    }

    @inline(__always)
    mutating func tookUp(_ planned: Int64, at now: Int64) {
        if planned >= window.start { lateness.record(now - planned) }
    }

    /// A request is over. Times are nanoseconds from the start of the round.
    ///
    /// - Parameters:
    ///   - sent: `planned` when it never was.
    ///   - failure: nil for a complete answer below 400.
    @inline(__always)
    mutating func ended(
        planned: Int64, sent: Int64, at end: Int64, status: Int, bytes count: Int, failure: BenchFailure?
    ) {
        guard planned >= window.start else { return }
        requests += 1
        bytes += count
        if end > lastEnd { lastEnd = end }
        let isInWindow = window.end.map { end < $0 } ?? true
        if failure == nil || failure == .badStatus { answered(status, isInWindow) }
        if let failure {
            failures[failure.rawValue] += 1
        } else {
            ok += 1
            if isInWindow { okInWindow += 1 }
        }
        guard failure?.hasLatency ?? true else { return series.failed(at: end - window.start) }
        latency.record(end - planned)
        if tellsSendsApart { sentLatency.record(end - sent) }
        series.record(end - planned, at: end - window.start, isFailure: failure != nil)
    }

    private mutating func answered(_ status: Int, _ isInWindow: Bool) {
        statuses[status > 0 && status < statuses.count ? status : 0] += 1
        if isInWindow { answeredInWindow += 1 }
    }

    mutating func add(_ other: BenchRecorder) {
        latency.add(other.latency)
        sentLatency.add(other.sentLatency)
        lateness.add(other.lateness)
        series.add(other.series)
        for (index, count) in other.statuses.enumerated() { statuses[index] += count }
        for (index, count) in other.failures.enumerated() { failures[index] += count }
        requests += other.requests
        ok += other.ok
        okInWindow += other.okInWindow
        answeredInWindow += other.answeredInWindow
        bytes += other.bytes
        abandoned += other.abandoned
        connections += other.connections
        queued += other.queued
        lastEnd = max(lastEnd, other.lastEnd)
    }

    package var errors: Int { failures.reduce(0, +) }

    /// In the order of their kinds; those that happened only.
    package var failureCounts: [(kind: BenchFailure, count: Int)] {
        BenchFailure.allCases.map { ($0, failures[$0.rawValue]) }.filter { $0.1 > 0 }
    }

    /// In their order; those that came only.
    package var statusCounts: [(status: Int, count: Int)] {
        statuses.enumerated().filter { $0.element > 0 }.map { ($0.offset, $0.element) }
    }

    /// Successes a second within the window, or up to the last end when the window is open.
    package var rate: Double {
        let end = window.end ?? lastEnd
        return end > window.start ? Double(okInWindow) / Double(end - window.start) * 1e9 : 0
    }
}

/// The same over time, for plots: requests, failures and latencies of equal intervals, by the ends of the requests.
package struct BenchSeries: Sendable {
    package struct Point: Hashable, Sendable {
        /// Start of the interval.
        package var start: Nanoseconds
        package var count: Int
        package var failures: Int
        package var p50, p99, max: Nanoseconds
    }

    private struct Slot {
        var count = 0
        var failures = 0
        var most: Int64 = 0
        /// Two digits are enough for a plot.
        var latencies: Histogram<UInt32>

        init() {
            latencies = Histogram(highestTrackableValue: 3_600_000_000_000, numberOfSignificantValueDigits: .two)
        }
    }

    /// What is later than this many intervals counts in the last one.
    static let mostSlots = 1200
    package let interval: Nanoseconds
    private var slots: [Slot]

    init(interval: Nanoseconds, length: Nanoseconds?) {
        let interval = max(interval, .milliseconds(1))
        self.interval = interval
        let count = length.map { ($0.count + interval.count - 1) / interval.count } ?? 0
        slots = (0..<max(1, min(Int(count), Self.mostSlots))).map { _ in Slot() }
    }

    @inline(__always)
    mutating func record(_ latency: Int64, at time: Int64, isFailure: Bool) {
        let index = slot(at: time)
        slots[index].count += 1
        if isFailure { slots[index].failures += 1 }
        if latency > slots[index].most { slots[index].most = latency }
        slots[index].latencies.record(UInt64(max(0, latency)))
    }

    mutating func failed(at time: Int64) {
        let index = slot(at: time)
        slots[index].count += 1
        slots[index].failures += 1
    }

    @inline(__always)
    private mutating func slot(at time: Int64) -> Int {
        let index = min(Int(max(0, time) / interval.count), Self.mostSlots - 1)
        while index >= slots.count { slots.append(Slot()) }
        return index
    }

    mutating func add(_ other: BenchSeries) {
        while slots.count < other.slots.count { slots.append(Slot()) }
        for (index, slot) in other.slots.enumerated() {
            slots[index].count += slot.count
            slots[index].failures += slot.failures
            slots[index].most = max(slots[index].most, slot.most)
            slots[index].latencies.add(slot.latencies)
        }
    }

    package var points: [Point] {
        slots.enumerated().map { index, slot in
            func quantile(_ percent: Double) -> Nanoseconds {
                guard slot.latencies.totalCount > 0 else { return .zero }
                return Nanoseconds(min(Int64(clamping: slot.latencies.valueAtPercentile(percent)), slot.most))
            }
            return Point(
                start: interval * Int64(index), count: slot.count, failures: slot.failures, p50: quantile(50),
                p99: quantile(99), max: Nanoseconds(slot.most))
        }
    }
}

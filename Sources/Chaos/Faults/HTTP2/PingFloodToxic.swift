// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// PING frames that nobody sent, one after the other: each wants an answer (RFC 9113 section 6.7, CVE-2019-9512). The
/// answers do not reach the other side.
package struct PingFloodToxic: Hashable, Sendable {
    /// Pings a second; nil: all of `count` at once.
    package var rate: Double?
    /// How many on a connection; nil: as long as the fault is there.
    package var count: Int?

    package init(rate: Double? = nil, count: Int? = nil) {
        self.rate = rate
        self.count = count
    }

    /// Pings a second that are no burden for the runner.
    package static let highestRate = 100_000.0

    package var phrase: String {
        let pings = count.map { "\($0) PINGs" } ?? "PINGs"
        return pings + (rate.map { " at \(Rate(perSecond: $0))" } ?? " at once")
    }
}

/// The machine: the n-th ping falls due at `began + n / rate`, computed from n, so that no rounding adds up. A driver
/// that comes late gets at most a second's worth.
package struct PingFloodMachine: FrameToxic {
    private let settings: PingFloodToxic
    private var began = NIODeadline.uptimeNanoseconds(0)
    private var sent = 0

    package init(_ settings: PingFloodToxic) { self.settings = settings }

    package var nextDeadline: NIODeadline? {
        guard let rate = settings.rate, rate > 0, sent < settings.count ?? .max else { return nil }
        return due(sent, rate)
    }

    package mutating func begin(at now: NIODeadline) -> [FrameOrder] {
        began = now
        guard settings.rate == nil else { return advance(to: now) }
        sent = settings.count ?? 0
        return sent > 0 ? [.pings(sent)] : []
    }

    package mutating func advance(to now: NIODeadline) -> [FrameOrder] {
        guard let rate = settings.rate, rate > 0 else { return [] }
        let (most, before) = (settings.count ?? .max, sent)
        while sent < most, due(sent, rate) <= now { sent += 1 }
        return sent > before ? [.pings(min(sent - before, max(1, Int(rate))))] : []
    }

    private func due(_ place: Int, _ rate: Double) -> NIODeadline {
        began + .nanoseconds(Int64((Double(place) * 1e9 / rate).rounded(.up)))
    }
}

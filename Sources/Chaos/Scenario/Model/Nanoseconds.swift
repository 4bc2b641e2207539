// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// A length of time, or an instant as its distance from the start of the load, in whole nanoseconds.
///
/// Arithmetic saturates: a silly number in a file is a silly bound, never a trap. It is not a wall-clock time.
package struct Nanoseconds: Hashable, Comparable, Sendable {
    package var count: Int64

    package init(_ count: Int64) { self.count = count }

    package static let zero = Nanoseconds(0)
    package static func microseconds(_ count: Int64) -> Nanoseconds { Nanoseconds(count) * 1_000 }
    package static func milliseconds(_ count: Int64) -> Nanoseconds { Nanoseconds(count) * 1_000_000 }
    package static func seconds(_ count: Int64) -> Nanoseconds { Nanoseconds(count) * 1_000_000_000 }

    /// The nearest whole nanosecond; what does not fit (also NaN) becomes the nearest end of the range or zero.
    package init(seconds: Double) {
        let scaled = (seconds * 1e9).rounded()
        if scaled.isNaN {
            count = 0
        } else if scaled >= 9.2e18 {
            count = .max
        } else if scaled <= -9.2e18 {
            count = .min
        } else {
            count = Int64(scaled)
        }
    }

    package var inSeconds: Double { Double(count) / 1e9 }
    package var timeAmount: TimeAmount { .nanoseconds(count) }

    package static func < (a: Nanoseconds, b: Nanoseconds) -> Bool { a.count < b.count }

    package static func + (a: Nanoseconds, b: Nanoseconds) -> Nanoseconds {
        let (sum, overflow) = a.count.addingReportingOverflow(b.count)
        return Nanoseconds(overflow ? (a.count > 0 ? .max : .min) : sum)
    }

    package static func - (a: Nanoseconds, b: Nanoseconds) -> Nanoseconds { a + -b }

    package static prefix func - (a: Nanoseconds) -> Nanoseconds {
        Nanoseconds(a.count == .min ? .max : -a.count)
    }

    package static func * (a: Nanoseconds, factor: Int64) -> Nanoseconds {
        let (product, overflow) = a.count.multipliedReportingOverflow(by: factor)
        return Nanoseconds(overflow ? ((a.count > 0) == (factor > 0) ? .max : .min) : product)
    }

    package static func += (a: inout Nanoseconds, b: Nanoseconds) { a = a + b }
    package static func -= (a: inout Nanoseconds, b: Nanoseconds) { a = a - b }
}

// MARK: Text

extension Nanoseconds: CustomStringConvertible {
    /// As a person writes it in a scenario and can paste back: `10s`, `250ms`, `1m30s`, `15.3s`, `-110ms`.
    package var description: String {
        if count < 0 { return "-" + (-self).description }
        if count == 0 { return "0s" }
        if count < 1_000 { return "\(count)ns" }
        if count < 1_000_000 { return Self.decimal(count, unit: 1_000) + "us" }
        if count < 1_000_000_000 { return Self.decimal(count, unit: 1_000_000) + "ms" }
        let minute: Int64 = 60_000_000_000
        if count < 2 * minute && count % minute != 0 || count < minute {
            return Self.decimal(count, unit: 1_000_000_000) + "s"
        }
        let hours = count / (60 * minute)
        let minutes = count / minute % 60
        let rest = count % minute
        return (hours > 0 ? "\(hours)h" : "") + (minutes > 0 ? "\(minutes)m" : "")
            + (rest > 0 ? Self.decimal(rest, unit: 1_000_000_000) + "s" : "")
    }

    /// `count / unit` without trailing zeros; `unit` is a power of ten.
    private static func decimal(_ count: Int64, unit: Int64) -> String {
        let whole = String(count / unit)
        var digits = String(count % unit)
        guard count % unit != 0 else { return whole }
        digits = String(repeating: "0", count: String(unit).count - 1 - digits.count) + digits
        while digits.last == "0" { digits.removeLast() }
        return whole + "." + digits
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A measured amount with what is not known about it: the truth lies in `low...high`, in the base unit of its dimension
/// (nanoseconds, a fraction, 1).
struct Measure: Hashable, Sendable {
    var low: Double
    var high: Double
    var dimension: Dimension

    init(_ low: Double, _ high: Double, _ dimension: Dimension) {
        self.low = min(low, high)
        self.high = max(low, high)
        self.dimension = dimension
    }

    static func exactly(_ value: Double, _ dimension: Dimension) -> Measure { Measure(value, value, dimension) }
    static func count(_ range: ClosedRange<Int>) -> Measure {
        Measure(Double(range.lowerBound), Double(range.upperBound), .number)
    }
    static func requests(_ range: ClosedRange<Int>) -> Measure {
        Measure(Double(range.lowerBound), Double(range.upperBound), .requests)
    }

    /// The time from one sighting to another.
    static func duration(from start: Sighting, to end: Sighting) -> Measure {
        Measure(
            Double((end.earliest - start.latest).count), Double((end.latest - start.earliest).count), .duration)
    }

    /// Fully inside the limits = pass, fully outside = fail, else inconclusive.
    ///
    /// - Parameter slack: widens the upper limit of a duration (nanoseconds): how late timers of this host were.
    func result(against limits: Limits, slack: Int64) -> Verdict.Result {
        // Decimal fractions do not add up to the last bit.
        let rounding = 1e-12 * max(1, abs(low), abs(high))
        let lower = (limits.lower?.magnitude ?? -.infinity) - rounding
        let upper = (limits.upper?.magnitude ?? .infinity) + rounding + (dimension == .duration ? Double(slack) : 0)
        if low >= lower, high <= upper { return .pass }
        if high < lower || low > upper { return .fail }
        return .inconclusive
    }
}

// MARK: Text

extension Measure {
    /// `19.41s`, `12`, `99.2%`, `10.1s..10.3s`.
    var text: String {
        let a = Self.text(low, dimension)
        let b = Self.text(high, dimension)
        return a == b ? a : "\(a)..\(b)"
    }

    /// The same, with all digits where rounding would hide that a limit was missed.
    func text(against limits: Limits) -> String {
        let hidesMiss = [limits.lower, limits.upper].contains { limit in
            guard let limit, limit.magnitude != low || limit.magnitude != high else { return false }
            let shown = limit.description
            return Self.text(low, dimension) == shown || Self.text(high, dimension) == shown
        }
        guard hidesMiss, dimension == .duration else { return text }
        let a = Nanoseconds(Int64(low)).description
        let b = Nanoseconds(Int64(high)).description
        return a == b ? a : "\(a)..\(b)"
    }

    private static func text(_ value: Double, _ dimension: Dimension) -> String {
        switch dimension {
        case .duration: readable(Nanoseconds(Int64(max(-9.2e18, min(9.2e18, value)))))
        case .ratio: plainNumber((value * 100_000).rounded() / 1_000) + "%"
        case .rate: plainNumber((value * 100).rounded() / 100) + "/s"
        case .requests: value == 1 ? "1 request" : plainNumber(value) + " requests"
        case .bytes: ByteCount(value).description
        case .number: plainNumber((value * 1_000).rounded() / 1_000)
        }
    }
}

/// A time rounded for the eye: hundredths of a second from one second on, tenths of a millisecond below 10 ms.
func readable(_ time: Nanoseconds) -> String {
    let size = time.count.magnitude
    let step: Int64 =
        switch size {
        case 1_000_000_000...: 10_000_000
        case 10_000_000...: 1_000_000
        case 1_000_000...: 100_000
        default: 1_000
        }
    let half = time.count < 0 ? -step / 2 : step / 2
    let rounded = Nanoseconds(time.count.clampedAdding(half) / step * step)
    return rounded.description
}

func readable(_ time: Int64) -> String { readable(Nanoseconds(time)) }

/// `tripped + 2ms`, `tripped - 4ms`, `tripped`.
func offset(_ time: Int64, from mark: String) -> String {
    let text = readable(time)
    if text == "0s" { return mark }
    return text.hasPrefix("-") ? "\(mark) - \(text.dropFirst())" : "\(mark) + \(text)"
}

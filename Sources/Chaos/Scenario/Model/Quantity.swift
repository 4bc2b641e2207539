// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A share of a whole, 1 = all of it. Written `0.9` or `90%`.
package struct Ratio: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var fraction: Double
    package init(_ fraction: Double) { self.fraction = fraction }
    package static func < (a: Ratio, b: Ratio) -> Bool { a.fraction < b.fraction }
    package var description: String { plainNumber((fraction * 1e12).rounded() / 1e10) + "%" }
}

/// Events a second. Written `50/s`, `300/m`, `5/ms`.
package struct Rate: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var perSecond: Double
    package init(perSecond: Double) { self.perSecond = perSecond }
    package static func < (a: Rate, b: Rate) -> Bool { a.perSecond < b.perSecond }
    package var description: String { plainNumber(perSecond) + "/s" }
}

/// A number of bytes. Written `200MiB`, `64KiB`, `1GB`.
package struct ByteCount: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var bytes: Double
    package init(_ bytes: Double) { self.bytes = bytes }
    package static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }

    /// Units and what they are worth, the largest first; `description` uses those of 1024.
    package static let units: [(name: String, bytes: Double)] = [
        ("GiB", 1_073_741_824), ("GB", 1e9), ("MiB", 1_048_576), ("MB", 1e6), ("KiB", 1024), ("KB", 1e3), ("kB", 1e3),
        ("B", 1),
    ]

    /// In the largest unit that leaves at least 1, with at most two decimals.
    package var description: String {
        for unit in Self.units where unit.name.hasSuffix("iB") && abs(bytes) >= unit.bytes {
            return plainNumber((bytes / unit.bytes * 100).rounded() / 100) + unit.name
        }
        return plainNumber(bytes.rounded()) + "B"
    }
}

/// What a bound is over.
package enum Dimension: String, Hashable, Sendable {
    case number, duration, ratio, rate, bytes
    /// A number of requests: `within: 12 requests`.
    case requests

    /// "a duration", for messages.
    package var phrase: String {
        switch self {
        case .number: "a number"
        case .duration: "a duration"
        case .ratio: "a ratio"
        case .rate: "a rate"
        case .bytes: "a size"
        case .requests: "a number of requests"
        }
    }
}

/// A measured or wanted amount with its unit.
package enum Quantity: Hashable, Sendable, CustomStringConvertible {
    case number(Double)
    case duration(Nanoseconds)
    case ratio(Ratio)
    case rate(Rate)
    case bytes(ByteCount)
    case requests(Int)

    package var dimension: Dimension {
        switch self {
        case .number: .number
        case .duration: .duration
        case .ratio: .ratio
        case .rate: .rate
        case .bytes: .bytes
        case .requests: .requests
        }
    }

    /// The amount in the base unit of its dimension (nanoseconds, fraction, a second, 1), to compare like with like.
    package var magnitude: Double {
        switch self {
        case .number(let value): value
        case .duration(let value): Double(value.count)
        case .ratio(let value): value.fraction
        case .rate(let value): value.perSecond
        case .bytes(let value): value.bytes
        case .requests(let value): Double(value)
        }
    }

    /// The text without digits that no person reads: durations to the ms from 1 s on, to the us from 1 ms on.
    package var readable: String {
        guard case .duration(let time) = self else { return description }
        let unit: Int64 = abs(time.inSeconds) >= 1 ? 1_000_000 : abs(time.inSeconds) >= 0.001 ? 1_000 : 1
        return "\(Nanoseconds(Int64((Double(time.count) / Double(unit)).rounded())) * unit)"
    }

    package var description: String {
        switch self {
        case .number(let value): plainNumber(value)
        case .duration(let value): value.description
        case .ratio(let value): value.description
        case .rate(let value): value.description
        case .bytes(let value): value.description
        case .requests(let value): value == 1 ? "1 request" : "\(value) requests"
        }
    }
}

/// A number without a needless fraction: `3`, `0.5`, `1200`.
package func plainNumber(_ value: Double) -> String {
    if let whole = Int(exactly: value), abs(whole) < 1_000_000_000_000_000 { return String(whole) }
    return "\(value)"
}

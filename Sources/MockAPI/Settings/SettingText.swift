// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Reads and writes the small words of settings: durations, ratios, sizes, switches. Nil is "cannot be read": who calls
/// knows which setting it was and says so.
enum SettingText {
    /// Longest duration a setting may have: a day.
    static let longestDuration = TimeAmount.hours(24)

    private static let durationUnits: [(name: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ]

    /// `250ms`, `1.5s`, `1m30s`: numbers with units, largest first by custom, in any order. Not `250`: a duration has a
    /// unit.
    static func duration(_ text: String) -> TimeAmount? {
        var rest = Substring(text)
        var total = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !($0.isASCII && $0.isNumber || $0 == ".") }
            rest = rest.dropFirst(unit.count)
            guard let value = number(String(digits)), let scale = durationUnits.first(where: { $0.name == unit })
            else { return nil }
            total += value * scale.nanoseconds
        }
        guard total <= Double(longestDuration.nanoseconds) else { return nil }
        return .nanoseconds(Int64(total.rounded()))
    }

    /// The shortest text that `duration` reads as the same value: whole numbers of one unit.
    static func text(of duration: TimeAmount) -> String {
        let nanoseconds = duration.nanoseconds
        for (unit, scale) in [("s", 1_000_000_000 as Int64), ("ms", 1_000_000), ("us", 1000)] where nanoseconds != 0 {
            if nanoseconds % scale == 0 { return "\(nanoseconds / scale)\(unit)" }
        }
        return nanoseconds == 0 ? "0ms" : "\(nanoseconds)ns"
    }

    /// A finite decimal number: `0.9`, `-1`, `1e-3`. Not `nan`, `inf` or hexadecimal.
    static func number(_ text: String) -> Double? {
        let allowed = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E, 0x65, 0x45].contains($0)
        }
        guard allowed, let value = Double(text), value.isFinite else { return nil }
        return value
    }

    /// `0.9` or `90%`.
    static func ratio(_ text: String) -> Double? {
        text.last == "%" ? number(String(text.dropLast())).map { $0 / 100 } : number(text)
    }

    /// Bytes: `1000`, `64KiB`, `1MB`.
    static func size(_ text: String) -> Int? {
        let units: [(name: Substring, bytes: Double)] = [
            ("", 1), ("B", 1), ("kB", 1e3), ("KB", 1e3), ("MB", 1e6), ("KiB", 1024), ("MiB", 1_048_576),
        ]
        let digits = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        guard let unit = units.first(where: { $0.name == text.dropFirst(digits.count) }),
            let value = number(String(digits))
        else { return nil }
        return Int(exactly: value * unit.bytes)
    }

    static func isOn(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "on", "yes", "1": true
        case "false", "off", "no", "0": false
        default: nil
        }
    }
}

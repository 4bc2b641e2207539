// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Numbers of bytes as a person writes them: `1KiB`, `64kB`, `100`; a second: `1MB/s`, `8Mbit/s`.
package enum ByteAmount {
    private static let units: [(name: String, bytes: Double)] = [
        ("B", 1), ("kB", 1e3), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("KiB", 1024), ("MiB", 1_048_576),
        ("GiB", 1_073_741_824),
    ]
    private static let bitUnits: [(name: String, bytes: Double)] = [
        ("bit", 1.0 / 8), ("kbit", 125), ("Mbit", 125_000), ("Gbit", 125_000_000),
    ]
    /// Larger ones are no amounts that a link could see (8 EiB would overflow).
    private static let most = 1e15

    package static let unitNames = units.map(\.name).filter { $0 != "KB" }
    package static let rateNames = (units + bitUnits).map(\.name).filter { $0 != "KB" }.map { $0 + "/s" }

    /// Whole bytes; nil when it is no amount. A number without a unit is bytes.
    package static func bytes(_ text: String) -> Int64? {
        amount(text, units + [("", 1)]).flatMap { $0.rounded() == $0 ? Int64($0) : nil }
    }

    /// Whole bytes a second; nil when it is no rate. The unit is needed, `0` aside.
    package static func bytesPerSecond(_ text: String) -> Int64? {
        if text == "0" { return 0 }
        guard text.hasSuffix("/s") else { return nil }
        return amount(String(text.dropLast(2)), units + bitUnits).map { Int64($0.rounded()) }
    }

    private static func amount(_ text: String, _ units: [(name: String, bytes: Double)]) -> Double? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let name = text.dropFirst(digits.count)
        guard let number = Double(digits), let unit = units.first(where: { $0.name == name }) else { return nil }
        let bytes = number * unit.bytes
        return bytes <= most ? bytes : nil
    }

    /// The shortest exact text: `1KiB`, `64kB`, `100B`.
    package static func text(_ bytes: Int64) -> String {
        let whole = units.filter { $0.name != "KB" && bytes > 0 && bytes % Int64($0.bytes) == 0 }
        guard let unit = whole.max(by: { $0.bytes < $1.bytes }) else { return "\(bytes)B" }
        return "\(bytes / Int64(unit.bytes))\(unit.name)"
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Figures of a bench as a person reads them: three digits and a unit.
enum BenchText {
    /// `812ns`, `45.1us`, `1.23ms`, `12.3s`.
    static func time(_ time: Nanoseconds) -> String { self.time(Double(time.count)) }

    /// - Parameter nanoseconds: may be less than none, for differences.
    static func time(_ nanoseconds: Double) -> String {
        let amount = abs(nanoseconds)
        let sign = nanoseconds < 0 ? "-" : ""
        if amount < 0.5 { return "0s" }
        for (unit, length) in [("ns", 1.0), ("us", 1e3), ("ms", 1e6)] where amount < length * 999.5 {
            return sign + digits(amount / length) + unit
        }
        return sign + digits(amount / 1e9) + "s"
    }

    /// Three digits: `1.23`, `12.3`, `123`; more before the point when there are.
    static func digits(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        let amount = abs(value)
        let places = amount < 9.995 ? 2 : amount < 99.95 ? 1 : 0
        return fixed(value, places: places)
    }

    static func fixed(_ value: Double, places: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "-" }
        var scale: Int64 = 1
        for _ in 0..<places { scale *= 10 }
        let scaled = Int64((value * Double(scale)).rounded())
        let (whole, part) = scaled.magnitude.quotientAndRemainder(dividingBy: scale.magnitude)
        let sign = scaled < 0 ? "-" : ""
        if places == 0 { return "\(sign)\(whole)" }
        let digits = String(part)
        return "\(sign)\(whole).\(String(repeating: "0", count: places - digits.count))\(digits)"
    }

    /// `1,234,567`.
    static func count(_ value: Int) -> String {
        var text = ""
        for (index, digit) in String(value.magnitude).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (value < 0 ? "-" : "") + String(text.reversed())
    }

    /// Without a fraction from 100 on.
    static func rate(_ value: Double) -> String {
        value >= 100 || value == 0 ? count(Int(min(value, 1e15).rounded())) : digits(value)
    }

    static func size(_ bytes: Double) -> String {
        if bytes < 1024 { return "\(Int(bytes)) B" }
        for (unit, size) in [("KiB", 1024.0), ("MiB", 1_048_576.0)] where bytes < size * 1000 {
            return digits(bytes / size) + " " + unit
        }
        return digits(bytes / 1_073_741_824) + " GiB"
    }

    /// `99.98%`: never rounded up to all, nor down to none.
    static func percent(_ part: Double) -> String {
        let percent = part * 100
        if percent == 100 || percent == 0 { return "\(Int(percent))%" }
        for places in 1...6 {
            let text = fixed(percent, places: places)
            if let shown = Double(text), shown != 100, shown != 0 { return text + "%" }
        }
        return percent > 50 ? "99.999999%" : "0.000001%"
    }

    /// `p99.9`.
    static func quantile(_ percent: Double) -> String { "p\(plainNumber(percent))" }

    /// `x1.52`.
    static func factor(_ value: Double) -> String { "x" + digits(value) }

    /// `+3.2%`.
    static func change(_ part: Double) -> String { (part < 0 ? "-" : "+") + digits(abs(part) * 100) + "%" }
}

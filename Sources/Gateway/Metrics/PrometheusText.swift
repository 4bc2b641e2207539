// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Writes metrics in Prometheus' text format, version 0.0.4.
struct PrometheusText {
    enum Kind: String { case counter, gauge, histogram }

    static let contentType = "text/plain; charset=UTF-8"

    private(set) var text = ""

    /// What stands before the samples of one name.
    mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func add(_ name: String, _ labels: [(name: String, value: String)], _ value: String) {
        text += name
        if !labels.isEmpty {
            text += "{"
            for (place, label) in labels.enumerated() {
                if place > 0 { text += "," }
                text += "\(label.name)=\"\(Self.escaped(label.value))\""
            }
            text += "}"
        }
        text += " \(value)\n"
    }

    mutating func add(_ name: String, _ labels: [(name: String, value: String)], _ value: Int) {
        add(name, labels, "\(value)")
    }

    /// Buckets hold what is at or below their bound, so each one holds those before it.
    mutating func add(_ name: String, _ labels: [(name: String, value: String)], _ histogram: LatencyHistogram) {
        var sum = 0
        for (place, count) in histogram.counts.enumerated() {
            sum += count
            let bound = place < histogram.bounds.count ? "\(histogram.bounds[place])" : "+Inf"
            add(name + "_bucket", labels + [("le", bound)], sum)
        }
        add(name + "_count", labels, sum)
        add(name + "_sum", labels, Self.milliseconds(histogram.nanoseconds))
    }

    /// Milliseconds with what is left of them, to the microsecond.
    private static func milliseconds(_ nanoseconds: Int) -> String {
        let microseconds = nanoseconds / 1000
        let (whole, rest) = microseconds.quotientAndRemainder(dividingBy: 1000)
        if rest == 0 { return "\(whole)" }
        let digits = "\(rest)"
        return "\(whole).\(String(repeating: "0", count: 3 - digits.count))\(digits)"
    }

    /// Backslash, quotation mark and line feed are escaped in a label's value.
    static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 0x5c || $0 == 0x22 || $0 == 0x0a }) else { return value }
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

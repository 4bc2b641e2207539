// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The text format of Prometheus, as far as samples go: `name{label="value"} 12.5`, comments and time stamps left out.
/// Never traps; a line that is none is passed over.
enum MetricText {
    typealias Series = (name: String, labels: [Metric.Label])

    /// The sum of all series of a name that have the labels; nil when there is none.
    static func value(of metric: Metric, in text: String) -> Double? {
        var sum: Double?
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) where line.starts(with: metric.name.utf8) {
            guard let sample = sample(Substring(line)), sample.series.name == metric.name,
                metric.labels.allSatisfy({ sample.series.labels.contains($0) })
            else { continue }
            sum = (sum ?? 0) + sample.value
        }
        return sum
    }

    /// A series as a scenario names it; nil when it is none.
    static func series(_ text: String) -> Series? {
        guard let (series, rest) = parse(text[...]), rest.allSatisfy(\.isWhitespace) else { return nil }
        return series
    }

    private static func sample(_ line: Substring) -> (series: Series, value: Double)? {
        guard let (series, rest) = parse(line), let word = rest.split(separator: " ").first else { return nil }
        switch word {
        case "+Inf": return (series, .infinity)
        case "-Inf": return (series, -.infinity)
        default: return Double(word).map { (series, $0) }
        }
    }

    private static func parse(_ text: Substring) -> (Series, rest: Substring)? {
        let name = text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") }
        guard let first = name.first, !first.isNumber else { return nil }
        var rest = text.dropFirst(name.count)
        guard rest.first == "{" else { return ((String(name), []), rest) }
        rest = rest.dropFirst()
        var labels: [Metric.Label] = []
        while true {
            rest = rest.drop { $0 == " " || $0 == "," }
            if rest.first == "}" { return ((String(name), labels), rest.dropFirst()) }
            let label = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            rest = rest.dropFirst(label.count).drop { $0 == " " }
            guard !label.isEmpty, rest.first == "=" else { return nil }
            rest = rest.dropFirst().drop { $0 == " " }
            guard let (value, behind) = quoted(rest) else { return nil }
            labels.append(Metric.Label(name: String(label), value: value))
            rest = behind
        }
    }

    private static func quoted(_ text: Substring) -> (String, rest: Substring)? {
        guard text.first == "\"" else { return nil }
        var value = ""
        var isEscaped = false
        for index in text.dropFirst().indices {
            let character = text[index]
            if isEscaped {
                value.append(character == "n" ? "\n" : character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                return (value, text[text.index(after: index)...])
            } else {
                value.append(character)
            }
        }
        return nil
    }
}

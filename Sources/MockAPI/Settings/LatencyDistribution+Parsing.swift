// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
import NIOCore

// One grammar, written in two ways that mean the same:
//
//     250ms                                    250ms
//     uniform min 10ms max 50ms                { uniform: { min: 10ms, max: 50ms } }      also: uniform 10ms..50ms
//     normal mean 20ms deviation 5ms           { normal: { mean: 20ms, deviation: 5ms } }
//     lognormal median 3ms sigma 0.4           { lognormal: { median: 3ms, sigma: 0.4 } }
//     pareto scale 3ms shape 1.5               { pareto: { scale: 3ms, shape: 1.5 } }
//     constant 250ms                           { constant: 250ms }

extension LatencyDistribution {
    /// What is wrong with a distribution, and what to write instead.
    struct Mistake: Error {
        var message: String
        var advice: String?
    }

    private static let parameters: [(name: String, keys: [String])] = [
        ("constant", ["delay"]), ("uniform", ["min", "max"]), ("normal", ["mean", "deviation"]),
        ("lognormal", ["median", "sigma"]), ("pareto", ["scale", "shape"]),
    ]

    private static let forms =
        "write a duration such as 250ms, `uniform 10ms..50ms`, `normal mean 20ms deviation 5ms`, "
        + "`lognormal median 3ms sigma 0.4` or `pareto scale 3ms shape 1.5`"

    /// Reads the text form.
    init(text: String) throws(Mistake) {
        let words = text.split(separator: " ").map(String.init)
        guard let first = words.first else { throw Mistake(message: "is empty", advice: Self.forms) }
        if words.count == 1, !Self.parameters.contains(where: { $0.name == first }) {
            guard first.utf8.first.map({ (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E].contains($0) }) == true else {
                throw Self.unknown(first)
            }
            self = .constant(try Self.duration(first))
        } else if words.count == 2 {
            try self.init(name: first, arguments: .string(words[1]))
        } else {
            guard words.count % 2 == 1 else { throw Mistake(message: "\"\(text)\" is no latency", advice: Self.forms) }
            var arguments: [(key: String, text: String)] = []
            for place in stride(from: 1, to: words.count, by: 2) { arguments.append((words[place], words[place + 1])) }
            try self.init(name: first, arguments)
        }
    }

    /// Reads the mapping form, `{"lognormal": {"median": "3ms", "sigma": 0.4}}`.
    init(members: [(key: String, value: JSONValue)]) throws(Mistake) {
        guard members.count == 1 else { throw Mistake(message: "must name one distribution", advice: Self.forms) }
        try self.init(name: members[0].key, arguments: members[0].value)
    }

    private init(name: String, arguments: JSONValue) throws(Mistake) {
        if case .object(let members) = arguments {
            var list: [(key: String, text: String)] = []
            for (key, value) in members {
                guard let text = value.settingText else { throw Mistake(message: "\(name).\(key) must be one value") }
                list.append((key, text))
            }
            try self.init(name: name, list)
            return
        }
        guard let text = arguments.settingText else { throw Mistake(message: "\(name) must be a mapping") }
        switch name {
        case "constant": self = .constant(try Self.duration(text))
        case "uniform":
            guard let dots = text.firstRange(of: "..") else {
                throw Mistake(message: "uniform \"\(text)\" is no range", advice: "write uniform 10ms..50ms")
            }
            try self.init(
                name: name, [("min", String(text[..<dots.lowerBound])), ("max", String(text[dots.upperBound...]))])
        default:
            guard let known = Self.parameters.first(where: { $0.name == name }) else { throw Self.unknown(name) }
            throw Mistake(
                message: "\(name) needs \(known.keys.joined(separator: " and "))", advice: Self.forms)
        }
    }

    private init(name: String, _ arguments: [(key: String, text: String)]) throws(Mistake) {
        guard let known = Self.parameters.first(where: { $0.name == name }) else { throw Self.unknown(name) }
        for (key, _) in arguments where !known.keys.contains(key) {
            let near = nearestKey(to: key, among: known.keys)
            throw Mistake(
                message: "\(name) has no \"\(key)\"",
                advice: near.map { "did you mean \($0)?" } ?? "it has \(known.keys.joined(separator: " and "))")
        }
        func text(_ key: String) throws(Mistake) -> String {
            let found = arguments.filter { $0.key == key }
            guard found.count == 1 else {
                throw Mistake(
                    message: "\(name) needs \(found.isEmpty ? "" : "one ")\(key)", advice: Self.forms)
            }
            return found[0].text
        }
        switch name {
        case "constant": self = .constant(try Self.duration(text("delay")))
        case "uniform":
            let (min, max) = (try Self.duration(text("min")), try Self.duration(text("max")))
            guard min <= max else {
                throw Mistake(message: "uniform's min is above its max", advice: "write uniform 10ms..50ms")
            }
            self = .uniform(min: min, max: max)
        case "normal":
            self = .normal(mean: try Self.duration(text("mean")), deviation: try Self.duration(text("deviation")))
        case "lognormal":
            self = .lognormal(
                median: try Self.duration(text("median")), sigma: try Self.parameter("sigma", text("sigma")))
        default:
            let shape = try Self.parameter("shape", text("shape"))
            guard shape > 0 else { throw Mistake(message: "shape must be above 0", advice: "1.5 is a heavy tail") }
            self = .pareto(scale: try Self.duration(text("scale")), shape: shape)
        }
    }

    private static func duration(_ text: String) throws(Mistake) -> TimeAmount {
        if let duration = SettingText.duration(text) { return duration }
        if SettingText.number(text) != nil {
            throw Mistake(message: "\(text) has no unit", advice: "write \(text)ms or \(text)s")
        }
        throw Mistake(
            message: "\"\(text)\" is no duration of at most 24h", advice: "write one such as 250ms, 1.5s or 1m30s")
    }

    private static func parameter(_ name: String, _ text: String) throws(Mistake) -> Double {
        guard let value = SettingText.number(text), value >= 0 else {
            throw Mistake(message: "\(name) \"\(text)\" is no number from 0", advice: "write one such as 0.4")
        }
        return value
    }

    private static func unknown(_ name: String) -> Mistake {
        let near = nearestKey(to: name, among: parameters.map(\.name))
        return Mistake(
            message: "\"\(name)\" is no distribution", advice: near.map { "did you mean \($0)?" } ?? forms)
    }
}

extension LatencyDistribution {
    /// The value in the form that `init(members:)` and `init(text:)` read.
    package var json: JSONValue {
        switch self {
        case .constant(let delay): .string(SettingText.text(of: delay))
        case .uniform(let min, let max):
            ["uniform": ["min": .string(SettingText.text(of: min)), "max": .string(SettingText.text(of: max))]]
        case .normal(let mean, let deviation):
            [
                "normal": [
                    "mean": .string(SettingText.text(of: mean)), "deviation": .string(SettingText.text(of: deviation)),
                ]
            ]
        case .lognormal(let median, let sigma):
            ["lognormal": ["median": .string(SettingText.text(of: median)), "sigma": .number(sigma)]]
        case .pareto(let scale, let shape):
            ["pareto": ["scale": .string(SettingText.text(of: scale)), "shape": .number(shape)]]
        }
    }
}

extension JSONValue {
    /// A scalar as a person would have typed it; nil for null, lists and mappings. Settings are read from text whatever
    /// they came in, so that `0.9`, `"0.9"` and a YAML scalar mean the same.
    var settingText: String? {
        switch self {
        case .string(let text): text
        case .bool, .integer, .number: description
        case .null, .array, .object: nil
        }
    }
}

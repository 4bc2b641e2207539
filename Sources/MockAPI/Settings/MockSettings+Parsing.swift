// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

extension MockSettings {
    /// Where a setting was written, for messages.
    package enum Origin: Sendable {
        case environment
        case flag
        /// A JSON body, or a scenario file with its place.
        case document(SourceLocation?)
    }

    /// The largest `BODY_BYTES`: the answer is held in memory.
    package static let largestBody = 64 * 1_048_576

    /// Sets one switch. Null sets its default.
    ///
    /// - Parameter value: a scalar or a text of one; a mapping for LATENCY; the text of a mapping (JSON) too.
    /// - Throws: what is wrong, with the key and what to write instead; the settings are unchanged then.
    package mutating func set(_ key: String, to value: JSONValue, from origin: Origin) throws(Problem) {
        guard let known = MockSettingKey(rawValue: key) else {
            throw origin.problem(
                "unknown setting \(key)",
                nearestKey(to: key, among: MockSettingKey.allCases.map(\.rawValue)).map { "did you mean \($0)?" }
                    ?? "the settings are \(MockSettingKey.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        do {
            try set(known, to: value)
        } catch {
            throw origin.problem("\(origin.name(of: known)): \(error.message)", error.advice)
        }
    }

    /// Sets the switches of a JSON object or does nothing at all: what `PATCH` does to the present settings and `PUT`
    /// to the default ones.
    ///
    /// - Throws: all mistakes at once.
    package mutating func merge(_ value: JSONValue) throws(Problems) {
        guard let members = value.objectValue else {
            throw Problems([
                Problem(at: nil, "settings must be a JSON object", advice: "send one such as {\"ERROR_RATE\": 0.9}")
            ])
        }
        var changed = self
        var problems = Problems()
        for (key, value) in members {
            do { try changed.set(key, to: value, from: .document(nil)) } catch { problems.add(error) }
        }
        guard problems.isEmpty else { throw problems }
        self = changed
    }

    /// Sets the switches of a mapping of a scenario file (`env:` of a mock, `set:` of a step) or does nothing at all.
    ///
    /// - Throws: all mistakes at once, each with its place.
    package mutating func merge(_ node: DocumentNode) throws(Problems) {
        guard let members = node.members else {
            throw Problems([
                Problem(at: node.location, "settings must be a mapping", advice: "write { ERROR_RATE: 0.9 }")
            ])
        }
        var changed = self
        var problems = Problems()
        for member in members {
            do {
                try changed.set(
                    member.key, to: member.value.isNull ? .null : member.value.json, from: .document(member.keyLocation)
                )
            } catch {
                problems.add(error)
            }
        }
        guard problems.isEmpty else { throw problems }
        self = changed
    }
}

extension MockSettings.Origin {
    fileprivate func name(of key: MockSettingKey) -> String {
        switch self {
        case .environment: "environment variable \(key.rawValue)"
        case .flag: key.flag
        case .document: key.rawValue
        }
    }

    fileprivate func problem(_ message: String, _ advice: String?) -> Problem {
        if case .document(let place) = self { return Problem(at: place, message, advice: advice) }
        return Problem(at: nil, message, advice: advice)
    }
}

extension MockSettings {
    private typealias Mistake = LatencyDistribution.Mistake

    private mutating func set(_ key: MockSettingKey, to value: JSONValue) throws(Mistake) {
        let defaults = MockSettings()
        switch key {
        case .errorRate: errorRate = try Self.read(value, or: defaults.errorRate, Self.rate)
        case .errorStatus: errorStatus = try Self.read(value, or: defaults.errorStatus, Self.status)
        case .errorNext: errorNext = try Self.read(value, or: nil, Self.nextErrors)
        case .errorSkipHealth: errorSkipsHealth = try Self.read(value, or: defaults.errorSkipsHealth, Self.isOn)
        case .latency: latency = try Self.latency(value)
        case .latencySkipHealth: latencySkipsHealth = try Self.read(value, or: defaults.latencySkipsHealth, Self.isOn)
        case .health: health = try Self.read(value, or: defaults.health, Self.choice)
        case .hang: hangs = try Self.read(value, or: defaults.hangs, Self.isOn)
        case .close: close = try Self.read(value, or: defaults.close, Self.choice)
        case .bodyBytes: bodyBytes = try Self.read(value, or: nil, Self.bodyBytes)
        case .catchAll: catchesAll = try Self.read(value, or: defaults.catchesAll, Self.isOn)
        case .healthPath: healthPath = try Self.read(value, or: defaults.healthPath, Self.path)
        case .routes: routes = try Self.routes(value)
        }
    }

    private static func read<Value>(
        _ value: JSONValue, or fallback: Value, _ parse: (String) throws(Mistake) -> Value
    ) throws(Mistake) -> Value {
        if value.isNull { return fallback }
        guard let text = value.settingText else {
            throw Mistake(message: "must be one value, not \(value.arrayValue == nil ? "a mapping" : "a list")")
        }
        return try parse(trimmed(text))
    }

    private static func trimmed(_ text: String) -> String {
        String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }

    private static func rate(_ text: String) throws(Mistake) -> Double {
        guard let rate = SettingText.ratio(text) else {
            throw Mistake(message: "\"\(text)\" is not a number", advice: "give a probability such as 0.1 or 10%")
        }
        return rate
    }

    private static func status(_ text: String) throws(Mistake) -> Int {
        guard let status = Int(text), (400...599).contains(status) else {
            throw Mistake(message: "\"\(text)\" is no status of an error", advice: "give one from 400 to 599")
        }
        return status
    }

    private static func nextErrors(_ text: String) throws(Mistake) -> NextErrors? {
        if SettingText.isOn(text) == false { return nil }
        // `3/10` needs no quotes in a shell.
        let words = text.split(separator: "/").joined(separator: " of ").split(separator: " ")
        let counts = words.count == 3 && words[1] == "of" ? [Int(words[0]), Int(words[2])] : [Int(text), Int(text)]
        guard let failures = counts[0], let requests = counts[1], requests > 0, (0...requests).contains(failures) else {
            throw Mistake(message: "\"\(text)\" is no count of errors", advice: "write one such as `3 of 10`, or off")
        }
        return NextErrors(failures: failures, of: requests)
    }

    private static func isOn(_ text: String) throws(Mistake) -> Bool {
        guard let isOn = SettingText.isOn(text) else {
            throw Mistake(message: "\"\(text)\" is no switch", advice: "write true or false")
        }
        return isOn
    }

    private static func path(_ text: String) throws(Mistake) -> String {
        guard text.utf8.first == UInt8(ascii: "/"), text != "/_mock/settings",
            text.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "?") })
        else { throw Mistake(message: "\"\(text)\" is no path", advice: "write one such as /healthz") }
        return text
    }

    /// A list, or its text (in the environment).
    private static func routes(_ value: JSONValue) throws(Mistake) -> [MockRoute] {
        switch value {
        case .null: return []
        case .string(let text):
            let text = trimmed(text)
            if text.isEmpty || SettingText.isOn(text) == false { return [] }
            guard let list = try? JSONValue(parsing: text.utf8) else {
                throw Mistake(message: "\(text) is not valid JSON", advice: "write [{\"path\": \"/orders\"}]")
            }
            return try MockRoute.list(list)
        default: return try MockRoute.list(value)
        }
    }

    private static func bodyBytes(_ text: String) throws(Mistake) -> Int? {
        guard let size = SettingText.size(text), (0...largestBody).contains(size) else {
            throw Mistake(message: "\"\(text)\" is no size of at most 64MiB", advice: "write one such as 1000 or 64KiB")
        }
        return size
    }

    /// One of a closed set; blanks, `-` and `_` mean the same, so that `before_head` needs no quotes in a shell.
    private static func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ text: String
    ) throws(Mistake) -> Choice {
        let words = text.lowercased().split { " -_".contains($0) }.joined(separator: " ")
        guard let choice = Choice(rawValue: words) else {
            let names = Choice.allCases.map(\.rawValue)
            throw Mistake(
                message: "\"\(text)\" is none of \(names.joined(separator: ", "))",
                advice: nearestKey(to: words, among: names).map { "did you mean \($0)?" })
        }
        return choice
    }

    static func latency(_ value: JSONValue) throws(LatencyDistribution.Mistake) -> LatencyDistribution {
        switch value {
        case .null: return MockSettings().latency
        case .object(let members): return try LatencyDistribution(members: members.map { ($0.key, $0.value) })
        case .array: throw Mistake(message: "must be one value, not a list")
        case .bool, .integer, .number, .string: break
        }
        let text = trimmed(value.settingText ?? "")
        guard text.first == "{" else { return try LatencyDistribution(text: text) }
        guard let members = try? JSONValue(parsing: text.utf8).objectValue else {
            throw Mistake(
                message: "\(text) is not valid JSON",
                advice: "write {\"uniform\": {\"min\": \"1ms\", \"max\": \"2ms\"}}")
        }
        return try LatencyDistribution(members: members.map { ($0.key, $0.value) })
    }
}

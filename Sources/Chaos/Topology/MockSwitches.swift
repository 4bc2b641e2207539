// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// The switches of a scenario in the words of the mock API: a scenario counts durations in seconds, the mock wants a
/// duration with its unit.
enum MockSwitches {
    /// Parameters of distributions that are no durations.
    private static let plainParameters = ["sigma", "shape"]

    /// As `PATCH /_mock/settings` takes them.
    static func json(_ settings: [MockSetting]) -> JSONValue {
        var members: JSONValue = [:]
        for setting in settings { members[setting.name] = value(setting) }
        return members
    }

    /// As the environment of `gatecrash mock` takes one.
    static func text(_ setting: MockSetting) -> String {
        let value = value(setting)
        return value.stringValue ?? value.description
    }

    private static func value(_ setting: MockSetting) -> JSONValue {
        setting.name == "LATENCY" ? latency(setting.value, key: "") : setting.value
    }

    private static func latency(_ value: JSONValue, key: String) -> JSONValue {
        switch value {
        case .object(let members):
            var named: JSONValue = [:]
            for (key, value) in members { named[key] = latency(value, key: key) }
            return named
        case .integer, .number:
            guard !plainParameters.contains(key) else { return value }
            return .string("\(Nanoseconds(seconds: value.doubleValue ?? 0).count)ns")
        case .null, .bool, .string, .array: return value
        }
    }
}

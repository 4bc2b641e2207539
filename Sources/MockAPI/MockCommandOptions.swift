// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// What `gatecrash mock` was asked for: flags first, then the environment, then defaults.
package struct MockCommandOptions: Hashable, Sendable {
    /// What it listens on; a name or a literal address. Other machines are let in only when asked (`0.0.0.0`).
    package var host = "127.0.0.1"
    /// 0 asks for a free one.
    package var port = 5000
    /// Names the random streams, so that the mocks of one seed draw differently.
    package var name = "api"
    /// Nil draws one.
    package var seed: UInt64?
    package var settings = MockSettings()
    /// Nil: plain text.
    package var tls: MockTLSOptions?
    /// Beside HTTP/1.1 it takes HTTP/2 with prior knowledge, in plain text.
    package var speaksHTTP2 = false

    /// The variables that are no settings, and their flags.
    package static let otherKeys: [(variable: String, flag: String)] = [
        ("HOST", "--host"), ("PORT", "--port"), ("GATECRASH_MOCK_NAME", "--name"), ("GATECRASH_SEED", "--seed"),
        ("HTTP2", "--http2"),
    ]

    package init() {}

    /// - Parameters:
    ///   - flags: texts by flag (`--error-rate`), those given only. `MockSettingKey.flag`, `otherKeys` and
    ///     `MockTLSOptions.keys` are understood.
    ///   - environment: all of it; other variables are ignored.
    /// - Throws: all mistakes at once, one line each.
    package init(flags: [String: String], environment: [String: String]) throws(Problems) {
        var problems = Problems()
        for key in MockSettingKey.allCases {
            do {
                if let text = flags[key.flag] {
                    try settings.set(key.rawValue, to: .string(text), from: .flag)
                } else if let text = environment[key.rawValue] {
                    try settings.set(key.rawValue, to: .string(text), from: .environment)
                }
            } catch {
                problems.add(error)
            }
        }
        for (variable, flag) in Self.otherKeys {
            let text = flags[flag] ?? environment[variable]
            let place = flags[flag] != nil ? flag : "environment variable \(variable)"
            guard let text else { continue }
            do { try set(variable, to: text, place) } catch { problems.add(error) }
        }
        var given: [String: (text: String, place: String)] = [:]
        for (variable, flag) in MockTLSOptions.keys {
            if let text = flags[flag] {
                given[variable] = (text, flag)
            } else if let text = environment[variable], !text.isEmpty {
                given[variable] = (text, "environment variable \(variable)")
            }
        }
        tls = MockTLSOptions.read(given, &problems)
        if speaksHTTP2, tls != nil {
            let place = flags["--http2"] == nil ? "environment variable HTTP2" : "--http2"
            problems.add(
                Problem(at: nil, "\(place): HTTP/2 is spoken in plain text only", advice: "leave out TLS or HTTP/2"))
        }
        guard problems.isEmpty else { throw problems }
    }

    private mutating func set(_ variable: String, to text: String, _ place: String) throws(Problem) {
        switch variable {
        case "HOST":
            guard !text.isEmpty, !text.contains(where: \.isWhitespace) else {
                throw Problem(
                    at: nil, "\(place): \"\(text)\" is no host", advice: "give one such as 127.0.0.1 or 0.0.0.0")
            }
            host = text
        case "PORT":
            guard let port = Int(text), (0...65535).contains(port) else {
                throw Problem(
                    at: nil, "\(place): \"\(text)\" is no port", advice: "give one from 0 (any free one) to 65535")
            }
            self.port = port
        case "GATECRASH_MOCK_NAME":
            guard !text.isEmpty else {
                throw Problem(at: nil, "\(place): the name is empty", advice: "give one such as api-1")
            }
            name = text
        case "HTTP2":
            guard let isOn = SettingText.isOn(text) else {
                throw Problem(at: nil, "\(place): \"\(text)\" is neither on nor off", advice: "give on or off")
            }
            speaksHTTP2 = isOn
        default:
            guard let seed = UInt64(text) else {
                throw Problem(
                    at: nil, "\(place): \"\(text)\" is no seed", advice: "give a whole number from 0 to \(UInt64.max)")
            }
            self.seed = seed
        }
    }
}

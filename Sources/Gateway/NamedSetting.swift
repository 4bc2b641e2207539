// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
import NIOCore
import World

/// A setting of kong.conf that the gateway has too: `upstream_keepalive_pool_size`, or a directive of nginx that Kong
/// injects, `nginx_http_client_max_body_size`. It comes from `--set NAME=VALUE` or from the variable `KONG_NAME`.
package struct NamedSetting: Sendable {
    package let name: String
    /// What may be written, for a person: "a size such as 8m".
    package let form: String
    /// Puts the value in; false when it cannot be read.
    private let apply: @Sendable (inout GatewaySettings, String) -> Bool

    fileprivate init(
        _ name: String, _ form: String, _ apply: @escaping @Sendable (inout GatewaySettings, String) -> Bool
    ) {
        (self.name, self.form, self.apply) = (name, form, apply)
    }

    package var variable: String { "KONG_\(name.uppercased())" }

    /// All of them. Directives of nginx_proxy_* come after their twins of nginx_http_*, because nginx lets the inner
    /// block win.
    package static let all: [NamedSetting] =
        pools + trust + encryption + process + directives("http") + directives("proxy")

    /// Takes settings over: flags first, then variables.
    ///
    /// - Parameter flags: `NAME=VALUE` as they were given.
    package static func read(
        flags: [String], environment: [String: String], into settings: inout GatewaySettings,
        _ problems: inout Problems
    ) {
        var given: [String: String] = [:]
        for flag in flags {
            let parts = flag.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, all.contains(where: { $0.name == parts[0].lowercased() }) else {
                let near = nearestKey(to: parts[0], among: all.map(\.name)).map { "did you mean \($0)?" }
                let (message, advice) =
                    parts.count == 2
                    ? ("no setting of that name", near ?? "the names are in docs/gateway-settings.md")
                    : ("not NAME=VALUE", "write --set nginx_http_client_max_body_size=8m")
                problems.add(Problem(at: nil, "--set \(flag): \(message)", advice: advice))
                continue
            }
            given[parts[0].lowercased()] = parts[1]
        }
        for setting in all {
            let flag = given[setting.name]
            guard let value = flag ?? environment[setting.variable], flag != nil || !value.isEmpty else { continue }
            let text = value.trimmingWhitespace()
            if setting.apply(&settings, text) { continue }
            let place = flag == nil ? "\(setting.variable)=\(value)" : "--set \(setting.name)=\(value)"
            problems.add(Problem(at: nil, "\(place): not a value it may have", advice: "write \(setting.form)"))
        }
    }
}

// MARK: The settings

extension NamedSetting {
    private static let pools: [NamedSetting] = [
        NamedSetting("upstream_keepalive_pool_size", "a number of connections, 0 for none") {
            set(&$0.pool.size, SettingText.number($1))
        },
        NamedSetting("upstream_keepalive_max_requests", "a number of requests, 0 for any") {
            set(&$0.pool.maximumRequests, SettingText.number($1).map { $0 == 0 ? .max : $0 })
        },
        NamedSetting("upstream_keepalive_idle_timeout", "a number of seconds, 0 for ever") {
            set(&$0.pool.idleTimeout, SettingText.duration($1).map { $0 == .zero ? nil : $0 })
        },
    ]

    private static let trust: [NamedSetting] = [
        NamedSetting("trusted_ips", "addresses and ranges such as 10.0.0.0/8,::1") { $0.trust.read($1) == nil },
        NamedSetting("real_ip_header", "the name of a field, or proxy_protocol") {
            guard !$1.isEmpty, !$1.contains(where: \.isWhitespace) else { return false }
            $0.trust.source = TrustedProxies.Source($1)
            return true
        },
        NamedSetting("real_ip_recursive", "on or off") { set(&$0.trust.isRecursive, SettingText.isOn($1)) },
    ]

    private static let encryption: [NamedSetting] = [
        NamedSetting("ssl_cipher_suite", "modern, intermediate, old or custom") {
            set(&$0.tls.suite, TLSSettings.Suite(rawValue: $1))
        },
        NamedSetting("ssl_protocols", versionsForm) { set(&$0.tls.customVersions, TLSVersions(listed: $1)) },
        NamedSetting("ssl_ciphers", "OpenSSL's names with colons between, such as ECDHE-RSA-AES256-GCM-SHA384") {
            guard let ciphers = TLSSettings.known(ciphers: $1) else { return false }
            $0.tls.customCiphers = ciphers
            return true
        },
        NamedSetting("lua_ssl_protocols", versionsForm) { set(&$0.tls.probeVersions, TLSVersions(listed: $1)) },
    ]

    private static let versionsForm = "TLSv1, TLSv1.1, TLSv1.2, TLSv1.3 without a gap, such as TLSv1.2 TLSv1.3"

    private static let process: [NamedSetting] = [
        NamedSetting("lua_max_req_headers", "a number of fields") {
            set(&$0.limits.fieldCount, SettingText.number($1), atLeast: 1)
        },
        NamedSetting("lua_max_resp_headers", "a number of fields") {
            set(&$0.responseLimits.fieldCount, SettingText.number($1), atLeast: 1)
        },
        NamedSetting("nginx_events_worker_connections", "a number of connections, 0 or auto for any") {
            set(&$0.connectionLimit, $1 == "auto" ? 0 : SettingText.number($1))
        },
        NamedSetting("nginx_main_worker_shutdown_timeout", "a time such as 10s") {
            set(&$0.drain, SettingText.duration($1))
        },
    ]

    /// The directives of nginx that mean the same in `nginx_http_…` and `nginx_proxy_…`.
    private static func directives(_ block: String) -> [NamedSetting] {
        func named(
            _ name: String, _ form: String, _ apply: @escaping @Sendable (inout GatewaySettings, String) -> Bool
        ) -> NamedSetting { NamedSetting("nginx_\(block)_\(name)", form, apply) }
        func timeout(
            _ name: String, _ path: any WritableKeyPath<GatewaySettings, TimeAmount> & Sendable
        ) -> NamedSetting {
            named(name, "a time such as 60s") {
                set(&$0[keyPath: path], SettingText.duration($1), atLeast: .milliseconds(1))
            }
        }
        return [
            named("client_max_body_size", "a size such as 8m, 0 for any") {
                set(&$0.bodyBytes, SettingText.size($1).map(Int64.init))
            },
            named("client_body_buffer_size", "a size such as 64k") {
                set(&$0.bufferedBodyBytes, SettingText.size($1))
            },
            named("client_body_temp_path", "a directory") {
                guard !$1.isEmpty, !$1.utf8.contains(0) else { return false }
                $0.spoolDirectory = $1
                return true
            },
            named("large_client_header_buffers", "a number and a size such as 4 8k") { settings, text in
                let words = text.split(separator: " ").map(String.init)
                guard words.count == 2, let count = SettingText.number(words[0]), (1...1024).contains(count),
                    let size = SettingText.size(words[1]), (64...(16 << 20)).contains(size)
                else { return false }
                (settings.limits.lineBytes, settings.limits.headBytes) = (size, count * size)
                return true
            },
            // Beyond 128k a slow client would hold more than 256 KiB with what is on its way to it.
            named("proxy_buffers", "a number and a size such as 8 8k, at most 128k together") { settings, text in
                let words = text.split(separator: " ").map(String.init)
                guard words.count == 2, let count = SettingText.number(words[0]), (2...1024).contains(count),
                    let size = SettingText.size(words[1]), (1...(128 << 10)).contains(size),
                    count * size <= 128 << 10
                else { return false }
                settings.responseBufferBytes = count * size
                return true
            },
            named("keepalive_requests", "a number of requests, 0 for any") {
                set(&$0.limits.requestsPerConnection, SettingText.number($1).map { $0 == 0 ? .max : $0 })
            },
            named("proxy_ssl_protocols", versionsForm) {
                set(&$0.tls.upstreamVersions, TLSVersions(listed: $1))
            },
            timeout("client_header_timeout", \.timeouts.head), timeout("client_body_timeout", \.timeouts.body),
            timeout("send_timeout", \.timeouts.send), timeout("keepalive_timeout", \.timeouts.idle),
            timeout("lingering_timeout", \.timeouts.linger),
        ]
    }

    private static func set<Value: Comparable>(_ place: inout Value, _ value: Value?, atLeast least: Value) -> Bool {
        guard let value, value >= least else { return false }
        place = value
        return true
    }

    private static func set<Value>(_ place: inout Value, _ value: Value?) -> Bool {
        guard let value else { return false }
        place = value
        return true
    }
}

/// Values as nginx and kong.conf write them.
private enum SettingText {
    /// `512`; not negative, and small enough for any sum of them.
    static func number(_ text: String) -> Int? {
        guard (1...9).contains(text.utf8.count), text.utf8.allSatisfy(\.isASCIIDigit) else { return nil }
        return Int(text)
    }

    /// Bytes: `8192`, `8k`, `8m`, `8g`.
    static func size(_ text: String) -> Int? {
        let shifts: [Character: Int] = ["k": 10, "m": 20, "g": 30]
        let shift = text.lowercased().last.flatMap { shifts[$0] }
        return number(shift == nil ? text : String(text.dropLast())).map { $0 << (shift ?? 0) }
    }

    /// `60`, `60s`, `500ms`, `2m`, `1h`.
    static func duration(_ text: String) -> TimeAmount? {
        let units: [(String, Int64)] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)]
        let unit = units.first { text.hasSuffix($0.0) }
        return number(String(text.dropLast(unit?.0.count ?? 0))).map { .milliseconds(Int64($0) * (unit?.1 ?? 1000)) }
    }

    static func isOn(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "on", "true", "yes", "1": true
        case "off", "false", "no", "0": false
        default: nil
        }
    }
}

extension String {
    fileprivate func trimmingWhitespace() -> String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}

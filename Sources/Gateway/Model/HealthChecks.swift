// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
package import NIOCore

/// The `healthchecks` record of an upstream (kong/db/schema/entities/upstreams.lua). It says what a checker does; it
/// holds no state.
package struct HealthChecks: Hashable, Sendable {
    /// Percent of the total weight, 0...100, that must be exceeded for the upstream to get traffic.
    package var threshold: Double
    package var active: Active
    package var passive: Passive

    /// What a probe speaks. Kong's library knows http, https and tcp; the schema admits grpc and grpcs as well.
    package enum Kind: String, Hashable, Sendable, CaseIterable { case http, https, tcp, grpc, grpcs }

    /// Probes that the gateway sends.
    package struct Active: Hashable, Sendable {
        package var type: Kind
        /// Applied to connecting, sending and receiving, each by itself.
        package var timeout: TimeAmount
        /// How many probes of one pass run at once.
        package var concurrency: Int
        package var httpPath: String
        package var httpsSNI: String?
        package var httpsVerifyCertificate: Bool
        package var headers: [Header]
        package var healthy: ActiveHealthy
        package var unhealthy: ActiveUnhealthy
    }

    /// One name of `active.headers` with all of its values; the probe sends one line a value.
    package struct Header: Hashable, Sendable {
        package var name: String
        package var values: [String]

        package init(name: String, values: [String]) {
            self.name = name
            self.values = values
        }
    }

    package struct ActiveHealthy: Hashable, Sendable {
        /// Between the starts of two passes over the routable addresses; zero is off.
        package var interval: TimeAmount
        package var httpStatuses: [Int]
        package var successes: Int
    }

    package struct ActiveUnhealthy: Hashable, Sendable {
        /// Between the starts of two passes over the addresses that are not routable; zero is off.
        package var interval: TimeAmount
        package var httpStatuses: [Int]
        package var tcpFailures: Int
        package var timeouts: Int
        package var httpFailures: Int
    }

    /// Judging the traffic that is proxied anyway.
    package struct Passive: Hashable, Sendable {
        package var type: Kind
        package var healthy: PassiveHealthy
        package var unhealthy: PassiveUnhealthy
    }

    package struct PassiveHealthy: Hashable, Sendable {
        package var httpStatuses: [Int]
        package var successes: Int
    }

    package struct PassiveUnhealthy: Hashable, Sendable {
        package var httpStatuses: [Int]
        package var tcpFailures: Int
        package var timeouts: Int
        package var httpFailures: Int
    }

    /// What an upstream has whose `healthchecks` were never set: all checks off.
    package static let kongDefaults = HealthChecks(
        threshold: 0,
        active: Active(
            type: .http, timeout: .seconds(1), concurrency: 10, httpPath: "/", httpsSNI: nil,
            httpsVerifyCertificate: true, headers: [],
            healthy: ActiveHealthy(interval: .zero, httpStatuses: [200, 302], successes: 0),
            unhealthy: ActiveUnhealthy(
                interval: .zero, httpStatuses: [429, 404, 500, 501, 502, 503, 504, 505], tcpFailures: 0, timeouts: 0,
                httpFailures: 0)),
        passive: Passive(
            type: .http,
            healthy: PassiveHealthy(httpStatuses: Array(200...208) + [226] + Array(300...308), successes: 0),
            unhealthy: PassiveUnhealthy(httpStatuses: [429, 500, 503], tcpFailures: 0, timeouts: 0, httpFailures: 0)))
}

// MARK: Reading

extension HealthChecks {
    /// - Parameter json: a valid `healthchecks` record, as the Admin API answers it. What is absent or null takes
    ///   Kong's default, so that a record that was not filled reads the same.
    package init(json: JSONValue) {
        self = .kongDefaults
        threshold = json["threshold"]?.doubleValue ?? threshold
        if let record = json["active"] { active.read(record) }
        if let record = json["passive"] { passive.read(record) }
    }
}

extension HealthChecks.Active {
    fileprivate mutating func read(_ json: JSONValue) {
        type = json.kind("type") ?? type
        timeout = json.seconds("timeout") ?? timeout
        concurrency = json["concurrency"]?.intValue ?? concurrency
        httpPath = json["http_path"]?.stringValue ?? httpPath
        httpsSNI = json["https_sni"]?.stringValue
        httpsVerifyCertificate = json["https_verify_certificate"]?.boolValue ?? httpsVerifyCertificate
        headers = (json["headers"]?.objectValue ?? [:]).map { name, values in
            HealthChecks.Header(name: name, values: (values.arrayValue ?? [values]).compactMap(\.stringValue))
        }
        if let record = json["healthy"] {
            healthy.interval = record.seconds("interval") ?? healthy.interval
            healthy.httpStatuses = record.integers("http_statuses") ?? healthy.httpStatuses
            healthy.successes = record["successes"]?.intValue ?? healthy.successes
        }
        if let record = json["unhealthy"] {
            unhealthy.interval = record.seconds("interval") ?? unhealthy.interval
            unhealthy.httpStatuses = record.integers("http_statuses") ?? unhealthy.httpStatuses
            unhealthy.tcpFailures = record["tcp_failures"]?.intValue ?? unhealthy.tcpFailures
            unhealthy.timeouts = record["timeouts"]?.intValue ?? unhealthy.timeouts
            unhealthy.httpFailures = record["http_failures"]?.intValue ?? unhealthy.httpFailures
        }
    }
}

extension HealthChecks.Passive {
    fileprivate mutating func read(_ json: JSONValue) {
        type = json.kind("type") ?? type
        if let record = json["healthy"] {
            healthy.httpStatuses = record.integers("http_statuses") ?? healthy.httpStatuses
            healthy.successes = record["successes"]?.intValue ?? healthy.successes
        }
        if let record = json["unhealthy"] {
            unhealthy.httpStatuses = record.integers("http_statuses") ?? unhealthy.httpStatuses
            unhealthy.tcpFailures = record["tcp_failures"]?.intValue ?? unhealthy.tcpFailures
            unhealthy.timeouts = record["timeouts"]?.intValue ?? unhealthy.timeouts
            unhealthy.httpFailures = record["http_failures"]?.intValue ?? unhealthy.httpFailures
        }
    }
}

extension JSONValue {
    fileprivate func kind(_ key: String) -> HealthChecks.Kind? {
        self[key]?.stringValue.flatMap(HealthChecks.Kind.init(rawValue:))
    }

    /// Seconds, also a fraction of one; nil when there is no number that nanoseconds can hold.
    fileprivate func seconds(_ key: String) -> TimeAmount? {
        guard let seconds = self[key]?.doubleValue else { return nil }
        return Int64(exactly: (seconds * 1_000_000_000).rounded()).map { .nanoseconds($0) }
    }

    fileprivate func integers(_ key: String) -> [Int]? { self[key]?.arrayValue?.compactMap(\.intValue) }
}

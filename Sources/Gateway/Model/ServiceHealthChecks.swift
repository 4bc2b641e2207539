// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
import OrderedCollections

/// Health checks written on a service, which Kong does not have: the walk-through of many tutorials. They are kept and
/// shown as they were sent, and translated to the checks of an upstream.
///
/// | on the service | on an upstream |
/// |---|---|
/// | `active.interval` | `active.healthy.interval` and `active.unhealthy.interval` |
/// | `active.unhealthy.failures` | `http_failures`, `tcp_failures` and `timeouts` of `active.unhealthy` |
/// | `active.https_path`, `active.http_path` | `active.http_path`; the one that fits the probe's scheme wins |
/// | `active.type`, not given | the scheme of the service |
/// | `passive.healthy.interval` | nothing: passive checks have no timer |
/// | `passive.healthy.successes`, not given beside other `passive.healthy` keys | 1 |
///
/// What is written in an upstream's own words (`active.healthy.interval`) wins over the shorter form. The last row
/// keeps what these tutorials promise, *consecutive* failures: with Kong's default of 0 a success clears nothing.
package struct ServiceHealthChecks: Hashable, Sendable {
    /// As it was sent: a record of `RecordSchema.serviceHealthChecks`.
    package var record: JSONValue

    package init(record: JSONValue) { self.record = record }

    /// A complete and valid `healthchecks` record of an upstream.
    ///
    /// - Parameter proto: what the service speaks, for probes that do not say their type.
    package func translated(for proto: ServiceProtocol) -> JSONValue {
        var sparse: OrderedDictionary<String, JSONValue> = [:]
        if let threshold = given("threshold") { sparse["threshold"] = threshold }
        sparse["active"] = .object(active(for: proto))
        sparse["passive"] = .object(passive)
        return RecordSchema.healthChecks.completed(.object(sparse))
    }

    private func active(for proto: ServiceProtocol) -> OrderedDictionary<String, JSONValue> {
        var active = kept("active", except: ["interval", "https_path", "http_path", "healthy", "unhealthy"])
        let type = active["type"] ?? Self.probeType(for: proto)
        active["type"] = type
        let paths = type == "https" ? ["https_path", "http_path"] : ["http_path", "https_path"]
        active["http_path"] = paths.lazy.compactMap { given("active", $0) }.first

        var healthy = kept("active", "healthy")
        var unhealthy = kept("active", "unhealthy", except: ["failures"])
        if let interval = given("active", "interval") {
            healthy["interval"] = healthy["interval"] ?? interval
            unhealthy["interval"] = unhealthy["interval"] ?? interval
        }
        if let failures = given("active", "unhealthy", "failures") {
            for counter in ["http_failures", "tcp_failures", "timeouts"] {
                unhealthy[counter] = unhealthy[counter] ?? failures
            }
        }
        active["healthy"] = .object(healthy)
        active["unhealthy"] = .object(unhealthy)
        return active
    }

    private var passive: OrderedDictionary<String, JSONValue> {
        var passive = kept("passive", except: ["healthy", "unhealthy"])
        var healthy = kept("passive", "healthy")
        if !healthy.isEmpty { healthy["successes"] = healthy["successes"] ?? 1 }
        healthy["interval"] = nil
        passive["healthy"] = .object(healthy)
        passive["unhealthy"] = .object(kept("passive", "unhealthy"))
        return passive
    }

    /// A service that speaks no HTTP can only be probed for a connection.
    private static func probeType(for proto: ServiceProtocol) -> JSONValue {
        switch proto {
        case .http: "http"
        case .https: "https"
        case .grpc, .grpcs, .tcp, .tls, .tlsPassthrough, .udp: "tcp"
        }
    }

    /// What was said and has no effect.
    package var warnings: [String] {
        guard given("passive", "healthy", "interval") != nil else { return [] }
        return ["healthchecks.passive.healthy.interval has no effect: passive checks have no timer; remove it"]
    }

    /// A value that was sent and is not null.
    private func given(_ path: String...) -> JSONValue? {
        var value: JSONValue? = record
        for key in path { value = value?[key] }
        return value == .null ? nil : value
    }

    /// The members of a record that are not null.
    private func kept(_ path: String..., except left: [String] = []) -> OrderedDictionary<String, JSONValue> {
        var value: JSONValue? = record
        for key in path { value = value?[key] }
        return (value?.objectValue ?? [:]).filter { !$0.value.isNull && !left.contains($0.key) }
    }
}

extension RecordSchema {
    /// The `healthchecks` of a service: those of an upstream and the tutorials' keys, all of them optional.
    static let serviceHealthChecks = makeServiceHealthChecks()

    private static func makeServiceHealthChecks() -> RecordSchema {
        var schema = healthChecks
        schema.change("active") { active in
            active.fields["https_path"] = .string(TextRules.path)
            active.fields["interval"] = HealthFields.seconds(0)
            active.change("unhealthy") { $0.fields["failures"] = HealthFields.count }
        }
        schema.change("passive") { passive in
            passive.change("healthy") { $0.fields["interval"] = HealthFields.seconds(0) }
        }
        return schema.sparse
    }

    /// Changes the schema of a field that is a record.
    private mutating func change(_ name: String, _ change: (inout RecordSchema) -> Void) {
        guard case .record(var schema) = fields[name]?.kind else { preconditionFailure("'\(name)' is no record") }
        change(&schema)
        fields[name]?.kind = .record(schema)
    }

    /// The same fields and rules, but nothing is required and nothing is filled in.
    private var sparse: RecordSchema {
        var schema = self
        schema.isSparse = true
        schema.fields = fields.mapValues { field in
            var field = field
            field.isRequired = false
            if case .record(let inner) = field.kind { field.kind = .record(inner.sparse) }
            return field
        }
        return schema
    }
}

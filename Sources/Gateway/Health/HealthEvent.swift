// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
package import NIOCore

/// What the gateway tells whoever listens to `GET /events`.
package enum GatewayEvent: Hashable, Sendable {
    case health(HealthEvent)
    case probe(ProbeEvent)
    case attempt(AttemptEvent)
    case config(ConfigEvent)

    /// - Parameters:
    ///   - t: nanoseconds of the monotonic clock.
    ///   - seq: number of the event, from 1.
    package func json(t: UInt64, seq: Int) -> JSONValue {
        switch self {
        case .health(let event): event.json(t: t, seq: seq)
        case .probe(let event): event.json(t: t, seq: seq)
        case .attempt(let event): event.json(t: t, seq: seq)
        case .config(let event): event.json(t: t, seq: seq)
        }
    }
}

/// The state or the counters of an address changed; also when the state stayed the same, so that a reader sees why a
/// later one changes it.
package struct HealthEvent: Hashable, Sendable {
    package enum Cause: String, Hashable, Sendable { case active, passive, manual }

    package var upstream: String
    package var target: String
    /// `ip:port`.
    package var address: String
    package var change: HealthMachine.Change
    package var cause: Cause
    /// The HTTP status behind the report, if one was.
    package var status: Int?

    package func json(t: UInt64, seq: Int) -> JSONValue {
        let counters = change.counters
        return [
            "t": .integer(Int(t)), "seq": .integer(seq), "kind": "health", "upstream": .string(upstream),
            "target": .string(target), "address": .string(address), "from": .string(change.from.rawValue),
            "to": .string(change.to.rawValue), "cause": .string(cause.rawValue),
            "report": .optional(change.report?.rawValue), "status": .optional(status),
            "counters": [
                "success": .integer(counters.success), "http": .integer(counters.http), "tcp": .integer(counters.tcp),
                "timeout": .integer(counters.timeout),
            ],
            "limit": .optional(change.limit), "routable": .bool(change.to.isRoutable),
        ]
    }
}

/// A probe ended.
package struct ProbeEvent: Hashable, Sendable {
    package enum Result: String, Hashable, Sendable {
        case success, timeout, ignored
        case httpFailure = "http_failure"
        case tcpFailure = "tcp_failure"
    }

    package var upstream: String
    package var target: String
    package var address: String
    package var started: NIODeadline
    package var result: Result
    package var status: Int?
    /// What went wrong, in words.
    package var detail: String?
    package var mode: ProbeSchedule.Mode

    package func json(t: UInt64, seq: Int) -> JSONValue {
        [
            "t": .integer(Int(t)), "seq": .integer(seq), "kind": "probe", "upstream": .string(upstream),
            "target": .string(target), "address": .string(address),
            "started": .integer(Int(started.uptimeNanoseconds)), "result": .string(result.rawValue),
            "status": .optional(status), "detail": .optional(detail), "mode": .string(mode.rawValue),
        ]
    }
}

/// A try of a proxied request was reported and counted.
package struct AttemptEvent: Hashable, Sendable {
    package var upstream: String
    package var target: String
    package var address: String
    package var label: AttemptLabel
    package var outcome: PassiveOutcome

    package init(
        upstream: String, target: String, address: String, label: AttemptLabel, outcome: PassiveOutcome
    ) {
        self.upstream = upstream
        self.target = target
        self.address = address
        self.label = label
        self.outcome = outcome
    }

    package func json(t: UInt64, seq: Int) -> JSONValue {
        let (result, status): (JSONValue, Int?) =
            switch outcome {
            case .httpStatus(let status): ("http_status", status)
            case .tcpFailure: ("tcp_failure", nil)
            case .timeout: ("timeout", nil)
            }
        return [
            "t": .integer(Int(t)), "seq": .integer(seq), "kind": "attempt", "upstream": .string(upstream),
            "target": .string(target), "address": .string(address), "request": .string(label.request),
            "chaos": .optional(label.chaos), "result": result, "status": .optional(status),
        ]
    }
}

/// Another configuration took effect.
package struct ConfigEvent: Hashable, Sendable {
    package enum Source: String, Hashable, Sendable { case admin, file, reload }

    /// Counts the configurations from 1.
    package var version: Int
    package var services: Int
    package var routes: Int
    package var upstreams: Int
    package var targets: Int
    package var hash: String
    package var source: Source

    package init(version: Int, configuration: Configuration, source: Source) {
        self.version = version
        services = configuration.services.count
        routes = configuration.routes.count
        upstreams = configuration.upstreams.count
        targets = configuration.targets.count
        hash = configuration.hash
        self.source = source
    }

    package func json(t: UInt64, seq: Int) -> JSONValue {
        [
            "t": .integer(Int(t)), "seq": .integer(seq), "kind": "config", "version": .integer(version),
            "services": .integer(services), "routes": .integer(routes), "upstreams": .integer(upstreams),
            "targets": .integer(targets), "hash": .string(hash), "source": .string(source.rawValue),
        ]
    }
}

extension JSONValue {
    fileprivate static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
    fileprivate static func optional(_ number: Int?) -> JSONValue { number.map { .integer($0) } ?? .null }
}

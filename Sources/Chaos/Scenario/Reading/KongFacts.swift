// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import OrderedCollections

/// What a scenario needs to know of a Kong document: its upstreams with Kong's defaults filled in, and the hosts its
/// services name directly. It is lenient: whether the document is right is for the gateway's own reader to say.
struct KongFacts {
    struct Host: Hashable {
        var name: String
        var port: Int
    }

    var upstreams: [UpstreamFacts] = []
    /// Hosts of services that are no upstreams.
    var hosts: [Host] = []

    init(_ document: JSONValue) {
        let flatTargets = document["targets"]?.arrayValue ?? []
        for upstream in document["upstreams"]?.arrayValue ?? [] {
            guard let name = upstream["name"]?.stringValue else { continue }
            let own = (upstream["targets"]?.arrayValue ?? []) + flatTargets.filter { Self.belongs($0, to: upstream) }
            let checks = Self.merge(Self.kongDefaults, with: upstream["healthchecks"])
            upstreams.append(UpstreamFacts(name: name, targets: own.compactMap(Self.target), healthChecks: checks))
        }
        for service in document["services"]?.arrayValue ?? [] { addHost(of: service) }
    }

    /// A flat target names its upstream by name or id, as text or as `{ id: … }` or `{ name: … }`.
    private static func belongs(_ target: JSONValue, to upstream: JSONValue) -> Bool {
        let reference = target["upstream"]
        let text = reference?.stringValue ?? reference?["name"]?.stringValue ?? reference?["id"]?.stringValue
        return text != nil && (text == upstream["name"]?.stringValue || text == upstream["id"]?.stringValue)
    }

    private static func target(_ json: JSONValue) -> UpstreamFacts.Target? {
        guard let text = json["target"]?.stringValue, !text.isEmpty else { return nil }
        let (host, port) = split(text, defaultPort: 8000)
        return UpstreamFacts.Target(
            target: "\(host):\(port)", host: host, port: port, weight: json["weight"]?.intValue ?? 100)
    }

    /// `host:port`; Kong's default port of a target is 8000 (kong/tools/ip.lua).
    private static func split(_ text: String, defaultPort: Int) -> (host: String, port: Int) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { return (text, defaultPort) }
        return (String(text[..<colon]), port)
    }

    private mutating func addHost(of service: JSONValue) {
        guard let host = Self.host(of: service) else { return }
        if let checks = service["healthchecks"], upstreams.allSatisfy({ $0.name != host.name }) {
            // The short form on a service: an upstream of its own with one target.
            let name = service["name"]?.stringValue ?? service["id"]?.stringValue ?? host.name
            let text = "\(host.name):\(host.port)"
            let target = UpstreamFacts.Target(target: text, host: host.name, port: host.port, weight: 100)
            let full = Self.merge(Self.kongDefaults, with: Self.translateShortForm(checks))
            upstreams.append(UpstreamFacts(name: name, targets: [target], healthChecks: full))
        } else if upstreams.allSatisfy({ $0.name != host.name }), !hosts.contains(host) {
            hosts.append(host)
        }
    }

    private static func host(of service: JSONValue) -> Host? {
        if let name = service["host"]?.stringValue {
            return Host(name: name, port: service["port"]?.intValue ?? 80)
        }
        guard let url = service["url"]?.stringValue, let scheme = url.firstRange(of: "://") else { return nil }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        let (name, port) = split(String(authority), defaultPort: url.hasPrefix("https") ? 443 : 80)
        return Host(name: name, port: port)
    }

    // MARK: Defaults

    private static func merge(_ base: JSONValue, with change: JSONValue?) -> JSONValue {
        guard let change, !change.isNull else { return base }
        guard case .object(var members) = base, case .object(let changes) = change else { return change }
        for (key, value) in changes { members[key] = merge(members[key] ?? .null, with: value) }
        return .object(members)
    }

    /// kong/db/schema/entities/upstreams.lua.
    static let kongDefaults: JSONValue = [
        "threshold": 0,
        "active": [
            "type": "http", "timeout": 1, "concurrency": 10, "http_path": "/", "https_verify_certificate": true,
            "healthy": ["interval": 0, "http_statuses": [200, 302], "successes": 0],
            "unhealthy": [
                "interval": 0, "http_statuses": [429, 404, 500, 501, 502, 503, 504, 505], "tcp_failures": 0,
                "timeouts": 0, "http_failures": 0,
            ],
        ],
        "passive": [
            "type": "http",
            "healthy": [
                "http_statuses": [
                    200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308,
                ], "successes": 0,
            ],
            "unhealthy": [
                "http_statuses": [429, 500, 503], "tcp_failures": 0, "timeouts": 0, "http_failures": 0,
            ],
        ],
    ]

    /// `active.interval` stands for both intervals, `unhealthy.failures` for all three limits; a configured
    /// `passive.healthy` clears the failures with each success.
    private static func translateShortForm(_ checks: JSONValue) -> JSONValue {
        var checks = checks
        if let interval = checks["active"]?["interval"] {
            var active: JSONValue = checks["active"] ?? [:]
            for side in ["healthy", "unhealthy"] {
                var part: JSONValue = active[side] ?? [:]
                if part["interval"] == nil { part["interval"] = interval }
                active[side] = part
            }
            active["interval"] = nil
            checks["active"] = active
        }
        for side in ["active", "passive"] {
            guard var part = checks[side] else { continue }
            if let failures = part["unhealthy"]?["failures"], var unhealthy = part["unhealthy"] {
                for key in ["http_failures", "tcp_failures", "timeouts"] where unhealthy[key] == nil {
                    unhealthy[key] = failures
                }
                unhealthy["failures"] = nil
                part["unhealthy"] = unhealthy
            }
            if side == "passive", var healthy = part["healthy"], healthy["successes"] == nil {
                healthy["successes"] = 1
                part["healthy"] = healthy
            }
            checks[side] = part
        }
        return checks
    }
}

extension GatewayNode {
    /// Upstreams of its document and of those that steps load later; one of a name may be there several times, with
    /// other targets.
    package var everyUpstream: [UpstreamFacts] {
        upstreams + laterDocuments.flatMap { KongFacts($0).upstreams }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension AdminAPI {
    func upstreamHealth(_ name: String, _ query: [FormArgument]) throws(AdminRefusal) -> AdminResponse {
        let row = try row(.upstreams, name)
        let id = try id(of: row)
        return try healthAnswer(
            upstream: id, store.targetsNewestFirst(of: id), path: "/upstreams/\(name)/health", query)
    }

    /// The health of what balances a service: its implicit upstream, or the upstream its host names.
    func serviceHealth(_ name: String, _ query: [FormArgument]) throws(AdminRefusal) -> AdminResponse {
        let row = try row(.services, name)
        let path = "/services/\(name)/health"
        if let implicit = store.implicitUpstream(ofService: row) {
            let service = Service(json: RecordSchema.service.withoutNulls(row))
            let target = store.implicitTargetRow(of: service, upstreamID: implicit.upstream.id)
            return try healthAnswer(upstream: implicit.upstream.id, [target], path: path, query)
        }
        if let host = row["host"]?.stringValue, let upstream = store.row(.upstreams, idOrName: host),
            upstream["name"] == .string(host)
        {
            let id = try id(of: upstream)
            return try healthAnswer(upstream: id, store.targetsNewestFirst(of: id), path: path, query)
        }
        throw AdminRefusal(
            404,
            "the service '\(name)' has no health checks: PATCH healthchecks on it, or let its host be an upstream")
    }

    private func healthAnswer(
        upstream id: String, _ rows: [JSONValue], path: String, _ query: [FormArgument]
    ) throws(AdminRefusal) -> AdminResponse {
        let health = health(ofUpstream: id)
        var answer: JSONValue
        if query.first("balancer_health") == "1" {
            answer = ["data": health.map { HealthAnswer.balancer($0, id: id) } ?? [:], "next": .null]
        } else {
            answer = try numberedPage(path, rows, query)
            let page = answer["data"]?.arrayValue ?? []
            answer["data"] = .array(page.map { row in health.map { HealthAnswer.target(row, $0) } ?? row })
        }
        answer["node_id"] = .string(nodeID)
        return AdminResponse(200, answer)
    }

    /// `PUT …/healthy` and `…/unhealthy`: in force at once, also without a database.
    func setManually(
        _ isHealthy: Bool, upstream: String, target: String, address: String?
    ) throws(AdminRefusal) -> AdminResponse {
        let upstreamRow = try row(.upstreams, upstream)
        let targetRow = try self.target(target, ofUpstream: upstream)
        let name = upstreamRow["name"]?.stringValue ?? upstream
        var wanted: String?
        if let address {
            guard let parsed = try? HostAddress(address) else {
                throw AdminRefusal(400, "invalid address '\(address)'")
            }
            wanted = parsed.text(defaultPort: RecordSchema.defaultTargetPort)
        }
        let result = setHealth(
            isHealthy, upstream: try id(of: upstreamRow), target: try id(of: targetRow), address: wanted)
        switch result {
        case .done: return AdminResponse(204)
        case .noBalancer: throw AdminRefusal(400, "Upstream \(name) has no balancer")
        case .noChecker: throw AdminRefusal(400, "no healthchecker found for \(name)")
        case .unknownAddress: throw AdminRefusal(400, "target not found: '\(address ?? target)' of \(name)")
        }
    }
}

/// Health in the shape of Kong's answers (kong/api/routes/upstreams.lua, kong/runloop/balancer/init.lua).
enum HealthAnswer {
    /// A target's row with `health` and `data`.
    static func target(_ row: JSONValue, _ upstream: UpstreamHealth) -> JSONValue {
        var row = row
        // A target that the balancer does not know yet is one whose name did not resolve yet.
        let found = upstream.targets.first { $0.targetID == row["id"]?.stringValue }
        row["health"] = .string((found?.health ?? .dnsError).rawValue)
        if let found {
            row["data"] = data(found) { ("health", .string($0.health.rawValue)) }
        }
        return row
    }

    /// The whole balancer: `?balancer_health=1`.
    static func balancer(_ health: UpstreamHealth, id: String) -> JSONValue {
        let state: HealthStatus = health.isHealthy ? .healthy : .unhealthy
        return [
            "id": .string(id), "balancer_health": .string(state.rawValue),
            "health": .string((health.checksOn ? state : .checksOff).rawValue),
            "details": [
                "healthy": .bool(health.isHealthy), "weight": weight(health.weight),
                "hosts": .array(health.targets.map { data($0) { ("healthy", .bool($0.isAvailable)) } }),
            ],
        ]
    }

    private static func data(
        _ target: TargetHealth, state: (AddressHealthView) -> (String, JSONValue)
    ) -> JSONValue {
        let addresses = target.addresses.map { address -> JSONValue in
            var shown: JSONValue = [
                "ip": .string(address.ip), "port": .integer(address.port), "weight": .integer(address.weight),
            ]
            let (key, value) = state(address)
            shown[key] = value
            return shown
        }
        return [
            "host": .string(target.host), "port": .integer(target.port), "dns": .string(target.dns),
            "nodeWeight": .integer(target.nodeWeight), "weight": weight(target.weight),
            "addresses": .array(addresses),
        ]
    }

    private static func weight(_ weight: HealthWeight) -> JSONValue {
        [
            "total": .integer(weight.total), "available": .integer(weight.available),
            "unavailable": .integer(weight.unavailable),
        ]
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// What the gateway says of itself (kong/api/routes/kong.lua and health.lua).
extension AdminAPI {
    var information: JSONValue {
        [
            "tagline": "Welcome to kong", "version": .string(Self.version), "edition": "community",
            "hostname": .string(settings.hostname), "node_id": .string(nodeID), "lua_version": "none",
            "timers": ["running": 0, "pending": 0],
            "plugins": ["available_on_server": [:], "enabled_in_cluster": []],
            "configuration": settings.shown, "pids": ["master": .integer(settings.processID), "workers": []],
        ]
    }

    func status(_ query: [FormArgument]) throws(AdminRefusal) -> JSONValue {
        if let unit = query.first("unit")?.stringValue, !["b", "k", "m", "g"].contains(unit.lowercased()) {
            throw AdminRefusal(400, "invalid unit '\(unit)' (expected 'k/K', 'm/M', or 'g/G')")
        }
        let status = serverStatus
        var answer: JSONValue = [
            "memory": ["lua_shared_dicts": [:], "workers_lua_vms": []],
            "server": [
                "connections_accepted": .integer(status.connectionsAccepted),
                "connections_active": .integer(status.connectionsActive),
                "connections_handled": .integer(status.connectionsHandled),
                "connections_reading": .integer(status.connectionsReading),
                "connections_waiting": .integer(status.connectionsWaiting),
                "connections_writing": .integer(status.connectionsWriting),
                "total_requests": .integer(status.totalRequests),
            ],
        ]
        if settings.isDatabaseless {
            answer["configuration_hash"] = .string(store.hash)
        } else {
            answer["database"] = ["reachable": true]
        }
        return answer
    }

    /// All tags, or the entities that have one.
    func tags(_ query: [FormArgument], only wanted: String?) throws(AdminRefusal) -> JSONValue {
        var rows: [JSONValue] = []
        for kind in EntityKind.allCases {
            for row in store.rows(kind) {
                for tag in row["tags"]?.arrayValue ?? [] where wanted == nil || tag == .string(wanted ?? "") {
                    rows.append(["entity_name": .string(kind.rawValue), "entity_id": row["id"] ?? .null, "tag": tag])
                }
            }
        }
        return try numberedPage(wanted.map { "/tags/\(URLText.encoded($0))" } ?? "/tags", rows, query)
    }

    static let endpoints: JSONValue = [
        "data": [
            "/", "/ca_certificates", "/ca_certificates/{ca_certificates}", "/certificates",
            "/certificates/{certificates}", "/certificates/{certificates}/services",
            "/certificates/{certificates}/snis", "/certificates/{certificates}/snis/{snis}",
            "/certificates/{certificates}/upstreams", "/config", "/endpoints", "/events", "/metrics", "/routes",
            "/routes/{routes}",
            "/routes/{routes}/service",
            "/services", "/services/{services}", "/services/{services}/client_certificate",
            "/services/{services}/health", "/services/{services}/routes",
            "/services/{services}/routes/{routes}", "/snis", "/snis/{snis}", "/snis/{snis}/certificate", "/status",
            "/tags", "/tags/{tags}", "/upstreams",
            "/upstreams/{upstreams}", "/upstreams/{upstreams}/client_certificate", "/upstreams/{upstreams}/health",
            "/upstreams/{upstreams}/targets",
            "/upstreams/{upstreams}/targets/all", "/upstreams/{upstreams}/targets/{targets}",
            "/upstreams/{upstreams}/targets/{targets}/healthy", "/upstreams/{upstreams}/targets/{targets}/unhealthy",
            "/upstreams/{upstreams}/targets/{targets}/{address}/healthy",
            "/upstreams/{upstreams}/targets/{targets}/{address}/unhealthy",
        ]
    ]
}

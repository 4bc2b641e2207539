// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
import OrderedCollections

extension EntityStore {
    /// The typed configuration of these rows: services, routes and upstreams in the order of their ids, targets in the
    /// order they were made (which fills the wheel of a balancer).
    package func configuration() -> Configuration {
        var services: [Service] = []
        var upstreams = rows(.upstreams).map { Upstream(json: RecordSchema.upstream.withoutNulls($0)) }
        var targets = self[table: .targets].inOrderOfCreation.map {
            Target(json: RecordSchema.target.withoutNulls($0))
        }
        for row in rows(.services) {
            var service = Service(json: RecordSchema.service.withoutNulls(row))
            if let implicit = implicitUpstream(ofService: row) {
                service.healthchecks = implicit.upstream.healthchecks
                service.upstreamID = implicit.upstream.id
                upstreams.append(implicit.upstream)
                targets.append(implicit.target)
            } else {
                service.upstreamID = self[table: .upstreams].id(ofKey: service.host)
            }
            services.append(service)
        }
        let routes = rows(.routes).map { Route(json: RecordSchema.route.withoutNulls($0)) }
        var configuration = Configuration(
            services: services, routes: routes, upstreams: upstreams, targets: targets, hash: hash)
        configuration.tls = tlsMaterial
        return configuration
    }

    private var tlsMaterial: TLSMaterial {
        var material = TLSMaterial()
        material.certificates = rows(.certificates).map { TLSMaterial.Certificate(json: $0) }
        for row in rows(.snis) {
            guard let name = row["name"]?.stringValue else { continue }
            material.serverNames[name.lowercased()] = row["certificate"]?["id"]?.stringValue
        }
        for row in rows(.caCertificates) {
            guard let id = row["id"]?.stringValue else { continue }
            material.authorities[id] = row["cert"]?.stringValue
        }
        return material
    }

    /// The upstream and the target that stand for a service with health checks of its own, or nil.
    ///
    /// Both have ids derived from the service's, so that they stay the same while the service does.
    package func implicitUpstream(ofService row: JSONValue) -> (upstream: Upstream, target: Target)? {
        guard let record = row["healthchecks"], !record.isNull, let serviceID = row["id"]?.stringValue else {
            return nil
        }
        let service = Service(json: RecordSchema.service.withoutNulls(row))
        let name = service.name ?? serviceID
        let times: OrderedDictionary<String, JSONValue> = [
            "created_at": .integer(service.createdAt), "updated_at": .integer(service.createdAt),
        ]
        let upstreamID = UUIDs.version5(namespace: serviceID, name: "upstream")
        let checks = ServiceHealthChecks(record: record).translated(for: service.proto)
        var upstreamRow = RecordSchema.upstream.completed(.object(times))
        upstreamRow["id"] = .string(upstreamID)
        // A parenthesis cannot stand in the name of an upstream that was made otherwise, so the names differ.
        upstreamRow["name"] = .string(self[table: .upstreams].id(ofKey: name) == nil ? name : "\(name) (service)")
        upstreamRow["healthchecks"] = checks
        var upstream = Upstream(json: upstreamRow)
        upstream.serviceID = serviceID
        return (upstream, Target(json: implicitTargetRow(of: service, upstreamID: upstreamID)))
    }

    /// The row that health answers show for the target of such a service.
    package func implicitTargetRow(of service: Service, upstreamID: String) -> JSONValue {
        let text =
            (try? HostAddress(service.host))?.text(defaultPort: service.port) ?? "\(service.host):\(service.port)"
        return RecordSchema.target.completed([
            "id": .string(UUIDs.version5(namespace: service.id, name: "target")),
            "upstream": ["id": .string(upstreamID)],
            "target": .string(text), "created_at": .integer(service.createdAt),
            "updated_at": .integer(service.createdAt),
        ])
    }

    /// 32 hexadecimal digits over all rows but their times; zeros for an empty store, as in Kong.
    package var hash: String {
        var text = ""
        for kind in EntityKind.allCases {
            for var row in rows(kind) {
                row["created_at"] = nil
                row["updated_at"] = nil
                text += "\(kind.rawValue) \(row)\n"
            }
        }
        if text.isEmpty { return Configuration.empty.hash }
        return String(SHA1.hexadecimal(SHA1.digest(of: Array(text.utf8))).prefix(32))
    }
}

extension RecordSchema {
    /// A row in which nulls have become defaults, as the data plane takes them (`service.retries or 5`).
    func withoutNulls(_ row: JSONValue) -> JSONValue {
        var row = row
        for (name, field) in fields where row[name] == .null {
            if let value = field.defaultValue { row[name] = value }
        }
        return row
    }
}

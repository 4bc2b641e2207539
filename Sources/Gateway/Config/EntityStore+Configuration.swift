// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Crypto
package import Document
import OrderedCollections

extension EntityStore {
    /// The typed configuration of these rows: services, routes and upstreams in the order of their ids, targets in the
    /// order they were made (which fills the wheel of a balancer).
    package func configuration() -> Configuration {
        var services: [Service] = []
        var upstreams: [Upstream] = self[table: .upstreams].all.compactMap {
            if case .upstream(let upstream) = $0.entity { upstream } else { nil }
        }
        var targets: [Target] = self[table: .targets].inOrderOfCreation.compactMap {
            if case .target(let target) = $0.entity { target } else { nil }
        }
        for row in self[table: .services].all {
            guard case .service(var service) = row.entity else { continue }
            if let implicit = implicitUpstream(ofService: row.json) {
                service.healthchecks = implicit.upstream.healthchecks
                service.upstreamID = implicit.upstream.id
                upstreams.append(implicit.upstream)
                targets.append(implicit.target)
            } else {
                service.upstreamID = self[table: .upstreams].id(ofKey: service.host)
            }
            services.append(service)
        }
        let routes: [Route] = self[table: .routes].all.compactMap {
            if case .route(let route) = $0.entity { route } else { nil }
        }
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
        var hash = Insecure.SHA1()
        var isEmpty = true
        for kind in EntityKind.allCases {
            for row in self[table: kind].all {
                isEmpty = false
                row.digest.withUnsafeBytes { hash.update(bufferPointer: $0) }
            }
        }
        if isEmpty { return Configuration.empty.hash }
        return String(decoding: hash.finalize().prefix(16).flatMap(UUIDs.hexadecimal), as: UTF8.self)
    }

    /// A row as answers show it: a certificate has the names it is for.
    func shown(_ row: JSONValue, _ kind: EntityKind) -> JSONValue {
        guard kind == .certificates else { return StoredRow.shown(row, kind) }
        var row = row
        row["snis"] = .array(serverNames(ofCertificate: row["id"]?.stringValue ?? "").map { .string($0) })
        return row
    }

    /// All rows by collection and id, as JSON: the answer to `POST /config`.
    func flattened() -> [UInt8] {
        var out = Array("{".utf8)
        for kind in EntityKind.allCases {
            let rows = self[table: kind].all
            if rows.isEmpty { continue }
            if out.count > 1 { out.append(UInt8(ascii: ",")) }
            JSONValue.quote(kind.rawValue, to: &out)
            out += ":{".utf8
            for (index, row) in rows.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                JSONValue.quote(row.id, to: &out)
                out.append(UInt8(ascii: ":"))
                if let text = row.text { out += text } else { shown(row.json, kind).write(to: &out) }
            }
            out.append(UInt8(ascii: "}"))
        }
        out.append(UInt8(ascii: "}"))
        return out
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

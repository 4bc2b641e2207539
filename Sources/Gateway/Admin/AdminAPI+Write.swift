// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension AdminAPI {
    func write(
        _ resource: AdminResource, _ request: AdminRequest
    ) throws(AdminRefusal) -> AdminResponse {
        if case .manualHealth(let upstream, let target, let address, let isHealthy) = resource {
            _ = try AdminBody(request)
            return try setManually(isHealthy, upstream: upstream, target: target, address: address)
        }
        if request.method == "DELETE" { return try delete(resource) }
        guard let kind = resource.writtenKind else { throw .notFound }
        let input = try AdminBody(request).object(store.schema(of: kind))
        switch resource {
        case .collection(.certificates): return written(try createCertificate(input), .certificates, status: 201)
        case .item(.certificates, let name):
            return written(try modifyCertificate(name, input, method: request.method), .certificates)
        case .serverNames(let certificate):
            return try create(.snis, input, parent: ("certificate", try row(.certificates, certificate)))
        case .serverName(let certificate, let name):
            let owned = try serverNameInput(name, ofCertificate: certificate, input, method: request.method)
            return try modify(.snis, name, owned, method: request.method)
        case .collection(let kind): return try create(kind, input)
        case .item(let kind, let name): return try modify(kind, name, input, method: request.method)
        case .routes(let service):
            return try create(.routes, input, parent: ("service", try row(.services, service)))
        case .route(let service, let route):
            return try modifyRoute(route, ofService: service, input, method: request.method)
        case .service(let route): return try modifyService(ofRoute: route, input, method: request.method)
        case .targets(let upstream):
            return try create(.targets, input, parent: ("upstream", try row(.upstreams, upstream)))
        case .target(let upstream, let target):
            // As in Kong PUT is an update too, and never makes a target.
            let id = try id(of: try self.target(target, ofUpstream: upstream))
            return written(
                try change { (store, stamp) throws(StoreError) in
                    try store.update(.targets, id: id, input, stamp: stamp)
                }, .targets)
        default: throw .notFound
        }
    }

    private func create(
        _ kind: EntityKind, _ input: JSONValue, parent: (field: String, row: JSONValue)? = nil
    ) throws(AdminRefusal) -> AdminResponse {
        var input = input
        if let parent { input[parent.field] = ["id": parent.row["id"] ?? .null] }
        let row = try change { (store, stamp) throws(StoreError) in
            try store.insert(kind, input, stamp: &stamp)
        }
        return written(row, kind, status: 201)
    }

    private func modify(
        _ kind: EntityKind, _ name: String, _ input: JSONValue, method: String
    ) throws(AdminRefusal) -> AdminResponse {
        if method == "PUT" {
            return written(
                try change { (store, stamp) throws(StoreError) in
                    try store.upsert(kind, idOrName: name, input, stamp: &stamp)
                }, kind)
        }
        let id = try id(of: try row(kind, name))
        return written(
            try change { (store, stamp) throws(StoreError) in
                try store.update(kind, id: id, input, stamp: stamp)
            }, kind)
    }

    private func modifyRoute(
        _ route: String, ofService service: String, _ input: JSONValue, method: String
    ) throws(AdminRefusal) -> AdminResponse {
        let parent = try row(.services, service)
        if method == "PATCH" {
            _ = try self.route(route, ofService: service)
            return try modify(.routes, route, input, method: method)
        }
        if let old = store.row(.routes, idOrName: route), old["service"]?["id"] != parent["id"] { throw .notFound }
        var input = input
        input["service"] = ["id": parent["id"] ?? .null]
        return try modify(.routes, route, input, method: method)
    }

    /// PUT on the service of a route that has none makes one and links it.
    private func modifyService(
        ofRoute route: String, _ input: JSONValue, method: String
    ) throws(AdminRefusal) -> AdminResponse {
        let routeRow = try row(.routes, route)
        if let id = routeRow["service"]?["id"]?.stringValue {
            return try modify(.services, id, input, method: method)
        }
        guard method == "PUT" else { throw .notFound }
        let routeID = try id(of: routeRow)
        let row = try change { (store, stamp) throws(StoreError) in
            let service = try store.insert(.services, input, stamp: &stamp)
            let link: JSONValue = ["service": ["id": service["id"] ?? .null]]
            _ = try store.update(.routes, id: routeID, link, stamp: stamp)
            return service
        }
        return written(row, .services)
    }

    /// A collection's item that is not there counts as deleted; a nested one has to be there.
    private func delete(_ resource: AdminResource) throws(AdminRefusal) -> AdminResponse {
        let found: (EntityKind, JSONValue)
        switch resource {
        case .item(let kind, let name):
            guard let row = store.row(kind, idOrName: name) else {
                // A server name that stands for no certificate is not found, as Kong looks it up first.
                if kind == .certificates, !UUIDs.isValid(name) { throw .notFound }
                return AdminResponse(204)
            }
            found = (kind, row)
        case .route(let service, let route): found = (.routes, try self.route(route, ofService: service))
        case .serverName(let certificate, let name):
            found = (.snis, try serverName(name, ofCertificate: certificate))
        case .target(let upstream, let target): found = (.targets, try self.target(target, ofUpstream: upstream))
        default: throw .notFound
        }
        let id = try id(of: found.1)
        try change { (store, _) throws(StoreError) in try store.delete(found.0, id: id) }
        return AdminResponse(204)
    }

    /// The answer to a write. A service with health checks of its own says what about them will surprise.
    private func written(_ row: JSONValue, _ kind: EntityKind, status: Int = 200) -> AdminResponse {
        var shown = shown(row, kind)
        if kind == .services, let record = row["healthchecks"], !record.isNull,
            let implicit = store.implicitUpstream(ofService: row)
        {
            let warnings =
                ServiceHealthChecks(record: record).warnings
                + ConfigurationLint.warnings(for: implicit.upstream).map(\.description)
            if !warnings.isEmpty { shown["warnings"] = .array(warnings.map { .string($0) }) }
        }
        return AdminResponse(status, shown)
    }
}

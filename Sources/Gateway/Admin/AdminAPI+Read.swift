// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension AdminAPI {
    func read(_ resource: AdminResource, _ query: [FormArgument]) throws(AdminRefusal) -> AdminResponse {
        switch resource {
        case .root: return AdminResponse(200, information)
        case .status: return AdminResponse(200, try status(query))
        case .metrics: return metrics
        case .ready: return readiness
        case .events:
            var response = AdminResponse(200)
            response.body = .events
            return response
        case .configuration: return try exportedConfiguration()
        case .endpoints: return AdminResponse(200, Self.endpoints)
        case .tags: return AdminResponse(200, try tags(query, only: nil))
        case .tag(let tag): return AdminResponse(200, try tags(query, only: tag))
        case .collection(let kind): return AdminResponse(200, try collection(kind, query))
        case .item(let kind, let name): return AdminResponse(200, shown(try row(kind, name), kind))
        case .routes(let service):
            let id = try id(of: try row(.services, service))
            return AdminResponse(200, try nestedList("/services/\(id)/routes", store.rows(.routes, of: id), query))
        case .route(let service, let route):
            return AdminResponse(200, try self.route(route, ofService: service))
        case .service(let route): return AdminResponse(200, shown(try self.service(ofRoute: route), .services))
        case .serviceHealth(let service): return try serviceHealth(service, query)
        case .targets(let upstream): return AdminResponse(200, try targets(upstream, query))
        case .allTargets(let upstream):
            let id = try id(of: try row(.upstreams, upstream))
            let rows = store.rows(.targets, of: id)
            return AdminResponse(200, try nestedList("/upstreams/\(id)/targets/all", rows, query))
        case .target(let upstream, let target):
            return AdminResponse(200, try self.target(target, ofUpstream: upstream))
        case .serverNames(let certificate):
            let id = try id(of: try row(.certificates, certificate))
            return AdminResponse(200, try nestedList("/certificates/\(id)/snis", store.rows(.snis, of: id), query))
        case .serverName(let certificate, let name):
            return AdminResponse(200, try serverName(name, ofCertificate: certificate))
        case .certificate(let kind, let name):
            return AdminResponse(200, shown(try certificate(of: kind, name), .certificates))
        case .certificateUsers(let certificate, let kind):
            return AdminResponse(200, try certificateUsers(certificate, kind, query))
        case .upstreamHealth(let upstream): return try upstreamHealth(upstream, query)
        case .manualHealth: throw AdminRefusal(405, "Method not allowed")
        }
    }

    /// - Throws: 404.
    func row(_ kind: EntityKind, _ idOrName: String) throws(AdminRefusal) -> JSONValue {
        guard let row = store.row(kind, idOrName: idOrName) else { throw .notFound }
        return row
    }

    func id(of row: JSONValue) throws(AdminRefusal) -> String {
        guard let id = row["id"]?.stringValue else { throw .notFound }
        return id
    }

    /// - Throws: 404, also for a route of another service.
    func route(_ route: String, ofService service: String) throws(AdminRefusal) -> JSONValue {
        let parent = try row(.services, service)
        let found = try row(.routes, route)
        guard found["service"]?["id"] == parent["id"] else { throw .notFound }
        return found
    }

    func service(ofRoute route: String) throws(AdminRefusal) -> JSONValue {
        guard let id = try row(.routes, route)["service"]?["id"]?.stringValue else { throw .notFound }
        return try row(.services, id)
    }

    /// - Throws: 404, also for a target of another upstream.
    func target(_ target: String, ofUpstream upstream: String) throws(AdminRefusal) -> JSONValue {
        let id = try id(of: try row(.upstreams, upstream))
        guard let found = store.target(target, of: id) else { throw .notFound }
        return found
    }

    func shown(_ row: JSONValue, _ kind: EntityKind) -> JSONValue { store.shown(row, kind) }
}

// MARK: Lists

extension AdminAPI {
    /// Kong's page size without `size`, and the largest (kong/api/endpoints.lua).
    private static let defaultSize = 100
    private static let maximumSize = 1000

    private func collection(_ kind: EntityKind, _ query: [FormArgument]) throws(AdminRefusal) -> JSONValue {
        let rows = try filtered(store.rows(kind).map { shown($0, kind) }, query)
        var extra = ""
        if let tags = query.first("tags")?.stringValue { extra += "&tags=\(URLText.encoded(tags))" }
        if let size = query.first("size")?.stringValue { extra += "&size=\(size)" }
        return try page("/\(kind.rawValue)", rows, query, extra: extra)
    }

    func nestedList(
        _ path: String, _ rows: [JSONValue], _ query: [FormArgument]
    ) throws(AdminRefusal) -> JSONValue {
        try page(path, try filtered(rows, query), query, extra: "")
    }

    /// A page of rows in the order of their ids. The offset is the id of the first row of the next page, in base64.
    private func page(
        _ path: String, _ rows: [JSONValue], _ query: [FormArgument], extra: String
    ) throws(AdminRefusal) -> JSONValue {
        let size = try Self.size(query)
        var rows = rows[...]
        if let offset = query.first("offset")?.stringValue {
            let start = try Offset.id(from: offset)
            rows = rows.drop { ($0["id"]?.stringValue ?? "") < start }
        }
        var answer: JSONValue = ["data": .array(Array(rows.prefix(size))), "next": .null]
        if let following = rows.dropFirst(size).first?["id"]?.stringValue {
            let offset = Offset.text(id: following)
            answer["next"] = .string("\(path)?offset=\(URLText.encoded(offset))\(extra)")
            answer["offset"] = .string(offset)
        }
        return answer
    }

    /// A page whose offset is a plain number, as lists of targets have it.
    func numberedPage(
        _ path: String, _ rows: [JSONValue], _ query: [FormArgument]
    ) throws(AdminRefusal) -> JSONValue {
        let size = try Self.size(query)
        let offset = query.first("offset")?.stringValue ?? "0"
        guard let start = Int(offset), start >= 0 else { throw AdminRefusal(badOffset: offset, "not a number") }
        var answer: JSONValue = ["data": .array(Array(rows.dropFirst(start).prefix(size))), "next": .null]
        if start < rows.count, rows.count - start > size {
            answer["next"] = .string("\(path)?offset=\(start + size)")
            answer["offset"] = .string(String(start + size))
        }
        return answer
    }

    private static func size(_ query: [FormArgument]) throws(AdminRefusal) -> Int {
        guard let text = query.first("size") else { return defaultSize }
        guard let number = text.stringValue.flatMap({ Double($0) }) else {
            throw AdminRefusal(badSize: "size must be a number")
        }
        guard let size = Int(exactly: number), (1...maximumSize).contains(size) else {
            throw AdminRefusal(badSize: "size must be an integer between 1 and \(maximumSize)")
        }
        return size
    }

    /// Rows with all of `tags=a,b`, or any of `tags=a/b`.
    private func filtered(_ rows: [JSONValue], _ query: [FormArgument]) throws(AdminRefusal) -> [JSONValue] {
        guard let given = query.first("tags") else { return rows }
        guard let text = given.stringValue, !text.isEmpty else {
            throw AdminRefusal(badOption: "tags", "cannot be null")
        }
        if text.contains(",") && text.contains("/") { throw AdminRefusal(badOption: "tags", "invalid filter syntax") }
        let wanted = text.split(whereSeparator: { $0 == "," || $0 == "/" }).map { JSONValue.string(String($0)) }
        if wanted.count > 5 { throw AdminRefusal(badOption: "tags", "cannot query more than 5 tags") }
        let needsAll = !text.contains("/")
        return rows.filter { row in
            let tags = row["tags"]?.arrayValue ?? []
            return needsAll ? wanted.allSatisfy(tags.contains) : wanted.contains(where: tags.contains)
        }
    }

    private func targets(_ upstream: String, _ query: [FormArgument]) throws(AdminRefusal) -> JSONValue {
        let id = try id(of: try row(.upstreams, upstream))
        return try numberedPage(
            "/upstreams/\(id)/targets", try filtered(store.targetsNewestFirst(of: id), query), query)
    }
}

extension [FormArgument] {
    /// The first value of a name.
    func first(_ name: String) -> JSONValue? { first { $0.name == name }?.value }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What a path of the Admin API names (kong/api/routes).
enum AdminResource: Hashable, Sendable {
    case root, status, ready, metrics, events, configuration, endpoints, tags
    case tag(String)
    case collection(EntityKind)
    /// A service, a route or an upstream by id or name.
    case item(EntityKind, String)
    case routes(service: String)
    case route(service: String, String)
    case service(route: String)
    /// Not in Kong: the health of what balances a service.
    case serviceHealth(String)
    case targets(upstream: String)
    case allTargets(upstream: String)
    case target(upstream: String, String)
    case upstreamHealth(String)
    case serverNames(certificate: String)
    case serverName(certificate: String, String)
    /// The certificate that a service, an upstream or a server name names.
    case certificate(of: EntityKind, String)
    /// The services or upstreams that present a certificate.
    case certificateUsers(certificate: String, EntityKind)
    case manualHealth(upstream: String, target: String, address: String?, isHealthy: Bool)

    /// - Parameter path: as sent; a slash at the end does not count, segments are percent-decoded.
    init?(path: String) {
        var segments = path.split(separator: "/", omittingEmptySubsequences: false)[...]
        if segments.first?.isEmpty == true { segments.removeFirst() }
        if segments.last?.isEmpty == true { segments.removeLast() }
        let names = segments.map { URLText.decoded($0, plusIsSpace: false) }
        guard let resource = Self.resource(names) else { return nil }
        self = resource
    }

    private static func resource(_ names: [String]) -> AdminResource? {
        let first = names.first ?? ""
        switch (names.count, first) {
        case (0, _): return .root
        case (1, "status"): return .status
        case (2, "status") where names[1] == "ready": return .ready
        case (1, "metrics"): return .metrics
        case (1, "events"): return .events
        case (1, "config"): return .configuration
        case (1, "endpoints"): return .endpoints
        case (1, "tags"): return .tags
        case (2, "tags"): return .tag(names[1])
        default: break
        }
        guard let kind = EntityKind(rawValue: first), kind != .targets else { return nil }
        switch names.count {
        case 1: return .collection(kind)
        case 2: return .item(kind, names[1])
        default: return nested(kind, names[1], Array(names.dropFirst(2)))
        }
    }

    private static func nested(_ kind: EntityKind, _ parent: String, _ rest: [String]) -> AdminResource? {
        switch (kind, rest.count, rest[0]) {
        case (.services, 1, "routes"): .routes(service: parent)
        case (.services, 2, "routes"): .route(service: parent, rest[1])
        case (.services, 1, "health"): .serviceHealth(parent)
        case (.routes, 1, "service"): .service(route: parent)
        case (.upstreams, 1, "health"): .upstreamHealth(parent)
        case (.services, 1, "client_certificate"), (.upstreams, 1, "client_certificate"), (.snis, 1, "certificate"):
            .certificate(of: kind, parent)
        case (.certificates, 1, "snis"): .serverNames(certificate: parent)
        case (.certificates, 2, "snis"): .serverName(certificate: parent, rest[1])
        case (.certificates, 1, "services"): .certificateUsers(certificate: parent, .services)
        case (.certificates, 1, "upstreams"): .certificateUsers(certificate: parent, .upstreams)
        case (.upstreams, _, "targets"): targets(of: parent, Array(rest.dropFirst()))
        default: nil
        }
    }

    private static func targets(of upstream: String, _ rest: [String]) -> AdminResource? {
        switch rest.count {
        case 0: return .targets(upstream: upstream)
        case 1 where rest[0] == "all": return .allTargets(upstream: upstream)
        case 1: return .target(upstream: upstream, rest[0])
        case 2, 3:
            guard let last = rest.last, last == "healthy" || last == "unhealthy" else { return nil }
            let address = rest.count == 3 ? rest[1] : nil
            return .manualHealth(
                upstream: upstream, target: rest[0], address: address, isHealthy: last == "healthy")
        default: return nil
        }
    }

    /// The methods of a resource, sorted; HEAD goes with GET, OPTIONS with everything.
    var methods: [String] {
        switch self {
        case .root, .status, .ready, .metrics, .endpoints, .tags, .tag, .serviceHealth, .allTargets, .upstreamHealth,
            .events, .certificate, .certificateUsers:
            ["GET", "HEAD", "OPTIONS"]
        case .collection, .routes, .targets, .configuration, .serverNames: ["GET", "HEAD", "OPTIONS", "POST"]
        case .item, .route, .serverName: ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"]
        case .target: ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"]
        case .service: ["GET", "HEAD", "OPTIONS", "PATCH", "PUT"]
        case .manualHealth: ["OPTIONS", "PUT"]
        }
    }

    /// The collection that a write to this resource changes.
    var writtenKind: EntityKind? {
        switch self {
        case .collection(let kind), .item(let kind, _): kind
        case .routes, .route: .routes
        case .service: .services
        case .targets, .target: .targets
        case .serverNames, .serverName: .snis
        default: nil
        }
    }
}

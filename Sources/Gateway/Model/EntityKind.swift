// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The collections of entities, by the names Kong gives them in URLs, files and messages.
package enum EntityKind: String, Hashable, Sendable, CaseIterable {
    case services, routes, upstreams, targets, certificates, snis
    case caCertificates = "ca_certificates"

    /// The collections in an order in which each stands behind those it may name.
    static let parentsFirst: [EntityKind] = [
        .certificates, .caCertificates, .snis, .services, .upstreams, .routes, .targets,
    ]

    /// The field that stands for the id in URLs and files. A certificate has none; there its server names stand for it.
    package var keyField: String {
        switch self {
        case .targets: "target"
        case .caCertificates: "cert_digest"
        case .services, .routes, .upstreams, .certificates, .snis: "name"
        }
    }

    /// The entity a row belongs to or hangs on, if it can name one.
    package var parent: (field: String, kind: EntityKind)? {
        switch self {
        case .routes: ("service", .services)
        case .targets: ("upstream", .upstreams)
        case .snis: ("certificate", .certificates)
        case .services, .upstreams, .certificates, .caCertificates: nil
        }
    }

    /// The collection whose rows name rows of this one, and whether they go with it when it is deleted.
    package var children: (kind: EntityKind, areDeletedToo: Bool)? {
        switch self {
        case .services: (.routes, false)
        case .upstreams: (.targets, true)
        case .certificates: (.snis, true)
        case .routes, .targets, .snis, .caCertificates: nil
        }
    }

    package var schema: RecordSchema {
        switch self {
        case .services: .service
        case .routes: .route
        case .upstreams: .upstream
        case .targets: .target
        case .certificates: .certificate
        case .snis: .serverName
        case .caCertificates: .caCertificate
        }
    }
}

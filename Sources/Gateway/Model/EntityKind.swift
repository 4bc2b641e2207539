// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The collections of entities, by the names Kong gives them in URLs, files and messages.
package enum EntityKind: String, Hashable, Sendable, CaseIterable {
    case services, routes, upstreams, targets

    /// The field that stands for the id in URLs and files.
    package var keyField: String { self == .targets ? "target" : "name" }

    /// The entity a row belongs to or hangs on, if it can name one.
    package var parent: (field: String, kind: EntityKind)? {
        switch self {
        case .routes: ("service", .services)
        case .targets: ("upstream", .upstreams)
        case .services, .upstreams: nil
        }
    }

    /// The collection whose rows name rows of this one, and whether they go with it when it is deleted.
    package var children: (kind: EntityKind, areDeletedToo: Bool)? {
        switch self {
        case .services: (.routes, false)
        case .upstreams: (.targets, true)
        case .routes, .targets: nil
        }
    }

    package var schema: RecordSchema {
        switch self {
        case .services: .service
        case .routes: .route
        case .upstreams: .upstream
        case .targets: .target
        }
    }
}

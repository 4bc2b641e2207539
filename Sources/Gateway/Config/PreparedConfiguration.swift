// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A configuration with all that can be worked out of it without the running gateway, and so beside it.
package struct PreparedConfiguration: Sendable {
    package let configuration: Configuration
    let routes: RouteTable
    /// For each route of the configuration the place of its service there.
    let servicePlaces: [Int?]
    /// By the id of their upstream, in the order of the configuration.
    let targets: [String: [Target]]

    package static let empty = PreparedConfiguration(.empty)

    package init(_ configuration: Configuration) {
        self.configuration = configuration
        routes = RouteTable(configuration)
        let places = Dictionary(
            configuration.services.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        servicePlaces = configuration.routes.map { $0.serviceID.flatMap { places[$0] } }
        targets = Dictionary(grouping: configuration.targets, by: \.upstreamID)
    }
}

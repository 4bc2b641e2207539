// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// What a client connection speaks, as the router tells them apart: TLS server names count for https only.
package enum RequestScheme: Sendable, Hashable { case http, https }

/// A route as the data plane holds it: one object for all of its path parts, as long as its table lives.
package final class CompiledRoute: Sendable {
    package let route: Route
    /// The enabled service of the route; nil when the route has none (503) or it does not exist.
    package let service: Service?
    /// The place of the route in `Configuration.routes`, for tables kept beside this one.
    package let index: Int
    /// The service's path as it is sent: `/` when it has none.
    let servicePath: ContiguousArray<UInt8>
    let servicePathIsRoot: Bool
    /// Plain HTTP is among the route's protocols.
    let takesPlainText: Bool

    package var serviceID: String? { route.serviceID }

    init(_ route: Route, service: Service?, index: Int) {
        self.route = route
        self.service = service
        self.index = index
        takesPlainText = route.protocols.contains("http")
        let path = service?.path ?? ""
        servicePath = path.isEmpty ? [0x2F] : RequestPath.escaped(path.utf8)
        servicePathIsRoot = servicePath.count == 1 && servicePath[0] == 0x2F
    }
}

/// What one group of a route's regular expression caught.
package struct RouteCapture: Sendable, Hashable {
    /// Counted from 1.
    package let number: Int
    package let name: String?
    package let value: String
}

/// The route of a request, and what its path becomes on the way to the service.
package struct RouteMatch: Sendable {
    package let route: CompiledRoute
    /// The request target for the upstream: path and query, to be sent as it is. Shares the head's bytes when nothing
    /// had to be changed.
    package let uri: ByteBuffer
    /// What was taken off the path, for `X-Forwarded-Prefix`; nil when nothing other than `/` was.
    package let strippedPrefix: ByteBuffer?
    /// Groups of the regular expression that took part in the match; always empty for a plain prefix.
    package let captures: [RouteCapture]

    /// The capture of this name, or of this number in digits (`hash_on_uri_capture`).
    package func capture(_ nameOrNumber: String) -> String? {
        let number = Int(nameOrNumber)
        return captures.first { $0.name == nameOrNumber || $0.number == number }?.value
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// A route and its service, as one version of the configuration has them.
package final class CompiledRoute: Sendable {
    package let route: Route
    /// Nil: the route has none, and a request for it is answered with 503.
    package let service: Service?
    /// The path of the service in bytes, `/` when it has none.
    private let basePath: [UInt8]

    init(route: Route, service: Service?) {
        self.route = route
        self.service = service
        basePath = Array((service?.path ?? "/").utf8)
    }

    fileprivate func withBasePath(_ body: (UnsafeRawBufferPointer) -> Void) { basePath.withUnsafeBytes(body) }
}

/// Where a request goes.
package struct RouteMatch {
    package let compiled: CompiledRoute
    /// The path that was compared; nil when the path as received was normalised already.
    package let normalizedPath: [UInt8]?
    /// How many bytes of the normalised path the route matched; nil when it has no paths.
    package let matchedPathLength: Int?
    /// What a regular expression caught; nil when the route matched without one.
    package let captures: RouteRegex.Captures?

    package var route: Route { compiled.route }
    package var service: Service? { compiled.service }

    /// Appends the path for the upstream, without the query.
    ///
    /// - Parameter path: the path as received, the one that was matched.
    package func appendUpstreamPath(received path: UnsafeRawBufferPointer, to out: inout ByteBuffer) {
        let stripping = compiled.route.stripPath ? matchedPathLength : nil
        compiled.withBasePath { base in
            if let normalizedPath {
                normalizedPath.withUnsafeBytes {
                    UpstreamPath.append(base: base, path: $0, stripping: stripping, to: &out)
                }
            } else {
                UpstreamPath.append(base: base, path: path, stripping: stripping, to: &out)
            }
        }
    }
}

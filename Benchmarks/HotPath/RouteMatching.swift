// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import Wire

/// Finds the route of a request in a table of plain prefixes, the last of which fits.
public final class RouteMatching {
    private let table: RouteTable
    private let head = RequestHead()

    public init(routes: Int) {
        let lines = (0..<routes).map { number in
            let path = number == routes - 1 ? "/api/v1/orders" : "/api/v\(number % 7)/section-\(number)"
            return #"{"name":"route-\#(number)","paths":["\#(path)"],"strip_path":false}"#
        }
        let service = #"{"name":"api","host":"api","routes":[\#(lines.joined(separator: ","))]}"#
        table = RouteTable(HotPath.configuration(#"{"_format_version":"3.0","services":[\#(service)]}"#))
        var arrived = HotPath.request(fields: 8)
        guard case .complete = head.read(from: &arrived, limits: WireLimits()) else {
            preconditionFailure("the head of a benchmark is in order")
        }
    }

    /// - Returns: the place of the route.
    @discardableResult
    public func run() -> Int {
        guard let match = table.match(head, scheme: .http, port: 8000) else {
            preconditionFailure("a route fits the request of a benchmark")
        }
        return match.route.index
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import GatewayHarness
import NIOCore

/// One route `/` to a service on port 9000.
///
/// - Parameters:
///   - route: more fields of the route, in YAML's flow style.
///   - service: of the service.
func memoryYAML(route: String = "", service: String = "") -> String {
    serviceYAML(
        port: 9000, fields: service, routes: "{paths: [/]\(route.isEmpty ? "" : ", " + route)}")
}

let unbufferedYAML = memoryYAML(route: "request_buffering: false")

extension MemoryGateway {
    /// A gateway whose upstream does as the test says.
    convenience init(
        _ config: String = memoryYAML(), _ configure: (inout GatewaySettings) -> Void = { _ in },
        upstream: @escaping (MemoryPeer) -> Void
    ) throws {
        try self.init(config, configure, connector: Connector { _ in .accepted(upstream) })
    }

    /// The only connection to the upstream.
    var upstream: MemoryPeer {
        precondition(upstreams.count == 1, "\(upstreams.count) connections to upstreams")
        return upstreams[0]
    }

    /// Sends as a client and carries what follows.
    func send(_ text: String, from client: MemoryPeer) {
        client.send(text)
        run()
    }

    /// Sends as the upstream and carries what follows.
    func answer(_ text: String) {
        upstream.send(text)
        run()
    }
}

extension MemoryPeer {
    /// The statuses of all messages that came.
    var statuses: [Int] {
        text.split(separator: "HTTP/1.1 ", omittingEmptySubsequences: false).dropFirst().compactMap {
            Int($0.prefix(3))
        }
    }

    /// Lines of the heads that came, without CRLF.
    var lines: [String] { text.split(separator: "\r\n").map(String.init) }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway
import NIOCore
import Testing

/// A route with Kong's defaults, changed as a test wants it. Its name is its id.
func makeRoute(_ id: String, _ change: (inout Route) -> Void) -> Route {
    var route = Route(json: [
        "id": .string(id), "name": .string(id), "protocols": ["http", "https"], "methods": nil, "hosts": nil,
        "paths": nil, "headers": nil, "snis": nil, "https_redirect_status_code": 426, "regex_priority": 0,
        "strip_path": true, "path_handling": "v0", "preserve_host": false, "request_buffering": true,
        "response_buffering": true, "service": ["id": "service"], "created_at": 0,
    ])
    change(&route)
    return route
}

func makeService(_ id: String = "service", path: String? = nil, enabled: Bool = true) -> Service {
    Service(json: [
        "id": .string(id), "name": .string(id), "protocol": "http", "host": "upstream.test", "port": 80,
        "path": path.map { .string($0) } ?? nil, "retries": 5, "connect_timeout": 60000, "write_timeout": 60000,
        "read_timeout": 60000, "enabled": .bool(enabled), "created_at": 0,
    ])
}

func makeTable(_ routes: [Route], services: [Service] = [makeService()]) -> RouteTable {
    RouteTable(Configuration(services: services, routes: routes, upstreams: [], targets: [], hash: ""))
}

/// A header of a route as a test writes it.
func routeHeader(_ name: String, _ values: String...) -> Route.Header {
    let row: JSONValue = [
        "id": "", "protocols": [], "headers": .object([name: .array(values.map { .string($0) })]),
        "https_redirect_status_code": 426, "regex_priority": 0, "strip_path": true, "path_handling": "v0",
        "preserve_host": false, "request_buffering": true, "response_buffering": true, "created_at": 0,
    ]
    return Route(json: row).headers[0]
}

/// A request as a test writes it.
struct TestRequest: RequestHeaders, CustomTestStringConvertible, Sendable {
    var method = "GET"
    var host = "api.test"
    var path = "/"
    var headers: [(name: String, value: String)] = []
    var listenerPort = 8000
    var serverName: String?

    var testDescription: String { "\(method) \(host) \(path)" }

    func contains(_ name: [UInt8], where matches: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        headers.contains { header in
            header.name.lowercased().utf8.elementsEqual(name) && Array(header.value.utf8).withUnsafeBytes(matches)
        }
    }

    func match(in table: RouteTable) -> (match: RouteMatch, upstreamPath: String)? {
        var upstreamPath = ByteBuffer()
        let match = withKey { key in
            let match = table.match(key, headers: self)
            match?.appendUpstreamPath(received: key.path, to: &upstreamPath)
            return match
        }
        return match.map { ($0, String(buffer: upstreamPath)) }
    }

    func withKey<Result>(_ body: (RequestKey) -> Result) -> Result {
        Array(method.utf8).withUnsafeBytes { method in
            Array(host.utf8).withUnsafeBytes { host in
                Array(path.utf8).withUnsafeBytes { path in
                    Array((serverName ?? "").utf8).withUnsafeBytes { name in
                        body(
                            RequestKey(
                                method: method, host: host, path: path, listenerPort: listenerPort,
                                isEncrypted: serverName != nil, serverName: name))
                    }
                }
            }
        }
    }
}

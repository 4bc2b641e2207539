// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway
import NIOCore
import Testing
import Wire

/// A request as a test states it.
struct RequestSketch: Sendable, CustomStringConvertible {
    var method = "GET"
    var target: [UInt8]
    var host: String? = "example.org"
    var fields: [(name: String, value: String)] = []
    var scheme = RequestScheme.http
    var port = 8000
    var serverName: String?

    init(
        _ method: String, _ target: String, host: String? = "example.org", fields: [(String, String)] = [],
        scheme: RequestScheme = .http, port: Int = 8000, serverName: String? = nil
    ) {
        self.method = method
        self.target = Array(target.utf8)
        self.host = host
        self.fields = fields.map { (name: $0.0, value: $0.1) }
        (self.scheme, self.port, self.serverName) = (scheme, port, serverName)
    }

    init(
        _ target: String, host: String? = "example.org", fields: [(String, String)] = [],
        scheme: RequestScheme = .http, port: Int = 8000, serverName: String? = nil
    ) {
        self.init(
            "GET", target, host: host, fields: fields, scheme: scheme, port: port, serverName: serverName)
    }

    var description: String {
        "\(method) \(String(decoding: target, as: UTF8.self)) Host: \(host ?? "none") \(fields) \(scheme):\(port)"
    }

    /// The head as a connection reads it, or nil when it is refused. HTTP/1.0 when there is no host.
    func head() -> RequestHead? {
        // A few bytes before it, as on a connection with earlier requests: ranges do not count from the buffer's start.
        var buffer = ByteBuffer(string: "earlier ")
        buffer.moveReaderIndex(forwardBy: 8)
        buffer.writeString(method + " ")
        buffer.writeBytes(target)
        buffer.writeString(host == nil ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n")
        if let host { buffer.writeString("Host: \(host)\r\n") }
        for field in fields { buffer.writeString("\(field.name): \(field.value)\r\n") }
        buffer.writeString("\r\n")
        let head = RequestHead()
        var limits = WireLimits()
        limits.headBytes = 1 << 20
        limits.lineBytes = 1 << 20
        guard case .complete = head.read(from: &buffer, limits: limits) else { return nil }
        return head
    }
}

extension RouteTable {
    /// - Throws: when the request is refused before it gets to the router.
    func match(_ request: RequestSketch) throws -> RouteMatch? {
        let head = try #require(request.head(), "refused: \(request)")
        return match(head, scheme: request.scheme, port: request.port, serverName: request.serverName)
    }

    convenience init(_ routes: [Route], servicePath: String? = nil) {
        self.init(
            Configuration(
                services: [.sketch(path: servicePath), .sketch("off", enabled: false)], routes: routes, upstreams: [],
                targets: [], hash: ""))
    }
}

extension Service {
    static func sketch(_ id: String = "service", path: String? = nil, enabled: Bool = true) -> Service {
        Service(json: [
            "id": .string(id), "protocol": "http", "host": "upstream", "port": 80,
            "path": path.map { .string($0) } ?? nil,
            "retries": 5, "connect_timeout": 60000, "write_timeout": 60000, "read_timeout": 60000,
            "enabled": .bool(enabled), "created_at": 0,
        ])
    }
}

extension Route {
    static func sketch(
        _ id: String, methods: [String] = [], hosts: [String] = [], paths: [String] = [],
        headers: [(String, [String])] = [], snis: [String] = [], regexPriority: Int = 0, stripPath: Bool = true,
        service: String? = "service", protocols: [String] = ["http", "https"]
    ) -> Route {
        func list(_ texts: [String]) -> JSONValue { texts.isEmpty ? .null : .array(texts.map { .string($0) }) }
        var headerRow: JSONValue = [:]
        for (name, values) in headers { headerRow[name] = .array(values.map { .string($0) }) }
        return Route(json: [
            "id": .string(id), "protocols": list(protocols), "methods": list(methods), "hosts": list(hosts),
            "paths": list(paths), "headers": headers.isEmpty ? nil : headerRow, "snis": list(snis),
            "https_redirect_status_code": 426, "regex_priority": .integer(regexPriority),
            "strip_path": .bool(stripPath), "path_handling": "v0", "preserve_host": false, "request_buffering": true,
            "response_buffering": true, "created_at": 0,
            "service": service.map { ["id": .string($0)] } ?? nil,
        ])
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway
import NIOCore
import Synchronization
import Testing
import World

/// Everything that goes over loopback sockets, one test after the other: what they measure disturbs what others do.
@Suite(.serialized) struct LoopbackTests {}

/// A gateway on free ports of this process, with real sockets and real time.
final class RunningGateway: Sendable {
    let world: World
    let gateway: Gateway
    let log: LogLines

    /// Keeps what the gateway had to say.
    final class LogLines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        var log: GatewayLog { GatewayLog { [self] level, text in lines.withLock { $0.append("\(level): \(text)") } } }
    }

    /// - Parameter config: a declarative file; without one the Admin API writes.
    init(
        _ config: String? = nil, workers: Int = 1, _ configure: (inout GatewaySettings) -> Void = { _ in }
    ) throws {
        world = World.real(threads: workers, seed: 7, loops: .own)
        let any = try SocketAddress(ipAddress: "127.0.0.1", port: 0)
        var settings = GatewaySettings(proxyListen: any, adminListen: any)
        settings.isDeclarative = config != nil
        settings.drain = .seconds(2)
        configure(&settings)
        log = LogLines()
        gateway = try Gateway.start(
            world: world, settings: settings, log: log.log, document: config.map { ($0, "kong.yml") }
        ).wait()
    }

    deinit {
        try? gateway.stop().wait()
        world.loops.shutdownGracefully { _ in }
    }

    var proxyPort: Int { gateway.proxyAddress.port ?? 0 }
    var adminPort: Int { gateway.adminAddress.port ?? 0 }

    /// A connection to the proxy.
    func connect(limit: Int32 = 10_000) throws -> RawSocket { try RawSocket.connect(port: proxyPort, limit: limit) }

    /// One request on a connection of its own.
    func get(_ path: String, _ fields: String = "") throws -> RawMessage {
        try request("GET \(path) HTTP/1.1\r\nHost: a.example\r\n\(fields)\r\n")
    }

    func request(_ text: String) throws -> RawMessage {
        try connect().exchange(text, hasBody: !text.hasPrefix("HEAD"))
    }

    /// One request to the Admin API.
    @discardableResult
    func admin(
        _ method: String, _ path: String, _ body: String = "", type: String = "application/json"
    ) throws
        -> RawMessage
    {
        let socket = try RawSocket.connect(port: adminPort)
        return try socket.exchange(
            "\(method) \(path) HTTP/1.1\r\nHost: admin\r\n\(body.isEmpty ? "" : "Content-Type: \(type)\r\n")"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    /// All events so far: the stream is live, so reading stops when nothing more has come for a moment.
    func events(_ kind: String? = nil) throws -> [JSONValue] {
        let socket = try RawSocket.connect(port: adminPort)
        try socket.send("GET /events?since=1 HTTP/1.1\r\nHost: admin\r\n\r\n")
        guard try socket.messageHead() != nil else { return [] }
        _ = socket.ends(within: 100)
        let lines = socket.received.split(separator: "\r\n").filter { $0.hasPrefix("{") }
        let events = try lines.map { try JSONValue(parsing: Array($0.utf8)) }
        return events.filter { kind == nil || $0["kind"] == .string(kind ?? "") }
    }

    /// Passive reports that counted: `http_status 500`, `tcp_failure`, `timeout`.
    func reports() throws -> [String] {
        try events("attempt").map { event in
            [event["result"]?.stringValue, event["status"]?.intValue.map { "\($0)" }].compactMap(\.self)
                .joined(separator: " ")
        }
    }

    /// Connection counts of `GET /status`.
    func serverStatus() throws -> JSONValue {
        let answer = try admin("GET", "/status")
        return try JSONValue(parsing: answer.body)["server"] ?? .null
    }
}

/// A service with its route `/`.
///
/// - Parameter fields: of the service, in YAML's flow style.
func serviceYAML(port: Int, path: String = "", fields: String = "", routes: String = "{paths: [/]}") -> String {
    """
    _format_version: "3.0"
    services:
    - {name: api, url: "http://127.0.0.1:\(port)\(path)"\(fields.isEmpty ? "" : ", " + fields), routes: [\(routes)]}

    """
}

/// A route `/` whose request bodies are passed on as they come.
let unbufferedRoute = "{paths: [/], request_buffering: false}"

/// A service over an upstream with targets on these ports.
func upstreamYAML(
    ports: [Int], weights: [Int] = [], service: String = "", passive: String = "", upstream: String = ""
) -> String {
    let targets = ports.enumerated().map { index, port in
        "{target: \"127.0.0.1:\(port)\", weight: \(weights.isEmpty ? 100 : weights[index])}"
    }
    let retries = service.contains("retries") ? "" : "retries: 5, "
    let more = service.isEmpty ? "" : service + ", "
    return """
        _format_version: "3.0"
        services:
        - {name: api, host: up, \(retries)\(more)routes: [{paths: [/]}]}
        upstreams:
        - name: up
          targets: [\(targets.joined(separator: ", "))]
          healthchecks: {passive: {\(passive)}}
        \(upstream.isEmpty ? "" : "  " + upstream)

        """
}

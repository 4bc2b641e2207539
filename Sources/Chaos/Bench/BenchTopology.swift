// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
package import NIOCore
import World

/// A mock API and a gateway in front of it, as child processes on free ports of loopback: what a bench without a URL
/// measures. No link stands between them, and the mock hands over no evidence. Lives on one loop.
///
/// ```
/// bench ──▶ mock                 direct
/// bench ──▶ gateway ──▶ mock     gateway: a route, an upstream with active and passive checks, Kong's headers
/// ```
package final class BenchTopology {
    package struct Options: Sendable {
        package var executable = ChildEnvironment.currentExecutable
        package var environment = ChildEnvironment.inherited
        /// Event loops of the gateway.
        package var workers = 1
        /// Asked of both.
        package var path = "/hello"

        package init() {}
    }

    private let folder: WorkFolder
    private let options: Options
    private let supervisor: Supervisor
    private let loop: any EventLoop
    private var processes: [NodeProcess] = []

    package init(_ options: Options, loop: any EventLoop) throws(TopologyError) {
        self.options = options
        self.loop = loop
        supervisor = try Supervisor()
        folder = try WorkFolder(prefix: "gatecrash-bench")
    }

    /// Starts both.
    ///
    /// - Returns: `direct` and `gateway`, each with the processes that serve it. Fails with `TopologyError`.
    package func start() -> EventLoopFuture<[BenchSubject]> {
        loop.assertInEventLoop()
        let loop = loop
        return launch(
            "mock", ["mock", "--supervised", "--no-records", "--host", "127.0.0.1", "--port", "0"], "address"
        )
        .assumeIsolated()
        .flatMap { (mock: (address: SocketAddress, pid: Int32)) -> EventLoopFuture<[BenchSubject]> in
            let config: String
            do throws(TopologyError) {
                config = try self.folder.write(Self.document(mock.address).text(indent: 2) + "\n", to: "kong.json")
            } catch {
                return loop.makeFailedFuture(error)
            }
            let arguments = [
                "gateway", "--supervised", "--config", config, "--proxy-listen", "127.0.0.1:0", "--admin-listen",
                "127.0.0.1:0", "--workers", "\(self.options.workers)",
            ]
            return self.launch("gateway", arguments, "proxy").assumeIsolated().map { gateway in
                [self.subject("direct", mock.address, [("mock", mock.pid)])]
                    + [self.subject("gateway", gateway.address, [("gateway", gateway.pid), ("mock", mock.pid)])]
            }.nonisolated()
        }
        .nonisolated()
    }

    /// Ends both, the gateway first. Never fails.
    package func stop() -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        let (processes, folder) = (processes, folder)
        return EventLoopFuture.andAllComplete(processes.map { $0.stop(drain: .milliseconds(500)) }, on: loop).map {
            folder.remove()
        }
    }

    private func subject(_ name: String, _ address: SocketAddress, _ pids: [(String, Int32)]) -> BenchSubject {
        let target = BenchTarget(
            name: name, host: address.ipAddress ?? "127.0.0.1", port: address.port ?? 0, path: options.path)
        return BenchSubject(target: target, processes: pids.map { .init(name: $0.0, pid: $0.1) })
    }

    private func launch(
        _ name: String, _ arguments: [String], _ key: String
    ) -> EventLoopFuture<(address: SocketAddress, pid: Int32)> {
        var environment = options.environment
        environment["KONG_STATUS_LISTEN"] = "off"
        let specification = ChildSpecification(
            name: name, executable: options.executable, arguments: arguments, environment: environment,
            logPath: folder.file("\(name).log"))
        let process = NodeProcess(specification, supervisor: supervisor, loop: loop) { _ in }
        processes.append(process)
        return process.start().assumeIsolated().flatMapThrowing { (ready) -> (address: SocketAddress, pid: Int32) in
            guard let text = ready[key]?.stringValue, let address = SocketAddress(listening: text) else {
                throw TopologyError("\(name) did not say where it listens: no \(key) in \(ready)")
            }
            return (address, process.process?.pid ?? 0)
        }.nonisolated()
    }

    /// What a service in production has: probes, and the outcomes of requests counted.
    private static func document(_ mock: SocketAddress) -> JSONValue {
        let checks: JSONValue = [
            "active": [
                "http_path": "/health", "healthy": ["interval": 1, "successes": 2],
                "unhealthy": ["interval": 1, "http_failures": 3, "tcp_failures": 3, "timeouts": 3],
            ],
            "passive": [
                "healthy": ["successes": 1], "unhealthy": ["http_failures": 5, "tcp_failures": 5, "timeouts": 5],
            ],
        ]
        return [
            "_format_version": "3.0",
            "services": [
                [
                    "name": "bench", "host": "bench-upstream",
                    "routes": [["name": "bench", "paths": ["/"], "strip_path": false]],
                ]
            ],
            "upstreams": [
                ["name": "bench-upstream", "targets": [["target": .string(mock.text)]], "healthchecks": checks]
            ],
        ]
    }
}

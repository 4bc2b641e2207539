// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

extension LoopbackTests {
    /// `gatecrash gateway` and `gatecrash mock` as processes: start, signals, bad usage.
    @Suite struct CommandTests {
        /// The promise is 100 ms; a debug build on a busy machine gets more.
        @Test func `gateway and mock are ready soon`() throws {
            for start in [{ try ReadyChild.gateway() }, { try ReadyChild.mock() }] {
                let times = try (0..<3).map { _ in try start().readyMilliseconds }
                print("ready after \(times.map { Int($0) }) ms")
                #expect(times.min() ?? .infinity < 1000)
            }
        }

        @Test func `SIGTERM lets a slow request finish, then the process exits with 0`() throws {
            let mock = try ReadyChild.mock(["--latency", "400ms"])
            let config = try TemporaryFile("kong.yml", serviceYAML(port: mock.port("address")))
            let gateway = try ReadyChild.gateway(["--config", config.path])
            let (busy, idle) = (try gateway.connect("proxy"), try gateway.connect("proxy"))
            try busy.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            // The mock says that it has the request.
            #expect(try mock.child.output.line(endingWith: "\n")?.contains("served") == true)
            gateway.child.signal(SIGTERM)
            #expect(idle.ends(within: 2000))
            #expect(try busy.message()?.status == 200)
            busy.close()
            #expect(gateway.child.wait() == .exited(0))
            mock.child.signal(SIGTERM)
            #expect(mock.child.wait() == .exited(0))
        }

        @Test func `SIGHUP reloads under load without a failed request`() throws {
            let mock = try ReadyChild.mock()
            let good = serviceYAML(port: mock.port("address"))
            let config = try TemporaryFile("kong.yml", good)
            let gateway = try ReadyChild.gateway(["--config", config.path])
            let counters = Counters()
            for _ in 0..<4 {
                let client = try gateway.connect("proxy")
                Thread.detachNewThread { counters.drive(client) }
            }
            let changed = good.replacing("paths: [/]", with: "paths: [/], name: again")
            for round in 0..<12 {
                try config.write(round % 3 == 2 ? "services: [oops" : round % 2 == 0 ? changed : good)
                gateway.child.signal(SIGHUP)
                _ = eventually(within: 60) { false }
            }
            counters.stop()
            let counts = counters.counts
            #expect(counts.failed == 0)
            #expect(counts.succeeded > 20)
            gateway.child.signal(SIGTERM)
            #expect(gateway.child.wait() == .exited(0))
            let log = try gateway.child.errors.everything()
            #expect(log.contains("kong.yml: reloaded"))
            #expect(log.contains("was not taken over; the configuration before it goes on"))
        }

        @Test func `a port in use is one clear line and exit 1`() throws {
            let upstream = try ScriptedUpstream()
            for arguments in [
                ["gateway", "--proxy-listen", "127.0.0.1:\(upstream.port)", "--admin-listen", "127.0.0.1:0"],
                ["gateway", "--proxy-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:\(upstream.port)"],
                ["mock", "--port", "\(upstream.port)"],
            ] {
                let child = try Child(arguments)
                #expect(child.wait() == .exited(1))
                let lines = try child.errors.everything().split(separator: "\n")
                #expect(lines.count == 1, "\(lines)")
                #expect(lines.first?.contains("127.0.0.1:\(upstream.port): address already in use") == true)
            }
        }

        @Test(arguments: [
            (["gateway", "--proxy-listen", "nowhere"], [:], "--proxy-listen nowhere"),
            (["gateway", "--workers", "0"], [:], "--workers 0"),
            (["gateway", "--resolve", "mock-api"], [:], "--resolve mock-api"),
            (["gateway"], ["KONG_ADMIN_LISTEN": "x:y:z"], "KONG_ADMIN_LISTEN=x:y:z"),
            (["gateway"], ["GATECRASH_STRICT": "perhaps"], "GATECRASH_STRICT=perhaps"),
            (["gateway", "--config", "/nowhere/kong.yml"], [:], "/nowhere/kong.yml: No such file or directory"),
            (["mock"], ["ERROR_RATE": "abc"], "ERROR_RATE"),
            (["mock", "--latency", "5"], [:], "--latency"),
            (["mock", "--port", "99999"], [:], "--port"),
        ])
        func `bad usage is one line and exit 2`(
            arguments: [String], environment: [String: String], part: String
        ) throws {
            let child = try Child(arguments, environment: environment)
            #expect(child.wait() == .exited(2))
            let lines = try child.errors.everything().split(separator: "\n")
            #expect(lines.count == 1, "\(lines)")
            #expect(lines.first?.contains(part) == true, "\(lines)")
        }

        @Test func `five mistakes in kong.yml are five lines with their places and exit 2`() throws {
            let config = try TemporaryFile(
                "kong.yml",
                """
                _format_version: "3.0"
                services:
                - {name: a, host: h, port: 99999}
                - {name: b, host: h, retires: 3}
                - {name: c, host: h, protocol: smtp}
                upstreams:
                - {name: u, algorithm: rond-robin}
                routes:
                - {paths: [hello]}

                """)
            let child = try Child(["gateway", "--config", config.path])
            #expect(child.wait() == .exited(2))
            let lines = try child.errors.everything().split(separator: "\n").map(String.init)
            #expect(lines.count == 5, "\(lines)")
            for (line, number) in zip(lines, [3, 4, 5, 7, 9]) {
                #expect(line.contains(/kong\.yml:(\d+):\d+/), "\(line)")
                #expect(line.contains("kong.yml:\(number):"), "\(line)")
            }
        }
    }
}

/// Requests one after the other on one connection until told to stop, and how they went.
final class Counters: Sendable {
    private struct State {
        var succeeded = 0, failed = 0, running = 0, isStopped = false
    }
    private let state = Mutex(State())

    var counts: (succeeded: Int, failed: Int) { state.withLock { ($0.succeeded, $0.failed) } }

    func drive(_ client: RawSocket) {
        state.withLock { $0.running += 1 }
        while !state.withLock({ $0.isStopped }) {
            let status = (try? client.exchange("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"))?.status
            state.withLock { if status == 200 { $0.succeeded += 1 } else { $0.failed += 1 } }
            if status == nil { break }
        }
        state.withLock { $0.running -= 1 }
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        _ = eventually { state.withLock { $0.running == 0 } }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chaos
import Document
import NIOCore
import World

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

struct ToxicsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "toxics",
        abstract: "Run a Toxiproxy-compatible server: TCP proxies with faults, changed over HTTP.",
        discussion: """
            Clients of Toxiproxy work with it unchanged. Beyond it: toxics in POST /populate and in the file, faults \
            on connecting, real resets on open connections, faults on HTTP messages, half-closes kept, toxicity drawn \
            from the seed, counters that move while a connection lives (GET /metrics).

            The file is a JSON or YAML list of proxies: [{"name": "redis", "listen": "127.0.0.1:26379", "upstream": \
            "127.0.0.1:6379", "toxics": [{"type": "latency", "attributes": {"latency": 100}}]}].

            Exit codes: 2 for a bad file or bad usage, 5 when a port cannot be had.
            """)

    @Option(name: .long, help: "What the API listens on (default 127.0.0.1; other machines only with 0.0.0.0).")
    var host = "127.0.0.1"
    @Option(name: .long, help: "Port of the API, 0 for a free one.")
    var port = 8474
    @Option(name: .long, help: ArgumentHelp("Proxies to start with.", valueName: "proxies.json"))
    var config: String?
    @Option(name: .long, help: "Seed of every random draw; drawn when not given.")
    var seed: UInt64?

    func validate() throws {
        guard (0...65_535).contains(port) else {
            throw ValidationError("--port must be from 0 to 65535, not \(port)")
        }
    }

    func run() throws {
        DescriptorLimit.raise()
        let signals = Signals([SIGTERM, SIGINT])
        let configuration: ToxiproxyConfiguration
        do throws(Problems) {
            configuration =
                if let config {
                    try ToxiproxyConfiguration(parsing: FileText.read(config), file: config)
                } else {
                    .empty
                }
        } catch {
            throw Console.refuse(error)
        }
        let world = World.real(seed: seed)
        let server = try start(world, configuration)
        Console.error(
            "Toxiproxy API listens on http://\(server.localAddress.text) (seed \(world.random.seed))")
        _ = signals.next()
        try? server.stop().wait()
    }

    private func start(_ world: World, _ configuration: ToxiproxyConfiguration) throws -> ToxiproxyServer {
        do {
            let addresses = try world.network.resolve(host, port: port, on: world.loops.next()).wait()
            return try ToxiproxyServer.start(world: world, address: addresses[0], configuration: configuration).wait()
        } catch let problems as Problems {
            _ = Console.refuse(problems)
            throw ExitCode(5)
        } catch {
            Console.error("gatecrash: cannot listen: \(error); choose another with --host or --port")
            throw ExitCode(5)
        }
    }
}

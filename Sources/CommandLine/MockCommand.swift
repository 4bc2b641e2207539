// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chaos
import Document
import MockAPI
import NIOCore
import OpenSSL
import World

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

struct MockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mock",
        abstract: "Run a mock API: /hello, /health and switches for faults.",
        discussion: """
            Every switch can also be an environment variable of the same name (ERROR_RATE, LATENCY, …), and can be \
            changed while the mock runs: GET, PUT and PATCH /_mock/settings speak JSON. Flags win over variables.

            Durations carry a unit: 250ms, 1.5s.

            With --tls it serves TLS: with a certificate of yours (--tls-cert, --tls-key), or with one that it makes, \
            good or bad (--tls-cert-kind). With --http2 it takes HTTP/2 as well, in plain text with prior knowledge, \
            as a gateway speaks to a service of protocol grpc; its answers stay those of the API.
            """)

    @Option(name: .long, help: "What to listen on (HOST; default 127.0.0.1, other machines only with 0.0.0.0).")
    var host: String?
    @Option(name: .long, help: "Port, 0 for a free one (PORT; default 5000).")
    var port: String?
    @Option(name: .long, help: "Names the random draws, so that mocks of one seed differ.")
    var name: String?
    @Option(name: .long, help: "Seed of every random draw; drawn when not given.")
    var seed: String?
    @Option(name: .long, help: "Part of /hello that fails, 0…1 (ERROR_RATE).")
    var errorRate: String?
    @Option(name: .long, help: "Status of a failure (ERROR_STATUS; default 500).")
    var errorStatus: String?
    @Option(name: .long, help: "Exactly the next n of m requests fail: 3/10 (ERROR_NEXT).")
    var errorNext: String?
    @Option(name: .long, help: "Whether failures spare /health (ERROR_SKIP_HEALTH; default true).")
    var errorSkipHealth: String?
    @Option(name: .long, help: "Delay before an answer: 20ms, or a distribution (LATENCY).")
    var latency: String?
    @Option(name: .long, help: "Whether the delay spares /health (LATENCY_SKIP_HEALTH).")
    var latencySkipHealth: String?
    @Option(name: .long, help: "What /health says: healthy, unhealthy, hang (HEALTH).")
    var health: String?
    @Option(name: .long, help: "Whether requests are never answered (HANG).")
    var hang: String?
    @Option(name: .long, help: "Closes instead of answering: none, before head, mid body (CLOSE).")
    var close: String?
    @Option(name: .long, help: "Pads bodies to this many bytes (BODY_BYTES).")
    var bodyBytes: String?
    @Option(name: .long, help: "Whether every other path answers as /hello (CATCH_ALL).")
    var catchAll: String?
    @Option(name: .long, help: "Path of the health answer (HEALTH_PATH; default /health).")
    var healthPath: String?
    @Option(
        name: .long, help: "Paths with answers of their own, a JSON list of {path, status, body, headers, latency}.")
    var routes: String?
    @Flag(name: .customLong("http2"), help: "Take HTTP/2 beside HTTP/1.1, in plain text (HTTP2=on).")
    var http2 = false
    @Flag(name: .long, help: "Serve TLS (TLS=on).")
    var tls = false
    @Option(name: .long, help: ArgumentHelp("Certificate and its chain, PEM (TLS_CERT).", valueName: "file"))
    var tlsCert: String?
    @Option(name: .long, help: ArgumentHelp("Its key, PEM (TLS_KEY).", valueName: "file"))
    var tlsKey: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Makes one: valid, expired, not_yet, wrong_host, untrusted, self_signed (TLS_CERT_KIND; default valid).",
            valueName: "kind"))
    var tlsCertKind: String?
    @Option(
        name: .long,
        help: ArgumentHelp("Hosts that it is for, besides localhost (TLS_NAMES).", valueName: "a.internal,…"))
    var tlsNames: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Where the authority's certificate is written, to be trusted (TLS_CA_FILE).", valueName: "file"))
    var tlsCaFile: String?
    @Option(name: .long, help: ArgumentHelp("1.0, 1.1, 1.2 or 1.3 (TLS_MIN_VERSION).", valueName: "version"))
    var tlsMinVersion: String?
    @Option(name: .long, help: ArgumentHelp("1.0, 1.1, 1.2 or 1.3 (TLS_MAX_VERSION).", valueName: "version"))
    var tlsMaxVersion: String?
    @Flag(name: .long, help: .hidden)
    var supervised = false
    @Flag(name: .long, help: .hidden)
    var noRecords = false

    private var flags: [String: String] {
        let given: [(String, String?)] = [
            ("--host", host), ("--port", port), ("--name", name), ("--seed", seed), ("--error-rate", errorRate),
            ("--error-status", errorStatus), ("--error-next", errorNext), ("--error-skip-health", errorSkipHealth),
            ("--latency", latency), ("--latency-skip-health", latencySkipHealth), ("--health", health),
            ("--hang", hang),
            ("--close", close), ("--body-bytes", bodyBytes), ("--catch-all", catchAll),
            ("--health-path", healthPath), ("--routes", routes),
            ("--http2", http2 ? "on" : nil), ("--tls", tls ? "on" : nil), ("--tls-cert", tlsCert),
            ("--tls-key", tlsKey),
            ("--tls-cert-kind", tlsCertKind), ("--tls-names", tlsNames), ("--tls-ca-file", tlsCaFile),
            ("--tls-min-version", tlsMinVersion), ("--tls-max-version", tlsMaxVersion),
        ]
        return Dictionary(uniqueKeysWithValues: given.compactMap { flag, text in text.map { (flag, $0) } })
    }

    func run() throws {
        if supervised { Supervised.enter() }
        DescriptorLimit.raise()
        let signals = Signals([SIGTERM, SIGINT])
        let options: MockCommandOptions
        do { options = try MockCommandOptions(flags: flags, environment: Console.environment) } catch {
            throw Console.refuse(error)
        }
        let world = World.real(seed: options.seed, loops: .own)
        let sink = supervised && !noRecords ? DescriptorSink(descriptor: STDOUT_FILENO) : nil
        let tls: OpenSSLContext?
        do throws(Problems) {
            tls = try options.tls?.context(
                now: world.wallClock.secondsSinceEpoch, read: FileText.read, write: FileText.write)
        } catch {
            throw Console.refuse(error)
        }
        let server: MockServer
        do {
            let addresses = try world.network.resolve(options.host, port: options.port, on: world.loops.next()).wait()
            server = try MockServer.start(
                world: world, address: addresses[0], name: options.name, settings: options.settings, tls: tls,
                speaksHTTP2: options.speaksHTTP2, sink: sink
            ).wait()
        } catch {
            Console.error("gatecrash: cannot listen: \(error); choose another with --host or --port")
            throw ExitCode(1)
        }
        announce(server, isEncrypted: tls != nil)
        _ = signals.next()
        try? server.stop().wait()
    }

    private func announce(_ server: MockServer, isEncrypted: Bool) {
        guard supervised else {
            let scheme = isEncrypted ? "https" : "http"
            return Console.error(
                "mock API listens on \(scheme)://\(server.localAddress.text): /hello, /health, /_mock/settings")
        }
        let ready: JSONValue = [
            "kind": "ready", "t": .integer(Int(NIODeadline.now().uptimeNanoseconds)), "role": "mock",
            "address": .string(server.localAddress.text), "pid": .integer(Int(getpid())),
        ]
        Console.out(ready.text())
    }
}

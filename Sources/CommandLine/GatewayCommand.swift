// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chaos
import Document
import Gateway
import NIOCore
import World

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

struct GatewayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Run the Kong-compatible gateway.",
        discussion: """
            Without a declarative file the entities live in memory and the Admin API writes them. With one the gateway \
            is DB-less: SIGHUP reads the file again and keeps the old configuration when the new one is bad. SIGTERM \
            and SIGINT let requests under way finish, then exit with 0.

            An address to listen on may be followed by proxy_protocol: each connection then begins with that of a load \
            balancer. A listener with 'ssl' shows the certificate of the server name that a client asks for, else that \
            of KONG_SSL_CERT and KONG_SSL_CERT_KEY, else a self-signed one. With 'http2' it speaks HTTP/2: agreed on \
            by ALPN under TLS, with prior knowledge without. Timeouts, limits, pools and trusted peers have \
            kong.conf's names (docs/gateway-settings.md): --set nginx_http_client_max_body_size=8m, or the variable \
            KONG_NGINX_HTTP_CLIENT_MAX_BODY_SIZE.

            Environment: KONG_PROXY_LISTEN, KONG_ADMIN_LISTEN, KONG_STATUS_LISTEN, KONG_DECLARATIVE_CONFIG, \
            KONG_DATABASE, KONG_SSL_CERT, KONG_SSL_CERT_KEY, KONG_LUA_SSL_TRUSTED_CERTIFICATE, KONG_DNS_RESOLVER, \
            KONG_DNS_ORDER, KONG_DNS_VALID_TTL, KONG_DNS_STALE_TTL, KONG_DNS_NOT_FOUND_TTL, KONG_DNS_ERROR_TTL, \
            RES_OPTIONS (timeout:1 attempts:2), GATECRASH_STRICT, KONG_… of any setting. Flags win.
            """)

    @Option(name: .long, help: ArgumentHelp("Declarative file: YAML or JSON, as Kong's.", valueName: "kong.yml"))
    var config: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            Where clients connect, with Kong's flags: 'ADDRESS:PORT [ssl] [http2]'. May be repeated (default \
            127.0.0.1:8000 and '127.0.0.1:8443 ssl http2').
            """, valueName: "listener"))
    var proxyListen: [String] = []
    @Option(name: .long, help: ArgumentHelp("The Admin API (default 127.0.0.1:8001).", valueName: "address:port"))
    var adminListen: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Metrics for Prometheus and /status (default 127.0.0.1:8007 where it is free); 'off' for none.",
            valueName: "address:port"))
    var statusListen: String?
    @Option(
        name: .long,
        help: ArgumentHelp("A name that is not looked up, as curl's option.", valueName: "host:port=address:port"))
    var resolve: [String] = []
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Name servers of the gateway's own (SRV, A, AAAA, CNAME); else the system's resolver.",
            valueName: "address:port,…"))
    var dnsResolver: String?
    @Option(name: .long, help: "Event loops, one thread each (default 1).")
    var workers: Int?
    @Option(
        name: .long, help: ArgumentHelp("A setting of kong.conf; may be given several times.", valueName: "name=value"))
    var set: [String] = []
    @Flag(name: .long, help: "Answer exactly as Kong: no health checks on a Service, none of the article's keys.")
    var strict = false
    @Option(name: .long, help: "Seed of every random draw (ring order, ids); drawn when not given.")
    var seed: UInt64?
    @Flag(name: .long, help: "Open no connection and look up no name beyond this machine.")
    var confined = false
    @Option(
        name: .customLong("allow-remote"),
        help: ArgumentHelp("What a confined gateway may connect to all the same.", valueName: "host[:port]"))
    var remotes: [String] = []
    @Flag(name: .long, help: .hidden)
    var supervised = false

    func run() throws {
        if supervised { Supervised.enter() }
        DescriptorLimit.raise()
        var flags = GatewayOptions.Flags()
        flags.config = config
        flags.proxyListen = proxyListen
        flags.adminListen = adminListen
        flags.statusListen = statusListen
        flags.resolve = resolve
        flags.dnsResolver = dnsResolver
        flags.workers = workers
        flags.set = set
        flags.strict = strict
        var options: GatewayOptions
        do { options = try GatewayOptions(flags: flags, environment: Console.environment) } catch {
            throw Console.refuse(error)
        }
        do { try options.readCertificates(FileText.read) } catch let problems as Problems {
            throw Console.refuse(problems)
        }
        let remotes = confined ? Remotes(remotes) : nil
        try GatewayProcess(options, seed: seed, remotes: remotes, isSupervised: supervised).run()
    }
}

/// A gateway as a process: signals, log lines, the file it was given.
private struct GatewayProcess {
    let options: GatewayOptions
    let seed: UInt64?
    /// Nil: everything may be connected to.
    let remotes: Remotes?
    let isSupervised: Bool

    init(_ options: GatewayOptions, seed: UInt64?, remotes: Remotes?, isSupervised: Bool) {
        self.options = options
        self.seed = seed
        self.remotes = remotes
        self.isSupervised = isSupervised
    }

    func run() throws {
        let signals = Signals([SIGTERM, SIGINT, SIGHUP])
        let world = confined(World.real(threads: options.workers, seed: seed, loops: .own))
        let log = GatewayLog { level, text in
            let now = CivilTime(secondsSinceEpoch: world.wallClock.secondsSinceEpoch).rfc3339
            Console.error("\(now) [\(level)] \(text)")
        }
        let document: String?
        do { document = try options.configPath.map(FileText.read) } catch { throw Console.refuse(error) }
        let gateway: Gateway
        do {
            gateway = try Gateway.start(
                world: world, settings: options.settings, log: log,
                document: document.map { ($0, options.configPath ?? "") }
            ).wait()
        } catch let problems as Problems {
            throw Console.refuse(problems)
        } catch {
            Console.error(
                "gatecrash: cannot listen: \(error); choose another with --proxy-listen, --admin-listen or "
                    + "--status-listen")
            throw ExitCode(1)
        }
        announce(gateway, log)
        while true {
            switch signals.next() {
            case SIGHUP: reload(gateway, log)
            default:
                log.notice("stopping: requests under way have \(options.settings.drain.nanoseconds / 1_000_000_000) s")
                try? gateway.stop().wait()
                return
            }
        }
    }

    private func confined(_ world: World) -> World {
        guard let remotes else { return world }
        var world = world
        world.network = ConfinedNetwork(world.network, allowing: remotes)
        return world
    }

    private func announce(_ gateway: Gateway, _ log: GatewayLog) {
        if isSupervised {
            Console.out(gateway.readyRecord(pid: Int(getpid())).text())
        } else {
            let status = gateway.statusAddress.map { ", metrics on http://\($0.text)/metrics" } ?? ""
            let proxies = gateway.listeners.map { "\($0.isEncrypted ? "https" : "http")://\($0.address.text)" }
            log.notice(
                "proxy listens on \(proxies.joined(separator: " and ")), Admin API on "
                    + "http://\(gateway.adminAddress.text)\(status)")
            for problem in gateway.listenerProblems {
                log.warning("no TLS listener: \(problem); say --proxy-listen")
            }
            if let problem = gateway.statusProblem {
                log.warning("no status listener: \(problem); metrics are on the Admin API, or say --status-listen")
            }
        }
    }

    private func reload(_ gateway: Gateway, _ log: GatewayLog) {
        guard let path = options.configPath else {
            return log.notice("nothing to reload: no declarative file was given")
        }
        do {
            try gateway.reload(try FileText.read(path), file: path).wait()
        } catch let problems as Problems {
            for problem in problems.sorted { log.error("\(problem)") }
            log.error("\(path) was not taken over; the configuration before it goes on")
        } catch {
            log.error("\(path): \(error)")
        }
    }
}

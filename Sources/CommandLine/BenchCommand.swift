// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chaos
import Document
import NIOCore
import Synchronization
import World

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure a server's throughput and latency.",
        discussion: """
            Without a URL: starts a mock API and the gateway in front of it and measures both, round by round in turn, \
            so that the difference is the gateway's. With URLs: any HTTP/1.1 servers of this machine; the first is \
            what the last is compared with. A URL may have a name: edge=http://127.0.0.1:8000/.

            Closed loop as a rule: each connection sends its next request when it has its answer. With --rate an open \
            loop: requests start at planned times whatever the answers do, and latency counts from the planned start.

            Exit codes: 0 pass, 1 an expectation failed, 2 bad usage, 3 no server there, 4 the generator could not \
            keep up, 5 mock or gateway could not start, 130 interrupted (what was measured is printed).
            """)

    @Argument(help: ArgumentHelp("Servers to measure, each with a path.", valueName: "[name=]url"))
    var urls: [String] = []
    @Option(name: .shortAndLong, help: "Connections: all at once in a closed loop (64), at most in an open one (1000).")
    var connections: String?
    @Option(name: .long, help: "Requests of a round.")
    var requests: String?
    @Option(name: .shortAndLong, help: "Length of a round (default 2s; with --requests: as long as they take).")
    var duration: String?
    @Option(name: .long, help: ArgumentHelp("Open loop: so many requests a second.", valueName: "1000/s"))
    var rate: String?
    @Option(name: .long, help: "Of an open loop: even (default) or poisson.")
    var arrivals: String?
    @Option(name: .long, help: "GET, or POST when there is a body.")
    var method: String?
    @Option(name: [.customShort("H"), .long], help: ArgumentHelp("A field of each request.", valueName: "Name: value"))
    var header: [String] = []
    @Option(name: .long, help: "Body of each request.")
    var body: String?
    @Option(name: .long, help: ArgumentHelp("The same from a file.", valueName: "file"))
    var bodyFile: String?
    @Option(name: .long, help: ArgumentHelp("Sends the requests of an access log at their times.", valueName: "log"))
    var replay: String?
    @Option(name: .long, help: ArgumentHelp("How much faster than it was a log is replayed.", valueName: "2x"))
    var speed: String?
    @Option(name: .long, help: "Of one request (default 10s).")
    var timeout: String?
    @Option(name: .long, help: "Before each round, not counted (default 250ms).")
    var warmup: String?
    @Option(name: .long, help: "Rounds of each server (default 5).")
    var rounds: String?
    @Option(name: .long, help: "Event loops of the generator (default 1).")
    var threads: String?
    @Option(name: .long, help: "off: a connection for each request.")
    var keepalive: String?
    @Option(name: .long, help: "Seed of every random draw; drawn when not given.")
    var seed: String?
    @Option(name: .long, help: ArgumentHelp("What must hold; sets the exit code.", valueName: "p99 < 5ms"))
    var expect: [String] = []
    @Option(name: .long, help: ArgumentHelp("Compares with an earlier --json by a rank test.", valueName: "file"))
    var baseline: String?
    @Option(name: .long, help: "How much worse than the baseline a figure may be (default 5%).")
    var tolerance: String?
    @Option(name: .long, help: "How late the generator may be, p99 (default 10ms); later is inconclusive.")
    var maxLateness: String?
    @Option(name: .long, help: ArgumentHelp("Counts CPU and memory of a running server.", valueName: "name=pid"))
    var pid: [String] = []
    @Option(name: .long, help: "Without a URL: event loops of the gateway (default 1).")
    var workers = 1
    @Option(name: .long, help: ArgumentHelp("Writes the result as JSON.", valueName: "file"))
    var json: String?
    @Option(name: .long, help: ArgumentHelp("Writes a summary in Markdown.", valueName: "file"))
    var markdown: String?
    @Option(name: .long, help: ArgumentHelp("Writes a page with plots, in one file.", valueName: "file"))
    var html: String?
    @Flag(name: .long, help: "Allows servers on other machines.")
    var allowRemote = false
    @Flag(name: [.customShort("k"), .long], help: "https: verifies nothing.")
    var insecure = false
    @Option(name: .long, help: ArgumentHelp("https: believes these authorities (PEM).", valueName: "file"))
    var cacert: String?
    @Flag(name: .shortAndLong, help: "Shows no progress, only the result.")
    var quiet = false

    func run() async throws {
        let signals = Signals([SIGINT, SIGTERM])
        DescriptorLimit.raise()
        let (plan, subjects) = try checkedPlan()
        let earlier = try earlierResult()
        try Console.checkWritable(
            [("--json", json), ("--markdown", markdown), ("--html", html)].compactMap { flag, path in
                path.map { (flag, $0) }
            })
        let isTerminal = isatty(STDOUT_FILENO) == 1
        let style = Style.detect(isTerminal: isTerminal, columns: Console.columns) { Console.environment[$0] }
        let isLive = isTerminal && (Console.environment["CI"] ?? "").isEmpty
        let display = Mutex(BenchDisplay(mode: quiet ? .quiet : isLive ? .live : .plain, style: style))
        var topology = BenchTopology.Options()
        topology.workers = workers
        let world = World.real(threads: plan.threads + 1, seed: plan.seed, loops: .own)
        let bench = BenchRun(plan, subjects: subjects, topology: topology, world: world) { update in
            display.withLock { Console.write($0.text(for: update)) }
        }
        let interrupts = Mutex(0)
        try signals.forward {
            // Whoever asks twice will not wait for what is under way.
            if interrupts.withLock({ count in
                count += 1
                return count > 1
            }) {
                _exit(130)
            }
            bench.interrupt()
        }
        var result = await bench.run()
        result.baseline = earlier?.compared(with: result, tolerance: plan.tolerance)
        Console.write(display.withLock { $0.clear() })
        try finish(result, style)
    }

    private func finish(_ result: BenchResult, _ style: Style) throws {
        let report = BenchReport(result, style: style)
        if !report.text.isEmpty { Console.out(report.text) }
        for line in report.complaints { Console.error("gatecrash: \(line)") }
        let document = BenchDocument(result, program: Gatecrash.version, host: Console.host)
        if let json { try Console.write(document.json.text(indent: 2) + "\n", toFile: json) }
        if let markdown { try Console.write(BenchMarkdown(result, host: Console.host).text, toFile: markdown) }
        if let html {
            try Console.write(
                BenchPage(result, program: Gatecrash.version, host: Console.host).text, toFile: html)
        }
        if result.exitCode != 0 { throw ExitCode(result.exitCode) }
    }

    private func checkedPlan() throws -> (BenchPlan, [BenchSubject]) {
        var flags = BenchFlags()
        var problems = Problems()
        flags.urls = urls
        (flags.connections, flags.requests, flags.duration, flags.rate) = (connections, requests, duration, rate)
        (flags.arrivals, flags.method, flags.headers, flags.timeout) = (arrivals, method, header, timeout)
        (flags.warmup, flags.rounds, flags.threads, flags.keepsAlive) = (warmup, rounds, threads, keepalive)
        (flags.seed, flags.expectations, flags.tolerance) = (seed, expect, tolerance)
        (flags.mostLateness, flags.processes, flags.speed) = (maxLateness, pid, speed)
        (flags.allowsRemote, flags.isInsecure, flags.authorities) = (allowRemote, insecure, cacert)
        flags.body = body.map { ByteBuffer(string: $0) }
        if let bodyFile {
            if body != nil { problems.add(Problem(at: nil, "--body and --body-file: keep one")) }
            do { flags.body = ByteBuffer(bytes: try FileText.bytes(bodyFile)) } catch { problems.list += error.list }
        }
        if let replay {
            do { flags.log = (try FileText.read(replay), replay) } catch { problems.list += error.list }
        }
        do throws(Problems) {
            let plan = try flags.plan(cores: Console.cores)
            guard problems.isEmpty else { throw problems }
            return plan
        } catch {
            throw Console.refuse(
                problems.isEmpty
                    ? error
                    : Problems(
                        problems.list
                            + error.list.filter {
                                !problems.list.contains($0)
                            }))
        }
    }

    private func earlierResult() throws -> BenchBaseline? {
        guard let baseline else { return nil }
        do {
            return try BenchBaseline(parsing: try FileText.read(baseline), file: baseline)
        } catch let problems as Problems {
            throw Console.refuse(problems)
        } catch let problem as Problem {
            throw Console.refuse(Problems([problem]))
        }
    }
}

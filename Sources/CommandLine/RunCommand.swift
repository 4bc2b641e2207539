// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chaos
import Document
import Synchronization
import World

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run scenarios with real processes and judge what was seen.",
        discussion: """
            Starts the gateway and the mock APIs of each scenario on loopback, drives load, does what the time line \
            says, and judges health transitions, windows of errors and recovery times. Every process ends with the run.

            Exit codes: 0 pass, 1 fail, 2 invalid file or usage, 3 precondition not met, 4 inconclusive (the machine \
            was too slow to tell), 5 topology could not start, 6 internal error, 130 interrupted.
            """)

    @OptionGroup var scenarios: ScenarioOptions
    @Option(name: .long, help: "Scenarios at the same time.")
    var jobs = 1
    @Option(name: .customLong("repeat"), help: "Runs of every scenario; the seed of each is derived.")
    var repetitions: Int?
    @OptionGroup var reports: ReportOptions
    @Option(name: .long, help: ArgumentHelp("Keeps the journal of every run in this folder.", valueName: "folder"))
    var journal: String?
    @Flag(name: .shortAndLong, help: "Shows only what failed.")
    var quiet = false

    func validate() throws {
        if jobs < 1 { throw ValidationError("--jobs \(jobs): say 1 or more") }
        if let repetitions, repetitions < 1 { throw ValidationError("--repeat \(repetitions): say 1 or more") }
    }

    func run() async throws {
        let signals = Signals([SIGINT, SIGTERM])
        let entries = try scenarios.entries()
        let runs = entries.reduce(0) { $0 + (repetitions ?? $1.plan.repetitions) }
        let isTerminal = isatty(STDOUT_FILENO) == 1
        let style = Style.detect(isTerminal: isTerminal, columns: Console.columns) { Console.environment[$0] }
        let isLive = isTerminal && (Console.environment["CI"] ?? "").isEmpty
        let display = Mutex(SuiteDisplay(mode: quiet ? .quiet : isLive ? .live : .plain, style: style, total: runs))
        try reports.checkWritable()
        if let journal { try Console.makeFolder(journal, flag: "--journal") }

        let suite: SuiteRun
        do {
            suite = try SuiteRun(entries, options: options) { update in
                display.withLock { Console.write($0.text(for: update)) }
            }
        } catch {
            Console.error("gatecrash: \(error)")
            throw ExitCode(RunResult.topology.exitCode)
        }
        try signals.forward { suite.interrupt() }
        let finished = await suite.run()
        let judged = RepeatedBaseline.settled(finished.map(\.report))
        let summary = SuiteSummary(judged, style: style, planned: runs)
        Console.out(summary.text)
        try reports.write(judged)
        throw ExitCode(summary.result.exitCode)
    }

    private var options: SuiteRun.Options {
        var options = SuiteRun.Options()
        options.program = Gatecrash.version
        options.host = Console.host
        options.jobs = jobs
        options.repetitions = repetitions
        options.seed = scenarios.seed
        options.journalFolder = journal
        options.remotes = Remotes(scenarios.remotes)
        return options
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import Synchronization
package import World

/// A plan to run, and where it came from.
package struct SuiteEntry: Sendable {
    package var plan: Plan
    /// The scenario's file as it was given, and its text.
    package var file: String
    package var text: String

    package init(plan: Plan, file: String, text: String) {
        self.plan = plan
        self.file = file
        self.text = text
    }
}

/// A run that is over.
package struct FinishedRun: Sendable {
    package var report: RunReport
    /// Its place in the suite, from 0: files and cells in order, repetitions of one after the other.
    package var index: Int
    package var repetition: Int
    package var journalPath: String?
    /// Logs and generated documents; removed after a run that passed.
    package var folder: WorkFolder?
}

/// What a suite tells while it goes on. Comes from the loops of the runs.
package enum SuiteUpdate: Sendable {
    case began(index: Int, name: String, seed: UInt64)
    case run(index: Int, name: String, RunUpdate)
    case finished(FinishedRun)
}

/// Runs scenarios with real processes in real time: every cell and repetition, up to `jobs` at once. An edge of the
/// program, so it waits with `async`; each run lives on event loops of its own.
package final class SuiteRun: Sendable {
    package struct Options: Sendable {
        package var program = ""
        package var host = ""
        package var jobs = 1
        /// Nil: what each scenario says.
        package var repetitions: Int?
        /// Nil: what each scenario says, else drawn.
        package var seed: UInt64?
        /// A folder for journals; nil keeps none.
        package var journalFolder: String?
        /// Keeps the work folders of passed runs too.
        package var keepsFolders = false
        /// How long the precondition of a run may take to come true.
        package var steadyTimeout = TimeAmount.seconds(10)
        /// What gateways may connect to beyond this machine.
        package var remotes = Remotes()
        /// The program that children are.
        package var executable = ChildEnvironment.currentExecutable

        package init() {}
    }

    private struct Job: Sendable {
        var index: Int
        var entry: SuiteEntry
        var repetition: Int
        var seed: UInt64
        /// Of its file in the folder of journals; no two jobs have the same.
        var journalName: String
    }

    private struct Running: Sendable {
        var run: NIOLoopBound<ScenarioRun>
        var loop: any EventLoop
    }

    private struct State {
        var isInterrupted = false
        var running: [Int: Running] = [:]
    }

    private let jobs: [Job]
    private let options: Options
    private let supervisor: Supervisor
    private let notify: @Sendable (SuiteUpdate) -> Void
    private let state = Mutex(State())

    /// - Throws: `TopologyError` when the system has no thread or pipe left.
    package init(
        _ entries: [SuiteEntry], options: Options, notify: @escaping @Sendable (SuiteUpdate) -> Void
    ) throws(TopologyError) {
        self.options = options
        self.notify = notify
        supervisor = try Supervisor()
        jobs = Self.jobs(entries, options)
    }

    private static func jobs(_ entries: [SuiteEntry], _ options: Options) -> [Job] {
        var jobs: [Job] = []
        var names: Set<String> = []
        for entry in entries {
            let seed = options.seed ?? entry.plan.seed ?? World.drawSeed()
            for repetition in 1...max(1, options.repetitions ?? entry.plan.repetitions) {
                // The first run has the seed itself, so that it can be run again alone.
                var derived = RandomStream(seed: seed, name: "repetition \(repetition)")
                let stem = journalStem(entry, repetition)
                // Files of one id, such as the same scenario twice.
                let copies = (2...).lazy.map { "\(stem)~\($0)" }
                let name = names.contains(stem) ? copies.first { !names.contains($0) } ?? stem : stem
                names.insert(name)
                jobs.append(
                    Job(
                        index: jobs.count, entry: entry, repetition: repetition,
                        seed: repetition == 1 ? seed : derived.next(), journalName: name + ".jsonl"))
            }
        }
        return jobs
    }

    /// Runs everything.
    /// - Returns: what became of each run that was begun, in the order of the suite.
    package func run() async -> [FinishedRun] {
        let finished = await withTaskGroup(of: FinishedRun?.self) { group in
            var waiting = jobs[...]
            var finished: [FinishedRun] = []
            for _ in 0..<max(1, options.jobs) {
                if let job = waiting.popFirst() { group.addTask { await self.run(job) } }
            }
            for await result in group {
                if let result { finished.append(result) }
                if let job = waiting.popFirst() { group.addTask { await self.run(job) } }
            }
            return finished
        }
        return finished.sorted { $0.index < $1.index }
    }

    /// Stops what runs in order and begins nothing more; a second time, at once.
    package func interrupt() {
        let running = state.withLock { state in
            state.isInterrupted = true
            return state.running.sorted { $0.key < $1.key }.map(\.value)
        }
        for run in running { run.loop.execute { run.run.value.interrupt() } }
    }

    private func run(_ job: Job) async -> FinishedRun? {
        if state.withLock(\.isInterrupted) { return nil }
        let world = World.real(threads: 2, seed: job.seed)
        notify(.began(index: job.index, name: job.entry.plan.name, seed: job.seed))
        var finished = FinishedRun(
            report: RunReport(view: JournalView.Builder().finished(), verdict: RunVerdict(result: .internalError)),
            index: job.index, repetition: job.repetition)
        do {
            let folder = try WorkFolder()
            finished.folder = folder
            finished.journalPath = options.journalFolder.map { "\($0)/\(job.journalName)" }
            finished.report = try await report(of: job, world, folder, finished.journalPath)
        } catch {
            finished.report = Self.failed(job, error)
        }
        state.withLock { $0.running[job.index] = nil }
        try? await world.loops.shutdownGracefully()
        if finished.report.verdict.result == .pass, !options.keepsFolders {
            finished.folder?.remove()
            finished.folder = nil
        }
        notify(.finished(finished))
        return finished
    }

    private func report(
        of job: Job, _ world: World, _ folder: WorkFolder, _ journalPath: String?
    ) async throws -> RunReport {
        let (loop, loadLoop) = (world.loops.next(), world.loops.next())
        return try await loop.flatSubmit { () -> EventLoopFuture<RunReport> in
            do {
                let run = try self.makeRun(job, world, loop, loadLoop, folder, journalPath)
                let bound = NIOLoopBound(run, eventLoop: loop)
                let isInterrupted = self.state.withLock { state in
                    state.running[job.index] = Running(run: bound, loop: loop)
                    return state.isInterrupted
                }
                let report = run.run()
                if isInterrupted { run.interrupt() }
                return report.map { report in
                    // The run lives until it is over.
                    withExtendedLifetime(bound) { report }
                }
            } catch {
                return loop.makeFailedFuture(error)
            }
        }.get()
    }

    private func makeRun(
        _ job: Job, _ world: World, _ loop: any EventLoop, _ loadLoop: any EventLoop, _ folder: WorkFolder,
        _ journalPath: String?
    ) throws -> ScenarioRun {
        let plan = job.entry.plan
        var topologyOptions = ProcessTopology.Options(executable: options.executable, folder: folder)
        topologyOptions.remotes = options.remotes
        let driver = ProcessTopology(
            plan.topology, world: world, loop: loop, supervisor: supervisor, options: topologyOptions)
        var runOptions = ScenarioRun.Options()
        runOptions.program = options.program
        runOptions.host = options.host
        runOptions.file = job.entry.file
        runOptions.text = job.entry.text
        runOptions.repetition = job.repetition
        runOptions.journalPath = journalPath
        runOptions.steadyTimeout = options.steadyTimeout
        let (notify, index, name) = (notify, job.index, plan.name)
        return try ScenarioRun(
            plan, driver: driver, world: world, loadLoop: loadLoop, options: runOptions
        ) { update in notify(.run(index: index, name: name, update)) }
    }

    /// `walk-through[health_hit=false]-2`: names of files hold no blanks, no slashes, and are not too long for a file
    /// system (a cell's values may be anything).
    private static func journalStem(_ entry: SuiteEntry, _ repetition: Int) -> String {
        let stem = entry.plan.name.map { $0.isWhitespace || $0 == "/" || $0 == "\0" ? "-" : $0 }.prefix(60)
        return String(stem) + (repetition > 1 ? "-\(repetition)" : "")
    }

    /// A run that could not even begin.
    private static func failed(_ job: Job, _ error: any Error) -> RunReport {
        var builder = JournalView.Builder()
        var header = JournalEvent.Header(scenario: job.entry.plan.scenario)
        header.file = job.entry.file
        header.seed = job.seed
        header.repetition = job.repetition
        header.cell = job.entry.plan.variables.filter(\.isMatrixAxis).map { .init($0.name, "\($0.value)") }
        builder.append(.header(header))
        let isTopology = error is TopologyError
        builder.append(
            .end(.init(at: Instant(0), reason: isTopology ? .topology : .internalError, detail: "\(error)")))
        let view = builder.finished()
        return RunReport(view: view, verdict: RunJudge.judge(job.entry.plan, view))
    }
}

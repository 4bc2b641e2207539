// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
package import NIOCore
package import World

/// What a run tells while it goes on.
package enum RunUpdate: Sendable {
    case event(JournalEvent)
    case status(LiveStatus)
}

/// One run of one plan: starts the topology, waits for a steady state, runs loads and time line, stops everything, and
/// has the journal judged. It decides nothing about right or wrong. Confined to the driver's event loop.
///
/// ```
/// starting ─▶ steady? ─▶ load (time line beside it) ─▶ stopping ─▶ judged
///     └───────────┴──────────────┴── failure, watch-dog, interrupt ──▲
/// ```
package final class ScenarioRun {
    package struct Options: Sendable {
        /// The version of the program, for the journal.
        package var program = ""
        /// The scenario's file and its text, for the journal.
        package var file = ""
        package var text = ""
        /// Operating system and cores, for a person who wonders why a run was slow.
        package var host = ""
        /// From 1.
        package var repetition = 1
        package var isVirtual = false
        /// Where the journal is written; nil keeps it in memory alone.
        package var journalPath: String?
        /// Steps are done this much before their time, so that a request that arrives at that very instant meets their
        /// effect: changing a mock's switches takes a request of its own, 3 ms on a loaded machine. Zero in virtual
        /// time.
        package var lead = Nanoseconds.milliseconds(8)
        /// How long the precondition may take to come true.
        package var steadyTimeout = TimeAmount.seconds(10)

        package init() {}
    }

    enum Phase: String { case starting, steady, load, stopping, over }

    let plan: Plan
    let driver: any TopologyDriver
    let world: World
    /// Where loads live: not on the loop of links and records, so that these cannot delay a request.
    let loadLoop: any EventLoop
    let options: Options
    let journal: RunJournal
    private let notify: (RunUpdate) -> Void
    var loop: any EventLoop { driver.loop }
    var phase = Phase.starting
    var status: RunStatus
    var timeline: Timeline
    var markWatch: MarkWatch
    let observed: Observed
    var lastLogLook: NIODeadline?
    var lastWaitLook: NIODeadline?
    var waitTimer: Scheduled<Void>?
    /// Nodes whose metrics are being asked for, and those that had none.
    var scraping: Set<String> = []
    var scrapingFailed: Set<String> = []
    private var ticks = 0
    var timelineTimer: (task: Scheduled<Void>, due: NIODeadline)?
    /// The last step of each subject, so that steps on one follow each other.
    var lastStep: [String: EventLoopFuture<Void>] = [:]
    var loads: RunLoads?
    var loadStart: NIODeadline?
    /// When the first gateway had started: its probes count from here.
    var gatewayStart: NIODeadline?
    var canary: TimerCanary?
    private let began: NIODeadline
    private var ending: JournalEvent.End?
    private let promise: EventLoopPromise<RunReport>
    private var timers: [Scheduled<Void>] = []
    private var ticker: Scheduled<Void>?
    private var interrupts = 0

    /// - Parameters:
    ///   - driver: not started yet.
    ///   - notify: called on the loop.
    /// - Throws: `Problem` when the journal cannot be written.
    package init(
        _ plan: Plan, driver: any TopologyDriver, world: World, loadLoop: any EventLoop, options: Options,
        notify: @escaping (RunUpdate) -> Void
    ) throws(Problem) {
        driver.loop.assertInEventLoop()
        let plan = plan.drawn(world.random)
        self.plan = plan
        markWatch = MarkWatch(plan)
        observed = Observed(plan)
        self.driver = driver
        self.world = world
        self.loadLoop = loadLoop
        self.options = options
        self.notify = notify
        journal = try RunJournal(path: options.journalPath) { notify(.event($0)) }
        status = RunStatus(plan.topology)
        timeline = Timeline(plan.steps)
        began = driver.loop.now
        promise = driver.loop.makePromise(of: RunReport.self)
    }

    // MARK: Inputs

    /// Runs the plan.
    /// - Returns: the journal and the verdict over it. Never fails: whatever goes wrong is in them.
    package func run() -> EventLoopFuture<RunReport> {
        loop.assertInEventLoop()
        driver.onEvent = { [weak self] in self?.received($0) }
        timers.append(schedule(in: plan.timeout.timeAmount) { $0.timedOut() })
        tick()
        let missing = driver.missingPrograms()
        if !missing.isEmpty {
            end(.skipped, "this host has no \(missing.joined(separator: ", no ")): install it to run this scenario")
            return promise.futureResult
        }
        driver.start().assumeIsolated().whenComplete { result in
            switch result {
            case .success: self.started()
            case .failure(let error): self.end(.topology, Self.text(of: error))
            }
        }
        return promise.futureResult
    }

    /// Stops the run in order; a second time, at once.
    package func interrupt() {
        loop.assertInEventLoop()
        interrupts += 1
        if interrupts == 1 { end(.interrupted, "interrupted") } else { driver.kill() }
    }

    private func timedOut() {
        end(.timeout, "the watch-dog ended the run in its phase \"\(phase.rawValue)\"")
    }

    // MARK: Phases

    private func started() {
        guard phase == .starting else { return }
        phase = .steady
        guard let first = plan.steps.first, first.action == .checkpoint, first.trigger == .at(.start) else {
            return startLoad()
        }
        timeline.skip(0)
        SteadyState(plan, driver, timeout: options.steadyTimeout).reached().assumeIsolated().whenComplete { result in
            guard self.phase == .steady else { return }
            switch result {
            case .success:
                self.startLoad()
                self.journal.append(.step(self.step(0, .started, Instant(0))))
            case .failure(let error):
                self.begin(loadStart: self.loop.now)
                self.journal.append(.step(self.step(0, .failed, Instant(0), text: Self.text(of: error))))
                self.end(.precondition, Self.text(of: error))
            }
        }
    }

    private func startLoad() {
        phase = .load
        // A moment ahead, so that every load's loop is ready for its first arrival.
        let earliest = loop.now + .milliseconds(20)
        let start = LoadPhase(plan.topology).start(notBefore: earliest, gateway: gatewayStart ?? earliest)
        begin(loadStart: start)
        canary = TimerCanary(on: loop)
        watchWaits()
        let loads = RunLoads(self, start: start)
        self.loads = loads
        loads.run().assumeIsolated().whenComplete { _ in self.loadsEnded() }
        advanceTimeline()
    }

    /// The header is written when the start of the load is known, or known never to come.
    private func begin(loadStart start: NIODeadline) {
        guard loadStart == nil else { return }
        loadStart = start
        journal.begin(header(), loadStart: start)
    }

    private func loadsEnded() {
        guard phase == .load else { return }
        for index in timeline.unreached {
            let step = plan.steps[index]
            let name = step.name ?? step.action.phrase
            note("step \(name) (\(step.location)) was not reached before the load ended")
        }
        end(.finished, "")
    }

    /// Stops everything, whatever the phase; the first reason counts.
    func end(_ reason: JournalEvent.End.Reason, _ detail: String) {
        guard ending == nil else { return }
        ending = JournalEvent.End(at: Instant(0), reason: reason, detail: detail)
        // How busy the host is while processes end is nobody's concern.
        if phase == .load {
            reportLateness()
            waitTimer?.cancel()
            sampleWaits()
        }
        ending?.canary = canary?.lateness.quantiles
        canary?.stop()
        phase = .stopping
        timelineTimer?.task.cancel()
        begin(loadStart: loop.now)
        let stoppedLoads = loads?.stop() ?? loop.makeSucceededVoidFuture()
        stoppedLoads.assumeIsolated()
            .flatMap { self.takeBack() }
            .flatMap { self.driver.stop() }
            .whenComplete { _ in self.stopped() }
    }

    private func stopped() {
        readLogs()
        phase = .over
        for timer in timers { timer.cancel() }
        ticker?.cancel()
        guard var ending else { return }
        ending.at = Instant(now.count)
        if interrupts > 0, ending.reason == .topology {
            // A Ctrl-C reaches the whole process group of the terminal, also a child that is just being born in it.
            (ending.reason, ending.detail) = (.interrupted, "interrupted")
        }
        ending.generator = loads?.lateness?.quantiles
        let problem = journal.close(ending)
        let view = journal.takeView()
        var verdict = RunJudge.judge(plan, view)
        if let problem {
            verdict.reasons.append("\(problem)")
            if verdict.result == .pass { verdict.result = .internalError }
        }
        promise.succeed(RunReport(view: view, verdict: verdict))
    }

    // MARK: Helpers

    /// From the start of the load; before it, negative.
    var now: Nanoseconds { Nanoseconds((loop.now - (loadStart ?? loop.now)).nanoseconds) }

    func schedule(in delay: TimeAmount, _ body: @escaping (ScenarioRun) -> Void) -> Scheduled<Void> {
        loop.assumeIsolated().scheduleTask(in: delay) { [weak self] in if let self { body(self) } }
    }

    func note(_ text: String) { journal.append(at: loop.now) { .note(.init(at: $0, text: text)) } }

    static func text(of error: any Error) -> String { (error as? TopologyError)?.description ?? "\(error)" }

    private func tick() {
        ticker = schedule(in: .milliseconds(250)) { $0.tick() }
        ticks += 1
        takeSamples(tick: ticks)
        if phase == .load {
            reportLateness()
            learnSlowMarks()
        }
        let elapsed = loadStart == nil ? Nanoseconds((loop.now - began).nanoseconds) : max(.zero, now)
        let left = phase == .load ? plan.length.map { max(.zero, $0 - now) } : nil
        notify(.status(status.live(run: plan.name, phase: phaseName, elapsed: elapsed, left: left)))
    }

    /// The last named step that is in force says more than "load".
    private var phaseName: String {
        phase == .load ? timeline.active.last.flatMap { plan.steps[$0].name } ?? phase.rawValue : phase.rawValue
    }

    private func reportLateness() {
        let at = Instant(now.count)
        if let late = canary?.takeWorst(), late > .zero {
            journal.append(.lateness(.init(at: at, source: .canary, late: late.count)))
        }
        loads?.reportLateness(at: at)
    }
}

extension Lateness {
    /// Nil when nothing was measured.
    var quantiles: JournalEvent.Quantiles? {
        guard count > 0 else { return nil }
        return JournalEvent.Quantiles(
            count: count, p50: quantile(50).count, p99: quantile(99).count, p999: quantile(99.9).count,
            max: worst.count)
    }
}

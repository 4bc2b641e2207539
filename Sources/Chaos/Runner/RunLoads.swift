// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The loads of a run on their own event loop, seen from the run's: started together, stopped together, every request
/// told to the run. The methods are for the run's loop.
final class RunLoads {
    private let owner: NIOLoopBound<ScenarioRun>
    private let runLoop: any EventLoop
    private let loadLoop: any EventLoop
    private let generators: EventLoopFuture<[NIOLoopBound<LoadGenerator>]>
    private let canary: EventLoopFuture<NIOLoopBound<TimerCanary>>
    /// Of the generator that was latest; nil until all have ended.
    private(set) var lateness: Lateness?

    init(_ run: ScenarioRun, start: NIODeadline) {
        let (runLoop, loadLoop) = (run.loop, run.loadLoop)
        owner = NIOLoopBound(run, eventLoop: runLoop)
        self.runLoop = runLoop
        self.loadLoop = loadLoop
        let (world, bound) = (run.world, owner)
        let jobs = run.plan.loads.compactMap { spec in run.driver.proxyAddress(of: spec.to).map { (spec, $0) } }
        generators = loadLoop.submit {
            jobs.map { spec, address in
                let generator = LoadGenerator(
                    spec: spec, world: world, loop: loadLoop, start: start, address: address,
                    authority: "\(address.ipAddress ?? "localhost"):\(address.port ?? 80)",
                    text: { $0.text(number: $1) },
                    report: { result in
                        let request = JournalEvent.Request(result, spec)
                        runLoop.execute { bound.value.received(request) }
                    })
                return NIOLoopBound(generator, eventLoop: loadLoop)
            }
        }
        canary = loadLoop.submit { NIOLoopBound(TimerCanary(on: loadLoop), eventLoop: loadLoop) }
    }

    /// - Returns: when every load has ended and every request was told. Never fails.
    func run() -> EventLoopFuture<Void> {
        let loop = loadLoop
        let summaries = generators.flatMap { generators in
            EventLoopFuture.whenAllSucceed(generators.map { $0.value.run() }, on: loop)
        }
        return summaries.hop(to: runLoop).assumeIsolated()
            .map { (summaries: [LoadSummary]) in
                self.lateness = summaries.map(\.lateness).max { $0.worst < $1.worst }
                self.canary.whenSuccess { canary in loop.execute { canary.value.stop() } }
            }
            .recover { _ in }
            .nonisolated()
    }

    /// Sends nothing more; what is under way is given up.
    func stop() -> EventLoopFuture<Void> {
        generators.map { for generator in $0 { generator.value.stop() } }
            // After the last request was told: the loop does things in order.
            .hop(to: runLoop)
            .recover { _ in }
    }

    func reportLateness(at instant: Instant) {
        let (run, loop) = (owner, runLoop)
        canary.map { $0.value.takeWorst() }.hop(to: loop).whenSuccess { late in
            guard late > .zero else { return }
            run.value.journal.append(.lateness(.init(at: instant, source: .generator, late: late.count)))
        }
    }
}

extension JournalEvent.Request {
    /// What a load generator saw. Whose answer it was is for the mocks' records to say.
    init(_ result: LoadResult, _ spec: LoadSpec) {
        var only = spec.mix.count == 1 ? spec.mix.first?.request : nil
        if case .replay(let log, _) = spec.shape, log.entries.indices.contains(result.number - 1) {
            let entry = log.entries[result.number - 1]
            only?.method = entry.method
            only?.path = TextTemplate(String(entry.target.prefix { $0 != "?" }))
        }
        // As the mocks' records have it.
        if spec.isWebSocket { only?.method = "WS" }
        self.init(
            load: result.load, n: result.number, method: only?.method ?? "",
            path: only?.path.text(number: result.number) ?? "", planned: result.planned.count, sent: result.sent?.count,
            firstByte: result.firstByte?.count, end: result.ended.count, status: result.status,
            failure: result.failure.map { Failure(rawValue: $0.rawValue) ?? .other },
            outcome: Outcome(rawValue: result.outcome.rawValue) ?? .unknown, bytes: result.bytes,
            connection: result.connection, isWarmup: result.isWarmup)
    }
}

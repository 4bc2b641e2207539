// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DequeModule
package import NIOCore
import Wire
package import World

/// What a load has done when it is over.
package struct LoadSummary: Sendable {
    package var requests = 0
    package var ok = 0
    package var failed = 0
    package var unknown = 0
    /// Of the generator itself: from the planned start of a request to when it was taken up. Not the gateway's doing.
    package var lateness = Lateness()
    /// Requests that waited because `connections.max` were in use: neither the generator's lateness nor left out of
    /// their latency.
    package var queued = 0
    package var longestQueue = 0

    mutating func count(_ outcome: LoadResult.Outcome) {
        switch outcome {
        case .ok: ok += 1
        case .failed: failed += 1
        case .unknown: unknown += 1
        }
    }
}

/// Sends the requests of one load at their planned starts and says what became of each. An open loop never waits: not
/// for answers, not for connections below the limit. Confined to its event loop; every call comes from there.
package final class LoadGenerator {
    private enum Pacing {
        /// Planned starts, one after the other; nil when there is none left.
        case open(OpenPacer)
        case replay(ReplayPacer)
        case closed(ClosedPacer, clients: Int)
    }

    package private(set) var summary = LoadSummary()
    private let spec: LoadSpec
    private let clock: LoadClock
    private let carrier: any LoadCarrier
    private var pacing: Pacing
    private var factory: LoadRequestFactory
    private let report: (LoadResult) -> Void
    private var promise: EventLoopPromise<LoadSummary>?
    /// In the order of their deadlines, for all have the same timeout; those in front that are over are dropped.
    private var underWay: Deque<LoadExchange> = []
    private var inFlight = 0
    private var thinking = 0
    private var isPacing = true
    private var pacingTimer: Scheduled<Void>?
    private var timeoutTimer: Scheduled<Void>?

    /// - Parameters:
    ///   - start: zero of all times; the same for all loads of a run, in the future or now.
    ///   - address: what the load is aimed at.
    ///   - authority: for the Host header.
    ///   - text: fills in a template for the number of a request.
    ///   - report: called once a request, on the loop, in the order of their ends.
    package init(
        spec: LoadSpec, world: World, loop: any EventLoop, start: NIODeadline, address: SocketAddress,
        authority: String,
        text: @escaping (TextTemplate, Int) -> String, report: @escaping (LoadResult) -> Void
    ) {
        loop.assertInEventLoop()
        self.spec = spec
        self.report = report
        clock = LoadClock(loop: loop, start: start)
        let factory = LoadRequestFactory(
            spec: spec, authority: authority, random: world.random.stream("load \(spec.id) mix"), text: text)
        self.factory = factory
        if spec.isWebSocket {
            carrier = WebSocketSessions(
                network: world.network, address: address, loop: loop, timeout: spec.timeout.timeAmount,
                load: spec.id, head: factory.sessionHead, random: world.random.stream("load \(spec.id) frames"))
        } else {
            carrier = LoadPool(
                network: world.network, address: address, loop: loop, maximum: spec.maximumConnections,
                connectTimeout: spec.timeout.timeAmount)
        }
        switch spec.shape {
        case .open(let stages, let arrivals):
            let random = world.random.stream("load \(spec.id) arrivals")
            pacing = .open(OpenPacer(stages: stages, arrivals: arrivals, random: random))
        case .replay(let log, let speed): pacing = .replay(ReplayPacer(log, speed: speed))
        case .closed(let clients, let think, let requests, let length):
            pacing = .closed(ClosedPacer(think: think, requests: requests, length: length), clients: clients)
        }
    }

    /// Runs the load.
    ///
    /// - Returns: when the last request is over. Never fails.
    package func run() -> EventLoopFuture<LoadSummary> {
        clock.loop.assertInEventLoop()
        precondition(promise == nil, "load \(spec.id) runs once")
        let promise = clock.loop.makePromise(of: LoadSummary.self)
        self.promise = promise
        // The load lives until it is over, whoever else lets go of it.
        promise.futureResult.assumeIsolated().whenComplete { _ in withExtendedLifetime(self) {} }
        switch pacing {
        case .open, .replay: plan(nextStart())
        case .closed(_, let clients):
            thinking = clients
            pacingTimer = schedule(at: .zero) { $0.startClients(clients) }
        }
        return promise.futureResult
    }

    /// Sends nothing more and gives up what is under way (`aborted`).
    package func stop() {
        clock.loop.assertInEventLoop()
        isPacing = false
        thinking = 0
        pacingTimer?.cancel()
        let exchanges = underWay
        for exchange in exchanges { exchange.end(.aborted) }
        finishIfOver()
    }

    private func schedule(at moment: Nanoseconds, _ body: @escaping (LoadGenerator) -> Void) -> Scheduled<Void> {
        clock.loop.assumeIsolated().scheduleTask(deadline: clock.deadline(of: moment)) { [weak self] in
            if let self { body(self) }
        }
    }

    // MARK: Open loop

    private func nextStart() -> Nanoseconds? {
        switch pacing {
        case .open(var pacer):
            let next = pacer.nextStart()
            pacing = .open(pacer)
            return next
        case .replay(var pacer):
            let next = pacer.nextStart()
            pacing = .replay(pacer)
            return next
        case .closed: return nil
        }
    }

    /// Sends the request that is due and all others that have become due meanwhile.
    private func arrive(_ first: Nanoseconds) {
        guard isPacing else { return }
        var next: Nanoseconds? = first
        while isPacing, let planned = next, planned <= clock.now {
            take(planned) { _ in }
            next = nextStart()
        }
        plan(next)
    }

    private func plan(_ next: Nanoseconds?) {
        guard isPacing else { return }
        if let next {
            pacingTimer = schedule(at: next) { $0.arrive(next) }
        } else {
            isPacing = false
            finishIfOver()
        }
    }

    // MARK: Closed loop

    private func startClients(_ clients: Int) {
        for _ in 0..<clients {
            guard case .closed(var pacer, let count) = pacing else { return }
            let planned = pacer.firstStart()
            pacing = .closed(pacer, clients: count)
            act(at: planned)
        }
    }

    /// A client sends its next request at the planned time, or is done.
    private func act(at planned: Nanoseconds?) {
        guard let planned, isPacing else {
            thinking = max(0, thinking - 1)
            if thinking == 0 { finishIfOver() }
            return
        }
        if planned > clock.now {
            _ = schedule(at: planned) { $0.act(at: planned) }
            return
        }
        thinking -= 1
        take(planned) { [self] end in
            guard case .closed(var pacer, let count) = pacing else { return }
            let next = pacer.nextStart(after: end)
            pacing = .closed(pacer, clients: count)
            thinking += 1
            act(at: next)
        }
    }

    // MARK: Requests

    /// Takes up a request whose time has come; `then` is called with the time of its end.
    private func take(_ planned: Nanoseconds, then: @escaping (Nanoseconds) -> Void) {
        summary.requests += 1
        let number = summary.requests
        let lateness = clock.now - planned
        let blank = LoadResult(
            load: spec.id, number: number, planned: planned, ended: planned, outcome: .failed,
            isWarmup: planned < spec.warmup)
        let exchange = LoadExchange(
            blank, request: factory.request(number), clock: clock, timeout: spec.timeout.timeAmount
        ) { [self] exchange in
            inFlight -= 1
            summary.count(exchange.result.outcome)
            report(exchange.result)
            then(exchange.result.ended)
            while underWay.first?.isOver == true { underWay.removeFirst() }
            finishIfOver()
        }
        inFlight += 1
        underWay.append(exchange)
        if timeoutTimer == nil { watch() }
        summary.lateness.record(lateness)
        if !carrier.carry(exchange) { summary.queued += 1 }
    }

    /// Sets the one timer to the deadline of the oldest request that is still under way.
    private func watch() {
        timeoutTimer = nil
        while let first = underWay.first {
            if first.isOver {
                underWay.removeFirst()
            } else if first.deadline <= clock.loop.now {
                underWay.removeFirst()
                first.end(.timeout)
            } else {
                timeoutTimer = clock.loop.assumeIsolated().scheduleTask(deadline: first.deadline) { [weak self] in
                    self?.watch()
                }
                return
            }
        }
    }

    private func finishIfOver() {
        guard !isPacing || isEveryClientDone, inFlight == 0, thinking == 0, let promise else { return }
        isPacing = false
        self.promise = nil
        timeoutTimer?.cancel()
        summary.longestQueue = carrier.longestQueue
        carrier.close()
        promise.succeed(summary)
    }

    private var isEveryClientDone: Bool { if case .closed = pacing { thinking == 0 } else { false } }
}

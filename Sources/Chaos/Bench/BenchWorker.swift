// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DequeModule
import NIOCore
import World

/// One event loop's share of a round: its connections, its part of the planned starts, its records. Confined to the
/// loop; every call comes from there.
///
/// ```
/// closed   client ── request ── answer ── request ── answer …        each waits for its own answer only
/// open     planned  |   |   |   |   |                                 request n starts at its time,
///          sent     |   |   |  ·|   |                                 on an idle connection or a new one,
///          answers    |   |        | |  |                             or waits in the queue at the limit
/// ```
final class BenchWorker {
    /// How long a client that could not connect waits: a dead server is asked a hundred times a second, not a million.
    private static let pause = TimeAmount.milliseconds(10)

    let job: BenchJob
    let loop: any EventLoop
    let network: any Network
    private(set) var recorder: BenchRecorder
    /// What TLS objected to last.
    var tlsProblem: String?
    private var start = NIODeadline.uptimeNanoseconds(0)
    private var connections: [BenchConnection] = []
    private var idle: [BenchConnection] = []
    private var queue: Deque<(planned: Int64, takenUp: Int64, request: Int)> = []
    private var pacer: BenchPacer
    /// Clients of a closed loop that are not done, or 1 for an open loop that has starts left.
    private var pacing = 0
    private var inFlight = 0
    private var granted = 0
    private let quota: Int?
    private var mostConnections: Int
    private var timer: Scheduled<Void>?
    private var promise: EventLoopPromise<BenchRecorder>?

    /// - Parameters:
    ///   - index: of this worker among `count`.
    init(_ job: BenchJob, index: Int, of count: Int, loop: any EventLoop, network: any Network, random: RandomStreams) {
        loop.assertInEventLoop()
        self.job = job
        self.loop = loop
        self.network = network
        pacer = BenchPacer(job.pacing, index: index, of: count, random: random)
        quota = job.quota.map { BenchJob.share($0, index, of: count) }
        var isClosed = false
        switch job.pacing {
        case .closed(let clients):
            isClosed = true
            mostConnections = BenchJob.share(clients, index, of: count)
        case .open(_, _, let connections), .replay(_, let connections):
            mostConnections = max(1, BenchJob.share(connections, index, of: count))
        }
        recorder = BenchRecorder(
            window: (job.warmup, job.end), tellsSendsApart: !isClosed || !job.reusesConnections, interval: job.interval)
    }

    var now: Int64 { (loop.now - start).nanoseconds }
    func deadline(of moment: Int64) -> NIODeadline { start + .nanoseconds(moment) }

    // MARK: Inputs

    /// Opens connections, so that no request of the round waits for one: all of a closed loop, one of an open loop.
    ///
    /// - Returns: the first error when none could be opened, nil when one could. Never fails.
    func prepare() -> EventLoopFuture<(any Error)?> {
        loop.assertInEventLoop()
        let count = if case .closed = job.pacing { mostConnections } else { 1 }
        connections = (0..<count).map { _ in BenchConnection(worker: self) }
        guard count > 0 else { return loop.makeSucceededFuture(nil) }
        let (loop, attempts) = (loop, connections.map { $0.open() })
        return EventLoopFuture.whenAllComplete(attempts, on: loop).assumeIsolated().map { (results) -> (any Error)? in
            if !results.contains(where: { (try? $0.get()) != nil }), case .failure(let error)? = results.first {
                return error
            }
            return nil
        }.nonisolated()
    }

    /// Runs the worker's share.
    ///
    /// - Parameter start: zero of all times, the same for all workers.
    /// - Returns: when the last request is over. Never fails.
    func run(from start: NIODeadline) -> EventLoopFuture<BenchRecorder> {
        loop.assertInEventLoop()
        precondition(promise == nil, "a worker runs once")
        self.start = start
        let promise = loop.makePromise(of: BenchRecorder.self)
        self.promise = promise
        if case .closed = job.pacing {
            pacing = connections.count
            timer = schedule(at: start) { worker in
                for client in worker.connections { worker.next(client, at: worker.now) }
                worker.finishIfOver()
            }
        } else {
            idle = connections
            pacing = 1
            plan()
        }
        return promise.futureResult
    }

    /// Sends nothing more and gives up what is under way.
    func stop() {
        loop.assertInEventLoop()
        pacing = 0
        recorder.abandoned += inFlight + queue.count
        inFlight = 0
        queue.removeAll()
        finishIfOver()
    }

    private func schedule(at moment: NIODeadline, _ body: @escaping (BenchWorker) -> Void) -> Scheduled<Void> {
        loop.assumeIsolated().scheduleTask(deadline: moment) { [self] in if promise != nil { body(self) } }
    }

    // MARK: Closed loop

    /// The client sends its next request now, or is done.
    private func next(_ client: BenchConnection, at now: Int64) {
        guard pacing > 0, grants(now) else {
            pacing = max(0, pacing - 1)
            return
        }
        inFlight += 1
        client.start(job.requests[0], planned: now, takenUp: now, now: now)
    }

    private func grants(_ planned: Int64) -> Bool {
        if let end = job.end, planned >= end { return false }
        guard planned >= job.warmup, let quota else { return true }
        if granted >= quota { return false }
        granted += 1
        return true
    }

    // MARK: Open loop

    private func plan() {
        guard pacing > 0 else { return }
        guard let next = pacer.next, grantsOpen(next) else {
            pacing = 0
            return finishIfOver()
        }
        timer = schedule(at: deadline(of: next)) { $0.arrive() }
    }

    private func grantsOpen(_ planned: Int64) -> Bool {
        if let end = job.end, planned >= end { return false }
        return quota.map { granted < $0 } ?? true
    }

    /// Takes up the request that is due and all others that have become due meanwhile.
    private func arrive() {
        var now = now
        while pacing > 0, let planned = pacer.next, grantsOpen(planned) {
            if planned > now {
                now = self.now
                if planned > now { break }
            }
            let request = pacer.take()
            if planned >= job.warmup { granted += 1 }
            recorder.tookUp(planned, at: now)
            carry(planned, request, at: now)
        }
        plan()
    }

    private func carry(_ planned: Int64, _ request: Int, at now: Int64) {
        if let connection = idle.popLast() {
            begin(connection, planned, request, takenUp: now, at: now)
        } else if connections.count < mostConnections {
            let connection = BenchConnection(worker: self)
            connections.append(connection)
            begin(connection, planned, request, takenUp: now, at: now)
        } else {
            recorder.queued += 1
            queue.append((planned, now, request))
        }
    }

    private func begin(
        _ connection: BenchConnection, _ planned: Int64, _ request: Int, takenUp: Int64, at now: Int64
    ) {
        inFlight += 1
        let request = job.requests[job.requests.count == 1 ? 0 : request]
        connection.start(request, planned: planned, takenUp: takenUp, now: now)
    }

    /// A connection is free: the request that has waited longest has it, unless it has waited too long.
    private func release(_ connection: BenchConnection, at now: Int64) {
        while let (planned, takenUp, request) = queue.popFirst() {
            if now - takenUp < job.timeout.nanoseconds {
                return begin(connection, planned, request, takenUp: takenUp, at: now)
            }
            recorder.ended(planned: planned, sent: planned, at: now, status: 0, bytes: 0, failure: .timeout)
        }
        idle.append(connection)
    }

    // MARK: Connections

    func opened() { recorder.connections += 1 }

    /// The request of a connection is over.
    func ended(_ connection: BenchConnection, _ failure: BenchFailure?) {
        guard promise != nil else { return }
        inFlight -= 1
        let now = now
        recorder.ended(
            planned: connection.planned, sent: connection.sent, at: now, status: connection.status,
            bytes: connection.bytes, failure: failure)
        guard case .closed = job.pacing else {
            release(connection, at: now)
            return finishIfOver()
        }
        if let failure, failure != .badStatus, failure != .timeout {
            _ = schedule(at: loop.now + Self.pause) { worker in
                worker.next(connection, at: worker.now)
                worker.finishIfOver()
            }
        } else {
            next(connection, at: now)
            finishIfOver()
        }
    }

    private func finishIfOver() {
        guard pacing == 0, inFlight == 0, queue.isEmpty, let promise else { return }
        self.promise = nil
        timer?.cancel()
        let connections = connections
        self.connections = []
        idle = []
        for connection in connections { connection.close() }
        promise.succeed(recorder)
    }
}

/// A worker's part of the planned starts: one after the other, nanoseconds from the start of the round.
struct BenchPacer {
    private enum Source {
        case none
        case open(OpenPacer, offset: Int64)
        case replay([Int64], index: Int, step: Int)
    }

    private var source: Source
    private(set) var next: Int64?

    /// Even arrivals are dealt round to the workers; Poisson arrivals of a rate are the sum of independent ones of its
    /// parts.
    init(_ pacing: BenchJob.Pacing, index: Int, of count: Int, random: RandomStreams) {
        switch pacing {
        case .closed: source = .none
        case .open(let stages, let arrivals, _):
            let parts = stages.map { $0.part(of: count) }
            let pacer = OpenPacer(
                stages: parts, arrivals: arrivals, random: random.stream("bench arrivals \(index)"))
            source = .open(pacer, offset: arrivals == .even ? Self.offset(stages, index) : 0)
        case .replay(let starts, _): source = .replay(starts, index: index, step: count)
        }
        advance()
    }

    private static func offset(_ stages: [LoadSpec.Stage], _ index: Int) -> Int64 {
        guard case .rate(let rate, _, _)? = stages.first, rate.perSecond > 0 else { return 0 }
        return Int64((Double(index) / rate.perSecond * 1e9).rounded())
    }

    /// Takes the next start off.
    ///
    /// - Returns: the index of its request in a replay, else 0.
    mutating func take() -> Int {
        guard case .replay(_, let index, let step) = source else {
            advance()
            return 0
        }
        advance()
        return index - step
    }

    private mutating func advance() {
        switch source {
        case .none: next = nil
        case .open(var pacer, let offset):
            // Nothing else may hold the pacer while it changes.
            source = .none
            next = pacer.nextStart().map { $0.count + offset }
            source = .open(pacer, offset: offset)
        case .replay(let starts, let index, let step):
            next = index < starts.count ? starts[index] : nil
            source = .replay(starts, index: index + step, step: step)
        }
    }
}

extension LoadSpec.Stage {
    /// One of `count` equal parts of the stage's rate, all of the stage's length.
    fileprivate func part(of count: Int) -> LoadSpec.Stage {
        switch self {
        case .rate(let from, let to, let length):
            .rate(
                from: Rate(perSecond: from.perSecond / Double(count)),
                to: Rate(perSecond: to.perSecond / Double(count)),
                length: length)
        case .burst(let size, let period, let length):
            .burst(size: max(1, size / count), period: period, length: length)
        }
    }
}

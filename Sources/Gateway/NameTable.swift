// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DNS
import NIOCore

/// The addresses of the host names that a configuration speaks of: from `--resolve`, from the text itself, or looked up
/// and looked up again. Confined to the control loop.
final class NameTable {
    enum Answer: Hashable {
        case found([NameAnswer.Address], RecordType)
        /// Being looked up for the first time.
        case pending
        case failed(NameFailure)
    }

    /// When a name is looked up again.
    struct Times {
        /// After an answer that does not tell for how long it holds.
        var unknown: TimeAmount
        /// After a name was not found, and after every other failure.
        var notFound: TimeAmount
        var error: TimeAmount
        /// How long an answer that has run out is used while the resolver fails.
        var stale: TimeAmount
        /// A time to live of zero would have it looked up without end; Kong's renewal runs once a second.
        static let shortest = TimeAmount.seconds(1)
    }

    private struct Name: Hashable {
        var host: String
        var port: Int
    }

    private let loop: any EventLoop
    private let resolve: (_ host: String, _ port: Int) -> EventLoopFuture<NameAnswer>
    private let fixed: [String: SocketAddress]
    private let times: Times
    /// The answer for `host:port` is another one than before.
    private let changed: (String, Answer) -> Void
    private var answers: [Name: Answer] = [:]
    /// When the last good answer of a name has run out.
    private var expiries: [Name: NIODeadline] = [:]
    private var wanted: Set<Name> = []
    /// The next look-up of each name.
    private var timers: [Name: Scheduled<Void>] = [:]
    private var waiting: [EventLoopPromise<Void>] = []
    private var isStopped = false

    /// - Parameter resolve: called on the loop; fails with `NameFailure`.
    init(
        loop: any EventLoop, fixed: [String: SocketAddress], times: Times,
        resolve: @escaping (_ host: String, _ port: Int) -> EventLoopFuture<NameAnswer>,
        changed: @escaping (String, Answer) -> Void
    ) {
        self.loop = loop
        self.resolve = resolve
        self.fixed = fixed
        self.times = times
        self.changed = changed
    }

    /// What is known of a name now; a name that is asked for the first time is looked up.
    func addresses(of host: String, port: Int) -> Answer {
        if let literal = try? SocketAddress(ipAddress: host, port: port) { return Self.answer([literal]) }
        if let address = fixed["\(host.lowercased()):\(port)"] { return Self.answer([address]) }
        let name = Name(host: host.lowercased(), port: port)
        wanted.insert(name)
        if let answer = answers[name] { return answer }
        answers[name] = .pending
        lookUp(name)
        return .pending
    }

    private static func answer(_ addresses: [SocketAddress]) -> Answer {
        let answer = NameAnswer(addresses)
        return .found(answer.addresses, answer.type)
    }

    /// Names that nobody asks for until `endRound` are forgotten.
    func beginRound() { wanted = [] }
    func endRound() {
        answers = answers.filter { wanted.contains($0.key) }
        expiries = expiries.filter { wanted.contains($0.key) }
        timers = timers.filter { name, timer in
            if wanted.contains(name) { return true }
            timer.cancel()
            return false
        }
        tellWaiting()
    }

    func stop() {
        isStopped = true
        answers = [:]
        for timer in timers.values { timer.cancel() }
        timers = [:]
        tellWaiting()
    }

    /// Completes when every name has an answer of some kind, or after `limit`.
    func settled(within limit: TimeAmount) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        waiting.append(promise)
        let timer = loop.scheduleTask(in: limit) { promise.succeed() }
        promise.futureResult.whenComplete { _ in timer.cancel() }
        tellWaiting()
        return promise.futureResult
    }

    private func tellWaiting() {
        guard !answers.values.contains(.pending) else { return }
        for promise in waiting { promise.succeed() }
        waiting = []
    }

    private func lookUp(_ name: Name) {
        guard !isStopped else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        resolve(name.host, name.port).hop(to: loop).whenComplete { result in bound.value.learned(result, of: name) }
    }

    private func learned(_ result: Result<NameAnswer, any Error>, of name: Name) {
        guard !isStopped, let old = answers[name] else { return }
        var answer: Answer
        let next: TimeAmount
        switch result {
        case .success(let found):
            answer = .found(found.addresses, found.type)
            next = found.lifetime.map { max($0, Times.shortest) } ?? times.unknown
            expiries[name] = loop.now + next
        case .failure(let error):
            let failure = error as? NameFailure ?? NameFailure(.empty, "\(error)")
            answer = .failed(failure)
            next = max(failure.meansNoRecord ? times.notFound : times.error, Times.shortest)
            // That a name does not exist is an answer; everything else is the lack of one (kong.conf dns_stale_ttl).
            if failure.kind != .noSuchName, case .found = old, let expiry = expiries[name],
                loop.now < expiry + times.stale
            {
                answer = old
            }
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        timers[name]?.cancel()
        timers[name] = loop.scheduleTask(in: next) { bound.value.again(name) }
        guard answer != old else { return }
        answers[name] = answer
        changed("\(name.host):\(name.port)", answer)
    }

    private func again(_ name: Name) {
        if answers[name] != nil { lookUp(name) }
    }
}

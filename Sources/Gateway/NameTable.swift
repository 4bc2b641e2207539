// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import World

/// The addresses of the host names that a configuration speaks of: from `--resolve`, from the text itself, or looked up
/// and looked up again. Confined to the control loop.
final class NameTable {
    enum Answer: Hashable {
        case addresses([SocketAddress])
        /// Being looked up for the first time.
        case pending
        /// In the resolver's words.
        case failed(String)
    }

    private struct Name: Hashable {
        var host: String
        var port: Int
    }

    private let loop: any EventLoop
    private let network: any Network
    private let fixed: [String: SocketAddress]
    private let interval: TimeAmount
    /// An answer is another one than before.
    private let changed: () -> Void
    private var answers: [Name: Answer] = [:]
    private var wanted: Set<Name> = []
    /// The next look-up of each name.
    private var timers: [Name: Scheduled<Void>] = [:]
    private var waiting: [EventLoopPromise<Void>] = []
    private var isStopped = false

    init(
        loop: any EventLoop, network: any Network, fixed: [String: SocketAddress], interval: TimeAmount,
        changed: @escaping () -> Void
    ) {
        self.loop = loop
        self.network = network
        self.fixed = fixed
        self.interval = interval
        self.changed = changed
    }

    /// What is known of a name now; a name that is asked for the first time is looked up.
    func addresses(of host: String, port: Int) -> Answer {
        if let literal = try? SocketAddress(ipAddress: host, port: port) { return .addresses([literal]) }
        if let address = fixed["\(host.lowercased()):\(port)"] { return .addresses([address]) }
        let name = Name(host: host.lowercased(), port: port)
        wanted.insert(name)
        if let answer = answers[name] { return answer }
        answers[name] = .pending
        lookUp(name)
        return .pending
    }

    /// Names that nobody asks for until `endRound` are forgotten.
    func beginRound() { wanted = [] }
    func endRound() {
        answers = answers.filter { wanted.contains($0.key) }
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
        network.resolve(name.host, port: name.port, on: loop).hop(to: loop).whenComplete { result in
            switch result {
            case .success(let addresses): bound.value.learned(.addresses(addresses), of: name)
            case .failure(let error): bound.value.learned(.failed("\(error)"), of: name)
            }
        }
    }

    private func learned(_ answer: Answer, of name: Name) {
        guard !isStopped, let old = answers[name] else { return }
        // A name that could be resolved once keeps its addresses while the resolver fails (kong.conf dns_stale_ttl).
        var isNews = old != answer
        if case .addresses = old, case .failed = answer { isNews = false }
        if isNews { answers[name] = answer }
        let bound = NIOLoopBound(self, eventLoop: loop)
        timers[name]?.cancel()
        timers[name] = loop.scheduleTask(in: interval) { bound.value.again(name) }
        if isNews { changed() }
    }

    private func again(_ name: Name) {
        if answers[name] != nil { lookUp(name) }
    }
}

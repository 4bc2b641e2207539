// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document
package import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What becomes of a process of the topology.
package enum ProcessChange: Hashable, Sendable {
    case started(pid: Int32)
    /// It has said where it listens.
    case ready(pid: Int32)
    /// `isExpected`: the runner killed or stopped it.
    case exited(ProcessExit, isExpected: Bool)
    case paused
    case resumed
}

/// A gateway or mock API as a child process through all its lives: started, ready, paused, killed, started again from
/// the same specification. It acts and tells; when is for others to say. Lives on one loop.
package final class NodeProcess {
    package enum State: Hashable, Sendable { case dead, starting, running, paused }

    package enum Event: Sendable {
        /// A record from its stdout other than `ready`.
        case record(JSONValue)
        case change(ProcessChange, at: NIODeadline)
    }

    /// How it is known that a process is ready.
    package enum Readiness {
        /// It writes a `ready` record.
        case told
        /// It is asked again and again: whether it takes connections, for one.
        case asked(() -> EventLoopFuture<Bool>)
    }

    /// A moment between two questions whether a process is ready.
    private static let questionPause = TimeAmount.milliseconds(20)

    /// A child takes this long to say that it is ready only when it never will. Ready is a matter of 100 ms; a debug
    /// build on a loaded machine takes a few seconds.
    package static let startTimeout = TimeAmount.seconds(20)
    /// A process stops and goes on within a scheduling round; one that the kernel holds in a system call (a dead disk)
    /// never does.
    package static let signalTimeout = TimeAmount.seconds(10)

    package let name: String
    package private(set) var state = State.dead
    package private(set) var process: ChildProcess?
    private let specification: ChildSpecification
    private let supervisor: Supervisor
    private let loop: any EventLoop
    private let startTimeout: TimeAmount
    private let signalTimeout: TimeAmount
    private let readiness: Readiness
    private let onEvent: (Event) -> Void
    /// Counts lives, so that what a former one says late is not taken for the present one's.
    private var life = 0
    private var isExitExpected = false
    private var isOutputOver = true
    /// An end that came before all of the output was read, of a process that was starting.
    private var heldExit: (ProcessExit, NIODeadline)?
    private var ready: EventLoopPromise<JSONValue>?
    private var readyTimer: Scheduled<Void>?
    private var waitingForExit: [EventLoopPromise<Void>] = []
    private var waitingForStop: [EventLoopPromise<Void>] = []
    private var waitingForGoing: [EventLoopPromise<Void>] = []

    package init(
        _ specification: ChildSpecification, supervisor: Supervisor, loop: any EventLoop,
        startTimeout: TimeAmount = NodeProcess.startTimeout, signalTimeout: TimeAmount = NodeProcess.signalTimeout,
        readiness: Readiness = .told,
        onEvent: @escaping (Event) -> Void
    ) {
        name = specification.name
        self.specification = specification
        self.supervisor = supervisor
        self.loop = loop
        self.startTimeout = startTimeout
        self.signalTimeout = signalTimeout
        self.readiness = readiness
        self.onEvent = onEvent
    }

    /// It was told to end, by us or by a signal that ends processes.
    package var isEnding: Bool { isExitExpected }

    // MARK: Inputs

    /// Starts the process.
    ///
    /// - Returns: its `ready` record. Fails with `TopologyError`, which holds the end of its log, when it cannot be
    ///   started, ends before it is ready, or is not ready in time (it is killed then).
    package func start() -> EventLoopFuture<JSONValue> {
        loop.assertInEventLoop()
        guard state == .dead else { return loop.makeFailedFuture(TopologyError("\(name) runs already")) }
        state = .starting
        life += 1
        isExitExpected = false
        isOutputOver = false
        heldExit = nil
        let promise = loop.makePromise(of: JSONValue.self)
        ready = promise
        readyTimer = loop.assumeIsolated().scheduleTask(in: startTimeout) { self.startTimedOut() }
        let (life, node) = (life, NIOLoopBound(self, eventLoop: loop))
        supervisor.spawn(specification, on: loop) { event in node.value.received(event, life: life) }
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let process): self.started(process)
                case .failure(let error): self.failed(error)
                }
            }
        return promise.futureResult
    }

    /// SIGKILL. The future completes when the process has ended; at once when there is none.
    package func kill() -> EventLoopFuture<Void> { end(by: SIGKILL) }

    /// SIGTERM, and SIGKILL when it has not ended within `drain`.
    package func stop(drain: TimeAmount) -> EventLoopFuture<Void> {
        guard state != .dead else { return loop.makeSucceededVoidFuture() }
        let timer = loop.assumeIsolated().scheduleTask(in: drain) { self.process?.signal(SIGKILL) }
        let ended = end(by: SIGTERM)
        process?.signal(SIGCONT)
        ended.whenComplete { _ in timer.cancel() }
        return ended
    }

    /// SIGSTOP. The future completes when the process has stopped, and fails when it has not within `signalTimeout`.
    package func pause() -> EventLoopFuture<Void> {
        guard state == .running else { return notRunning() }
        let promise = limited("did not stop")
        waitingForStop.append(promise)
        process?.signal(SIGSTOP)
        return promise.futureResult
    }

    /// SIGCONT. The future completes when the process goes on, and fails when it has not within `signalTimeout`.
    package func resume() -> EventLoopFuture<Void> {
        guard state == .paused else {
            return state == .running ? loop.makeSucceededVoidFuture() : notRunning()
        }
        let promise = limited("did not go on")
        waitingForGoing.append(promise)
        process?.signal(SIGCONT)
        return promise.futureResult
    }

    /// Any signal; what it does is the process's own affair.
    ///
    /// - Parameter endsIt: an end that follows is no surprise.
    package func signal(_ number: CInt, endsIt: Bool = false) -> EventLoopFuture<Void> {
        guard let process, process.signal(number) else { return notRunning() }
        if endsIt { isExitExpected = true }
        return loop.makeSucceededVoidFuture()
    }

    /// A promise that fails after `signalTimeout`; whoever keeps it may complete it later all the same.
    private func limited(_ what: String) -> EventLoopPromise<Void> {
        let promise = loop.makePromise(of: Void.self)
        let timer = loop.scheduleTask(in: signalTimeout) { [name, signalTimeout] in
            let limit = "\(Double(signalTimeout.nanoseconds) / 1e9) s"
            promise.fail(TopologyError("\(name) \(what) within \(limit) of the signal"))
        }
        promise.futureResult.whenComplete { _ in timer.cancel() }
        return promise
    }

    // MARK: Ends

    private func end(by number: CInt) -> EventLoopFuture<Void> {
        loop.assertInEventLoop()
        guard state != .dead else { return loop.makeSucceededVoidFuture() }
        isExitExpected = true
        let promise = loop.makePromise(of: Void.self)
        waitingForExit.append(promise)
        process?.signal(number)
        return promise.futureResult
    }

    private func notRunning() -> EventLoopFuture<Void> {
        loop.makeFailedFuture(TopologyError("\(name) is \(state == .dead ? "not running" : "\(state)")"))
    }

    private func started(_ process: ChildProcess) {
        guard state == .starting else {
            process.signal(SIGKILL)
            return
        }
        self.process = process
        onEvent(.change(.started(pid: process.pid), at: loop.now))
        // Ended before it was there.
        if isExitExpected { process.signal(SIGKILL) }
        if case .asked(let question) = readiness { ask(question, life: life) }
    }

    private func ask(_ question: @escaping () -> EventLoopFuture<Bool>, life: Int) {
        guard life == self.life, state == .starting else { return }
        question().assumeIsolated().whenSuccess { isReady in
            guard life == self.life, self.state == .starting else { return }
            if isReady { return self.becameReady(["kind": "ready"]) }
            self.loop.assumeIsolated().scheduleTask(in: Self.questionPause) { self.ask(question, life: life) }
        }
    }

    private func startTimedOut() {
        fail("was not ready within \(startTimeout.nanoseconds / 1_000_000_000) s")
        _ = kill()
    }

    private func failed(_ error: any Error) {
        state = .dead
        isOutputOver = true
        readyTimer?.cancel()
        ready?.fail(error)
        ready = nil
        completeExit()
    }

    private func fail(_ what: String) {
        readyTimer?.cancel()
        let tail = LogTail.lines(of: specification.logPath)
        let advice = tail.isEmpty ? "; its log \(specification.logPath) is empty" : "; its log ends with"
        ready?.fail(TopologyError("\(name) \(what)\(advice)", logTail: tail))
        ready = nil
    }

    // MARK: From the child

    private func received(_ event: ChildEvent, life: Int) {
        switch event {
        case .output(let lines):
            for line in lines { received(line: line, life: life) }
        case .outputEnded:
            guard life == self.life else { return }
            isOutputOver = true
            if let (exit, instant) = heldExit {
                heldExit = nil
                exited(exit, at: instant)
            } else if state == .dead {
                completeExit()
            }
        case .exited(let exit, let instant):
            guard life == self.life else { return }
            // It may have said that it is ready, with nobody having read it yet.
            if state == .starting, !isOutputOver { heldExit = (exit, instant) } else { exited(exit, at: instant) }
        case .stopped(let instant):
            state = .paused
            onEvent(.change(.paused, at: instant))
            complete(&waitingForStop)
        case .continued(let instant):
            state = .running
            onEvent(.change(.resumed, at: instant))
            complete(&waitingForGoing)
        }
    }

    /// Every line is a record; what is none (a stray print) is no evidence and left out.
    private func received(line: ByteBuffer, life: Int) {
        guard let record = try? JSONValue(parsing: line.readableBytesView) else { return }
        guard record["kind"]?.stringValue == "ready" else { return onEvent(.record(record)) }
        guard life == self.life, case .told = readiness else { return }
        becameReady(record)
    }

    private func becameReady(_ record: JSONValue) {
        guard state == .starting, let ready else { return }
        state = .running
        readyTimer?.cancel()
        self.ready = nil
        onEvent(.change(.ready(pid: process?.pid ?? 0), at: loop.now))
        ready.succeed(record)
    }

    private func exited(_ exit: ProcessExit, at instant: NIODeadline) {
        let wasStarting = state == .starting
        state = .dead
        process = nil
        onEvent(.change(.exited(exit, isExpected: isExitExpected), at: instant))
        if wasStarting { fail("\(exit) before it was ready") }
        for promise in waitingForStop + waitingForGoing { promise.fail(TopologyError("\(name) \(exit)")) }
        (waitingForStop, waitingForGoing) = ([], [])
        if isOutputOver { completeExit() }
    }

    /// Its records are evidence, so its end is over when the last of them was read.
    private func completeExit() { complete(&waitingForExit) }

    private func complete(_ promises: inout [EventLoopPromise<Void>]) {
        let list = promises
        promises = []
        for promise in list { promise.succeed() }
    }
}

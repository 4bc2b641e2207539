// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization
import World

/// One round of one subject: the workers on their loops, started together, and the clock that says what the processes
/// used while they were measured.
final class BenchSlice: Sendable {
    /// A moment of the round, for a person who watches.
    struct Moment: Sendable {
        var elapsed: Nanoseconds
        var requests: Int
        var errors: Int
        /// Since the moment before.
        var rps: Double
    }

    /// How often a moment is told.
    private static let period = TimeAmount.milliseconds(200)
    /// From the decision to start to the start: every loop must have heard of it.
    private static let leadTime = TimeAmount.milliseconds(5)

    private let job: BenchJob
    private let subject: BenchSubject
    private let control: any EventLoop
    private let meter: ProcessMeter
    private let workers: EventLoopFuture<[NIOLoopBound<BenchWorker>]>
    private let isStopped = Mutex(false)

    init(
        _ job: BenchJob, subject: BenchSubject, loops: [any EventLoop], control: any EventLoop, world: World,
        meter: ProcessMeter
    ) {
        self.job = job
        self.subject = subject
        self.control = control
        self.meter = meter
        let made = loops.enumerated().map { index, loop in
            loop.submit {
                let worker = BenchWorker(
                    job, index: index, of: loops.count, loop: loop, network: world.network, random: world.random)
                return NIOLoopBound(worker, eventLoop: loop)
            }
        }
        workers = EventLoopFuture.whenAllSucceed(made, on: control)
    }

    /// Opens connections.
    ///
    /// - Returns: why none could be opened; nil when one could.
    func open() async -> (any Error)? {
        do {
            var first: (any Error)?
            var isOpen = false
            for future in try await workers.get().map({ worker in
                worker.eventLoop.flatSubmit { worker.value.prepare() }
            }) {
                let error = try await future.get()
                first = first ?? error
                isOpen = isOpen || error == nil
            }
            return isOpen ? nil : first
        } catch {
            return error
        }
    }

    /// Sends nothing more and gives up what is under way. From any thread.
    func stop() {
        isStopped.withLock { $0 = true }
        workers.whenSuccess { workers in
            for worker in workers { worker.eventLoop.execute { worker.value.stop() } }
        }
    }

    /// What TLS said last, behind a colon; empty when it said nothing.
    var tlsProblem: String { lastTLSProblem.withLock { $0.isEmpty ? "" : ": \($0)" } }
    private let lastTLSProblem = Mutex("")

    /// Runs the round.
    ///
    /// - Parameter onMoment: called now and then, on the steering loop.
    func run(_ onMoment: @escaping @Sendable (Moment) -> Void) async -> BenchTally {
        guard let workers = try? await workers.get() else { preconditionFailure("workers are made without fail") }
        let start = control.now + Self.leadTime
        let processes = self.processes
        let (control, meter, warmup) = (control, meter, job.warmup)
        let before = control.scheduleTask(deadline: start + .nanoseconds(warmup)) {
            Self.sample(processes, meter, control)
        }
        let atEnd = job.end.map { end in
            control.scheduleTask(deadline: start + .nanoseconds(end)) { Self.sample(processes, meter, control) }
        }
        let watch = watch(workers, from: start, onMoment)
        let runs = workers.map { worker in worker.eventLoop.flatSubmit { worker.value.run(from: start) } }
        if isStopped.withLock({ $0 }) { stop() }
        let recorders = (try? await EventLoopFuture.whenAllSucceed(runs, on: control).get()) ?? []
        watch.cancel()
        if job.tls != nil {
            for worker in workers {
                if let problem = try? await worker.eventLoop.submit({ worker.value.tlsProblem }).get() {
                    lastTLSProblem.withLock { $0 = problem }
                }
            }
        }
        var total = recorders[0]
        for recorder in recorders.dropFirst() { total.add(recorder) }
        return await tally(total, before: before, atEnd: atEnd, start: start)
    }

    private func tally(
        _ recorder: BenchRecorder, before: Scheduled<Sample>, atEnd: Scheduled<Sample>?, start: NIODeadline
    ) async -> BenchTally {
        let (processes, meter, control) = (processes, meter, control)
        let windowStart = start + .nanoseconds(job.warmup)
        let now = try? await control.submit { Self.sample(processes, meter, control) }.get()
        guard let now, now.at > windowStart, let first = try? await before.futureResult.get() else {
            // Interrupted before anything was counted.
            before.cancel()
            atEnd?.cancel()
            return BenchTally(recorder, length: .zero, costs: [])
        }
        var last = now
        var length = Nanoseconds((now.at - windowStart).nanoseconds)
        if let end = job.end, let atEnd {
            if now.at >= start + .nanoseconds(end), let sample = try? await atEnd.futureResult.get() {
                last = sample
                length = Nanoseconds(end - job.warmup)
            } else {
                atEnd.cancel()
            }
        } else if recorder.lastEnd > job.warmup {
            length = Nanoseconds(recorder.lastEnd - job.warmup)
        }
        var costs: [ProcessCost] = []
        for (index, process) in processes.enumerated() {
            guard let a = first.usages[index], let b = last.usages[index] else { continue }
            costs.append(
                ProcessCost(
                    name: process.name, processor: max(.zero, b.processor - a.processor), resident: b.resident))
        }
        return BenchTally(recorder, length: length, costs: costs)
    }

    // MARK: Processes

    struct Sample: Sendable {
        var at: NIODeadline
        var usages: [ProcessUsage?]
    }

    private var processes: [BenchSubject.Process] {
        [BenchSubject.Process(name: "bench", pid: OwnProcess.identifier)] + subject.processes
    }

    private static func sample(
        _ processes: [BenchSubject.Process], _ meter: ProcessMeter, _ loop: any EventLoop
    ) -> Sample {
        Sample(at: loop.now, usages: processes.map { meter.usage($0.pid) })
    }

    // MARK: Watching

    private func watch(
        _ workers: [NIOLoopBound<BenchWorker>], from start: NIODeadline,
        _ onMoment: @escaping @Sendable (Moment) -> Void
    ) -> RepeatedTask {
        let control = control
        let last = NIOLoopBoundBox.makeBoxSendingValue(0, eventLoop: control)
        return control.scheduleRepeatedTask(initialDelay: Self.period, delay: Self.period) { _ in
            let counts = workers.map { worker in
                worker.eventLoop.submit { (worker.value.recorder.requests, worker.value.recorder.errors) }
            }
            EventLoopFuture.whenAllSucceed(counts, on: control).whenSuccess { counts in
                let requests = counts.reduce(0) { $0 + $1.0 }
                let rate = Double(requests - last.value) / (Double(Self.period.nanoseconds) / 1e9)
                last.value = requests
                onMoment(
                    Moment(
                        elapsed: Nanoseconds((control.now - start).nanoseconds), requests: requests,
                        errors: counts.reduce(0) { $0 + $1.1 }, rps: max(0, rate)))
            }
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import CPlatform
package import Dispatch
package import NIOCore
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// Something with a descriptor that a loop watches. Confined to the loop.
class PollSource {
    /// The loop's name for it while it is watched.
    fileprivate(set) var token: UInt64?
    fileprivate(set) var watched: UInt32 = 0

    /// - Parameter events: of `gatecrash_readable` and its like.
    func ready(_ events: UInt32) {}

    /// The loop is going away.
    func loopEnds() {}
}

/// An event loop of our own on epoll, for the sockets of servers: one thread, one descriptor that is waited on, and as
/// little as possible between the kernel and a channel. The rest of NIO (futures, pipelines, TLS, HTTP/2) runs on it as
/// on NIO's own loops, whose sockets cost more time a request (docs/performance.md).
// Proof: what any thread may touch is the inbox, which has a lock, and constants; all other members are touched by the
// loop's own thread alone, which every entry asserts.
package final class PollLoop: EventLoop, @unchecked Sendable {
    private struct Inbox {
        var tasks: [@Sendable () -> Void] = []
        var isClosed = false
        /// The loop has been told that there is something, and has not looked yet.
        var isAwake = false
    }

    private static let mostEvents = 256

    private let poll: CInt
    private let wake: CInt
    private let inbox = Mutex(Inbox())
    /// Set before anybody else can have the loop, and never again.
    private var thread = pthread_t()

    // Of the loop's thread
    private var tasks: [() -> Void] = []
    private var timers = TimerQueue()
    private var sources: [PollSource?] = []
    private var freePlaces: [Int] = []
    private var generation: UInt64 = 0
    private var isStopping = false
    private var stopped: [() -> Void] = []
    let readBuffer = ReadBuffer()
    private var events: UnsafeMutablePointer<gatecrash_event>

    init() {
        poll = gatecrash_poll_create()
        wake = gatecrash_wake_create()
        // Without descriptors there is nothing that this program could do.
        precondition(poll >= 0 && wake >= 0, "no epoll or eventfd: \(String(cString: strerror(-min(poll, wake))))")
        events = .allocate(capacity: Self.mostEvents)
        gatecrash_poll_set(poll, wake, CInt(gatecrash_add), UInt32(gatecrash_readable), .max)
        start()
    }

    deinit {
        events.deallocate()
        gatecrash_close(poll)
        gatecrash_close(wake)
    }

    // MARK: The thread

    private func start() {
        let isRunning = DispatchSemaphore(value: 0)
        let context = Unmanaged.passRetained(ThreadStart(loop: self, isRunning: isRunning))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let start = Unmanaged<ThreadStart>.fromOpaque(context).takeRetainedValue()
                gatecrash_name_thread("loop")
                start.loop.thread = pthread_self()
                start.isRunning.signal()
                start.loop.run()
                return nil
            }, context.toOpaque())
        precondition(result == 0, "no thread for an event loop: \(String(cString: strerror(result)))")
        pthread_detach(thread)
        isRunning.wait()
    }

    private final class ThreadStart {
        let loop: PollLoop
        let isRunning: DispatchSemaphore

        init(loop: PollLoop, isRunning: DispatchSemaphore) {
            self.loop = loop
            self.isRunning = isRunning
        }
    }

    private func run() {
        while true {
            runTasks()
            runTimers()
            if isStopping, tasks.isEmpty { break }
            let found = gatecrash_poll_wait(poll, events, CInt(Self.mostEvents), waitingTime())
            for place in 0..<max(0, Int(found)) { dispatch(events[place]) }
        }
        for done in stopped { done() }
        stopped = []
    }

    /// Nanoseconds until something is due; 0 when something is there already, negative when nothing will be.
    private func waitingTime() -> Int64 {
        guard tasks.isEmpty else { return 0 }
        guard let due = timers.nextDue else { return -1 }
        return max(0, (due - .now()).nanoseconds)
    }

    @inline(__always)
    private func dispatch(_ event: gatecrash_event) {
        if event.token == .max {
            gatecrash_wake_clear(wake)
            return takeInbox()
        }
        let place = Int(truncatingIfNeeded: event.token & 0xffff_ffff)
        // A source that an earlier event of the same round has closed is not told of a later one.
        guard let source = sources[place], source.token == event.token else { return }
        source.ready(event.events)
    }

    private func takeInbox() {
        let taken = inbox.withLock { inbox in
            inbox.isAwake = false
            return exchange(&inbox.tasks, with: [])
        }
        for task in taken { tasks.append(task) }
    }

    private func exchange<T>(_ value: inout T, with other: T) -> T {
        let old = value
        value = other
        return old
    }

    private func runTasks() {
        // Those that come meanwhile have their turn after the sockets have had theirs.
        let due = exchange(&tasks, with: [])
        for task in due { task() }
    }

    private func runTimers() {
        guard let next = timers.nextDue else { return }
        let now = NIODeadline.now()
        guard next <= now else { return }
        while let timer = timers.takeDue(at: now) { timer.run() }
    }

    // MARK: Sources

    /// Watches a descriptor; with other events than before when it is watched already.
    func watch(_ source: PollSource, descriptor: CInt, events: UInt32) {
        if let token = source.token {
            if source.watched == events { return }
            gatecrash_poll_set(poll, descriptor, CInt(gatecrash_change), events, token)
        } else {
            let place = freePlaces.popLast() ?? sources.count
            if place == sources.count { sources.append(nil) }
            generation = (generation + 1) & 0x7fff_ffff
            let token = generation << 32 | UInt64(place)
            sources[place] = source
            source.token = token
            gatecrash_poll_set(poll, descriptor, CInt(gatecrash_add), events, token)
        }
        source.watched = events
    }

    func unwatch(_ source: PollSource, descriptor: CInt) {
        guard let token = source.token else { return }
        gatecrash_poll_set(poll, descriptor, CInt(gatecrash_remove), 0, token)
        let place = Int(truncatingIfNeeded: token & 0xffff_ffff)
        sources[place] = nil
        freePlaces.append(place)
        source.token = nil
        source.watched = 0
    }

    // MARK: EventLoop

    package var inEventLoop: Bool { pthread_equal(pthread_self(), thread) != 0 }
    package var now: NIODeadline { .now() }

    package func preconditionInEventLoop(file: StaticString, line: UInt) {
        precondition(inEventLoop, "not on the event loop", file: file, line: line)
    }

    package func preconditionNotInEventLoop(file: StaticString, line: UInt) {
        precondition(!inEventLoop, "on the event loop", file: file, line: line)
    }

    package func execute(_ task: @escaping @Sendable () -> Void) {
        if inEventLoop { tasks.append(task) } else { post(task) }
    }

    package func _executeIsolatedUnsafeUnchecked(_ task: @escaping () -> Void) { tasks.append(task) }

    /// - Returns: false when the loop has ended: then the task will not run.
    @discardableResult
    private func post(_ task: @escaping @Sendable () -> Void) -> Bool {
        let (isTaken, mustWake) = inbox.withLock { inbox in
            guard !inbox.isClosed else { return (false, false) }
            inbox.tasks.append(task)
            defer { inbox.isAwake = true }
            return (true, !inbox.isAwake)
        }
        if mustWake { gatecrash_wake(wake) }
        return isTaken
    }

    package func scheduleTask<T>(
        deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T
    ) -> Scheduled<T> {
        let promise = makePromise(of: T.self)
        let timer = LoopTimer(due: deadline, isAbandoned: { promise.fail(EventLoopError.shutdown) }) {
            do {
                // The timer runs on the loop.
                promise.assumeIsolatedUnsafeUnchecked().succeed(try task())
            } catch {
                promise.fail(error)
            }
        }
        let box = NIOLoopBoundBox.makeBoxSendingValue(timer, eventLoop: self)
        onLoop { self.timers.add(box.value) }
        return Scheduled(promise: promise) { self.onLoop { self.timers.cancel(box.value) } }
    }

    package func scheduleTask<T>(in delay: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        scheduleTask(deadline: now + delay, task)
    }

    /// At once when this is the loop, else as soon as it can.
    private func onLoop(_ task: @escaping @Sendable () -> Void) {
        if inEventLoop { task() } else { post(task) }
    }

    package func next() -> any EventLoop { self }
    package func makeIterator() -> EventLoopIterator { EventLoopIterator([self]) }

    // MARK: The end

    /// Closes what it watches, runs what was left to run, calls off the timers and ends the thread.
    package func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        let isTaken = post {
            self.stopped.append { queue.async { callback(nil) } }
            self.stop()
        }
        if !isTaken { queue.async { callback(nil) } }
    }

    private func stop() {
        guard !isStopping else { return }
        isStopping = true
        for source in sources { source?.loopEnds() }
        for timer in timers.removeAll() { timer.abandon() }
        let left = inbox.withLock { inbox in
            inbox.isClosed = true
            return exchange(&inbox.tasks, with: [])
        }
        for task in left { tasks.append(task) }
    }
}

/// Loops of our own, each with its thread.
package final class PollLoopGroup: EventLoopGroup, Sendable {
    private let loops: [PollLoop]
    private let turn = Atomic(0)

    package init(count: Int) { loops = (0..<count).map { _ in PollLoop() } }

    package func next() -> any EventLoop {
        loops[(turn.wrappingAdd(1, ordering: .relaxed).oldValue & .max) % loops.count]
    }

    package func makeIterator() -> EventLoopIterator { EventLoopIterator(loops) }

    package func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        let counter = Counter(loops.count)
        for loop in loops {
            loop.shutdownGracefully(queue: queue) { _ in if counter.countDown() { callback(nil) } }
        }
    }

    private final class Counter: Sendable {
        private let left: Atomic<Int>
        init(_ count: Int) { left = Atomic(count) }
        func countDown() -> Bool { left.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
    }
}
#endif

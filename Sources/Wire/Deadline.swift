// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// One moment at which something is overdue, moved often and reached seldom. Moving it is an assignment; a timer is
/// scheduled only when none is pending that fires early enough, so a busy connection schedules one timer a timeout,
/// not one a request. Confined to its event loop.
package final class Deadline {
    private let loop: any EventLoop
    private var due = NIODeadline.distantFuture
    private var timer: Scheduled<Void>?
    private var timerDue = NIODeadline.distantFuture
    /// Called on the event loop when the moment is reached; the deadline is off then.
    private var isOverdue: (() -> Void)?

    package init(on loop: any EventLoop, isOverdue: @escaping () -> Void) {
        self.loop = loop
        self.isOverdue = isOverdue
    }

    /// Closes a handler's channel when what it waits for has not come within `timeout`.
    package convenience init(closing context: ChannelHandlerContext, after timeout: TimeAmount) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        self.init(on: context.eventLoop) { bound.value.close(promise: nil) }
        set(timeout)
    }

    /// Moves the deadline to `timeout` from now.
    @inline(__always)
    package func set(_ timeout: TimeAmount) { set(at: loop.now + timeout) }

    package func set(at moment: NIODeadline) {
        due = moment
        if moment < timerDue { schedule(at: moment) }
    }

    /// Nothing is due any more. A pending timer is left to find that out by itself.
    @inline(__always)
    package func clear() { due = .distantFuture }

    /// Ends the deadline for good and lets go of its closure.
    package func cancel() {
        due = .distantFuture
        timer?.cancel()
        timer = nil
        isOverdue = nil
    }

    private func schedule(at moment: NIODeadline) {
        timer?.cancel()
        timerDue = moment
        let bound = NIOLoopBound(self, eventLoop: loop)
        timer = loop.scheduleTask(deadline: moment) { bound.value.fire() }
    }

    private func fire() {
        // A timer that was cancelled may still fire in the same tick of the loop; an old one finds a later deadline.
        timer = nil
        timerDue = .distantFuture
        if due == .distantFuture { return }
        if loop.now < due { return schedule(at: due) }
        due = .distantFuture
        isOverdue?()
    }
}

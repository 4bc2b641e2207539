// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DequeModule
package import Document
package import NIOCore

/// The gateway's own account of what it did: health transitions with their cause, probes, configuration changes, each
/// with a number and a monotonic time. `GET /events` streams it. Confined to the control loop.
package final class EventLog {
    /// Events kept for those who come late.
    package static let keptEvents = 4096

    package typealias Subscriber = (ByteBuffer) -> Void

    private let loop: any EventLoop
    private var sequence = 0
    private var kept: Deque<(sequence: Int, line: ByteBuffer)> = []
    private var subscribers: [(id: Int, receive: Subscriber)] = []
    private var nextSubscriber = 1

    package init(on loop: any EventLoop) { self.loop = loop }

    /// Appends one event.
    ///
    /// - Parameter make: gets the time (CLOCK_MONOTONIC nanoseconds) and the event's number.
    package func append(_ make: (_ t: Int, _ sequence: Int) -> JSONValue) {
        loop.assertInEventLoop()
        sequence += 1
        let line = ByteBuffer(string: make(Int(loop.now.uptimeNanoseconds), sequence).text() + "\n")
        if kept.count == Self.keptEvents { kept.removeFirst() }
        kept.append((sequence, line))
        for subscriber in subscribers { subscriber.receive(line) }
    }

    /// Hands over every kept event from number `since` on, and then each new one.
    ///
    /// - Parameter since: nil begins with the next event.
    /// - Returns: for `unsubscribe`.
    package func subscribe(since: Int?, _ receive: @escaping Subscriber) -> Int {
        if let since {
            for event in kept where event.sequence >= since { receive(event.line) }
        }
        subscribers.append((nextSubscriber, receive))
        nextSubscriber += 1
        return nextSubscriber - 1
    }

    package func unsubscribe(_ id: Int) { subscribers.removeAll { $0.id == id } }
}

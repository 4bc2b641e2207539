// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// When the clients of a closed loop start their next requests. A client is told once it is free; what it does not ask
/// for it does not get, so a slow server is asked less: use an open loop to judge what users feel.
package struct ClosedPacer: Sendable {
    private let think: Nanoseconds
    private let requests: Int?
    private let length: Nanoseconds?
    private var granted = 0

    /// - Parameters:
    ///   - requests: of all clients together.
    ///   - length: no request starts at or after it.
    package init(think: Nanoseconds, requests: Int?, length: Nanoseconds?) {
        self.think = think
        self.requests = requests
        self.length = length
    }

    /// The planned start of the first request of a client, or nil when there is nothing left to ask.
    package mutating func firstStart() -> Nanoseconds? { grant(.zero) }

    /// The planned start of the next request of a client whose request has ended.
    package mutating func nextStart(after end: Nanoseconds) -> Nanoseconds? { grant(end + think) }

    private mutating func grant(_ start: Nanoseconds) -> Nanoseconds? {
        if let requests, granted >= requests { return nil }
        if let length, start >= length { return nil }
        granted += 1
        return start
    }
}

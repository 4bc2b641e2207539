// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension JournalEvent {
    /// A request of the load, at its end: what the client saw.
    package struct Request: Hashable, Sendable {
        /// Whose answer the status was: a mock's, or one that the gateway made itself.
        package enum Origin: String, Sendable, CaseIterable { case unknown, gateway, upstream }
        /// `unknown`: nobody can know whether the upstream did what was asked (the request was sent, no answer came).
        package enum Outcome: String, Sendable, CaseIterable { case ok, failed, unknown }
        package enum Failure: String, Sendable, CaseIterable {
            case refused, reset, closed, timeout
            case connectTimeout = "connect_timeout"
            case protocolError = "protocol_error"
            /// The run ended before the answer came.
            case aborted
            case other
        }

        package var load: String
        package var method: String
        package var path: String
        /// The number within the load; `<load>-<n>` is the request's X-Chaos-Id.
        package var n: Int
        /// When it should have been sent: the arrival of a user. Latency counts from here.
        package var planned: Int64
        package var sent: Int64?
        package var firstByte: Int64?
        package var end: Int64?
        package var status: Int?
        package var failure: Failure?
        /// `unknown` is the normal value here: the reader finds it out from the records of the mocks.
        package var origin: Origin
        package var outcome: Outcome
        package var bytes: Int
        package var connection: Int?
        /// Sent during the load's `warmup`: in no statistics, but in the invariants.
        package var isWarmup: Bool

        package var id: String { "\(load)-\(n)" }

        package init(
            load: String, n: Int, method: String = "GET", path: String = "/", planned: Int64, sent: Int64? = nil,
            firstByte: Int64? = nil, end: Int64? = nil, status: Int? = nil, failure: Failure? = nil,
            origin: Origin = .unknown, outcome: Outcome, bytes: Int = 0, connection: Int? = nil, isWarmup: Bool = false
        ) {
            self.load = load
            self.method = method
            self.path = path
            self.n = n
            self.planned = planned
            self.sent = sent
            self.firstByte = firstByte
            self.end = end
            self.status = status
            self.failure = failure
            self.origin = origin
            self.outcome = outcome
            self.bytes = bytes
            self.connection = connection
            self.isWarmup = isWarmup
        }
    }

    /// A mock's record of a request, made before it answered.
    package struct Served: Hashable, Sendable {
        /// When the head of the request had come in.
        package var at: Instant
        /// The mock.
        package var node: String
        /// The header X-Chaos-Id; nil for a health probe and for strangers.
        package var chaosID: String?
        package var n: Int
        package var method: String
        package var path: String
        package var status: Int
        package var connection: Int?

        package init(
            at: Instant, node: String, chaosID: String?, n: Int, method: String = "GET", path: String, status: Int,
            connection: Int? = nil
        ) {
            self.at = at
            self.node = node
            self.chaosID = chaosID
            self.n = n
            self.method = method
            self.path = path
            self.status = status
            self.connection = connection
        }
    }

    /// What became of a process of the topology.
    package struct Process: Hashable, Sendable {
        package enum Change: String, Sendable { case started, ready, exited, paused, resumed }

        package var at: Instant
        package var node: String
        package var change: Change
        package var pid: Int?
        /// Of an exit: the code, or the signal (its number) that ended it.
        package var code: Int?
        package var signal: Int?
        /// True for an exit that the scenario asked for.
        package var isExpected: Bool

        package init(
            at: Instant, node: String, change: Change, pid: Int? = nil, code: Int? = nil, signal: Int? = nil,
            isExpected: Bool = false
        ) {
            self.at = at
            self.node = node
            self.change = change
            self.pid = pid
            self.code = code
            self.signal = signal
            self.isExpected = isExpected
        }
    }
}

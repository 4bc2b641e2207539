// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What became of one request of a load. Times are from the start of the load.
package struct LoadResult: Hashable, Sendable {
    /// `ok`: a complete answer below 400. `failed`: a worse one, or certainly none because the request did not leave
    /// whole. `unknown`: it left whole and no complete answer came, so nobody here can know whether it was done.
    package enum Outcome: String, Hashable, Sendable { case ok, failed, unknown }

    package enum Failure: String, Hashable, Sendable {
        /// Nobody listens.
        case refused
        /// The connection was not made in time.
        case connectTimeout = "connect_timeout"
        /// The other side reset the connection, closed it before the answer was complete, sent no HTTP.
        case reset, closed
        case protocolError = "protocol_error"
        /// No complete answer in time.
        case timeout
        /// The run ended before the answer came.
        case aborted
        case other
    }

    /// Who made the answer, as far as its header says: Kong marks what it passes on with X-Kong-Upstream-Latency and
    /// Via, and what it says itself with X-Kong-Response-Latency.
    package enum Origin: String, Hashable, Sendable { case unknown, gateway, upstream }

    package var load: String
    /// Counts from 1; the request's X-Chaos-Id is `<load>-<number>`.
    package var number: Int
    /// When it should have been sent. Latency counts from here, so that a stall of the generator or of a connection is
    /// not left out of what users would have felt.
    package var planned: Nanoseconds
    /// When its bytes were given to the kernel; nil when they never were.
    package var sent: Nanoseconds?
    /// When the head of the answer was complete.
    package var firstByte: Nanoseconds?
    /// When it was over, whatever the outcome.
    package var ended: Nanoseconds
    package var status: Int?
    /// Nil when a complete answer came.
    package var failure: Failure?
    package var outcome: Outcome
    package var origin = Origin.unknown
    /// Of the answer's body.
    package var bytes = 0
    /// Counts the load's connections from 1; nil when it never had one.
    package var connection: Int?
    /// Planned within the load's `warmup`.
    package var isWarmup = false

    package var latency: Nanoseconds { ended - planned }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOSSL

/// What all workers of a round do together; each has its share.
struct BenchJob: Sendable {
    enum Pacing: Sendable {
        /// So many clients, each sending its next request when the answer to the last one is there.
        case closed(clients: Int)
        /// Planned starts, whatever the answers do; at most so many connections.
        case open(stages: [LoadSpec.Stage], arrivals: LoadSpec.Arrivals, connections: Int)
        /// The recorded starts, in nanoseconds from the first; request n is `requests[n]`.
        case replay(starts: [Int64], connections: Int)
    }

    var address: SocketAddress
    /// Nil speaks plain HTTP.
    var tls: BenchTLS?
    /// Never empty. One for all, or one for each start of a replay.
    var requests: [PreparedRequest]
    var pacing: Pacing
    /// Nothing that was planned before it counts.
    var warmup: Int64
    /// No request is planned at or after it; nil ends with the number of requests.
    var end: Int64?
    /// Of all workers together, without the warm-up.
    var quota: Int?
    /// For one request, from its start; also for a connection to open.
    var timeout: TimeAmount
    var reusesConnections: Bool
    /// Of the intervals of the time series.
    var interval: Nanoseconds

    /// The n-th of `count` shares of a whole, as even as whole numbers are.
    static func share(_ whole: Int, _ index: Int, of count: Int) -> Int {
        whole / count + (index < whole % count ? 1 : 0)
    }
}

/// How connections to an https URL are made.
struct BenchTLS: Sendable {
    var context: NIOSSLContext
    /// For SNI and verification; nil for a literal address, which SNI does not know.
    var serverName: String?
}

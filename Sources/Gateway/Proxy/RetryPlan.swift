// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Wire

#if GATECRASH_DEFECTS
import Defects
#endif

/// Why one try at proxying a request came to nothing.
package enum AttemptFailure: Sendable, Hashable {
    case connectRefused, connectTimedOut, tlsFailed
    /// The connection was closed or reset before the head of a response.
    case closedBeforeResponse
    case writeTimedOut, readTimedOut
    case badResponse

    package var isTimeout: Bool { self == .connectTimedOut || self == .writeTimedOut || self == .readTimedOut }
    /// What the client gets if it was the last try (kong-facts 4.4).
    package var status: Int { isTimeout ? 504 : 502 }
}

/// What is told to the passive health check of one try (kong/init.lua, kong/runloop/handler.lua).
package enum AttemptReport: Sendable, Hashable {
    case httpStatus(Int)
    case tcpFailure
    case timeout

    /// How a try is reported after which no other follows: an upstream's own 504 counts as a timeout as well, and a
    /// refused connection is an HTTP status 502, not a TCP failure.
    package static func last(status: Int) -> AttemptReport { status == 504 ? .timeout : .httpStatus(status) }
}

/// Decides what follows a failed try: nginx's `proxy_next_upstream error timeout` with Kong's counting.
package struct RetryPlan: Sendable {
    package enum Decision: Sendable, Hashable {
        /// Report, then try again (the next choice of the balancer, or the same peer on a new connection).
        case retry(AttemptReport)
        /// Report and answer with this status.
        case giveUp(AttemptReport, status: Int)
    }

    /// Tries that may still follow.
    private var left: Int
    private let isIdempotent: Bool
    package private(set) var tries = 0

    /// - Parameters:
    ///   - retries: of the service: tries after the first.
    ///   - method: POST, PATCH and LOCK are not sent twice (RFC 9110 section 9.2.2, nginx `non_idempotent`).
    package init(retries: Int, method: HTTPMethod, isLock: Bool) {
        #if GATECRASH_DEFECTS
        let retries = Defect.noRetries.isChosen ? 0 : Defect.oneRetryTooMany.isChosen ? retries + 1 : retries
        let method = Defect.everyMethodRetried.isChosen ? .get : method
        #endif
        left = retries
        isIdempotent = !(method == .post || method == .patch || isLock)
    }

    package mutating func began() { tries += 1 }

    /// - Parameters:
    ///   - hasSentRequest: bytes of the request have gone to the upstream.
    ///   - canReplay: the whole request can be sent again (no part of its body has been let go).
    ///   - wasReused: the connection had served a request before; that it turned out closed is no try of its own.
    package mutating func failed(
        _ failure: AttemptFailure, hasSentRequest: Bool, canReplay: Bool, wasReused: Bool
    ) -> Decision {
        let mayRepeat = (isIdempotent || !hasSentRequest) && canReplay && failure != .badResponse
        let isStale = wasReused && failure == .closedBeforeResponse
        if mayRepeat, isStale || left > 0 {
            if !isStale { left -= 1 }
            return .retry(failure.isTimeout ? .timeout : .tcpFailure)
        }
        return .giveUp(.last(status: failure.status), status: failure.status)
    }
}

extension AttemptFailure {
    init(_ failure: ClientFailure) {
        self =
            switch failure {
            case .closed, .reset, .cancelled: .closedBeforeResponse
            case .writeTimedOut: .writeTimedOut
            case .readTimedOut: .readTimedOut
            case .badResponse: .badResponse
            }
    }
}

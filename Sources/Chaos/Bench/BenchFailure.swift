// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire
import World

/// Why a request of a bench was no success. Each counts under its own name: what to do about a refused connection and
/// about an answer that is no HTTP has nothing in common.
package enum BenchFailure: Int, Hashable, Sendable, CaseIterable {
    /// Nobody listens there.
    case refused
    case connectTimeout
    case unreachable
    /// The handshake failed, or the bytes behind it were no TLS.
    case tls
    case reset
    /// The server closed before the head of the answer was complete.
    case closedEarly
    /// The server closed before the body was complete.
    case truncated
    case timeout
    /// The answer is no HTTP/1.1, or its framing is in doubt.
    case framing
    /// A complete answer of 400 or more.
    case badStatus
    case other

    /// In tables.
    package var words: String {
        switch self {
        case .refused: "connect refused"
        case .connectTimeout: "connect timeout"
        case .unreachable: "unreachable"
        case .tls: "TLS failure"
        case .reset: "reset"
        case .closedEarly: "closed before the answer"
        case .truncated: "closed mid-body"
        case .timeout: "timeout"
        case .framing: "bad framing"
        case .badStatus: "bad status"
        case .other: "other"
        }
    }

    /// In JSON.
    package var key: String {
        switch self {
        case .refused: "connect_refused"
        case .connectTimeout: "connect_timeout"
        case .unreachable: "unreachable"
        case .tls: "tls"
        case .reset: "reset"
        case .closedEarly: "closed_early"
        case .truncated: "closed_mid_body"
        case .timeout: "timeout"
        case .framing: "bad_framing"
        case .badStatus: "bad_status"
        case .other: "other"
        }
    }

    /// The time it took says how long a user waited, and not how fast a server refuses.
    var hasLatency: Bool { self == .badStatus || self == .timeout }

    init(connecting error: any Error) {
        switch (error as? NetworkError)?.code {
        case .refused: self = .refused
        case .timedOut: self = .connectTimeout
        case .unreachable: self = .unreachable
        case .reset: self = .reset
        default: self = .other
        }
    }

    /// - Parameter hasHead: the head of the answer had come.
    init(_ failure: ClientFailure, hasHead: Bool) {
        switch failure {
        case .closed: self = hasHead ? .truncated : .closedEarly
        case .reset: self = .reset
        case .readTimedOut, .writeTimedOut: self = .timeout
        case .badResponse: self = .framing
        case .cancelled: self = .other
        }
    }
}

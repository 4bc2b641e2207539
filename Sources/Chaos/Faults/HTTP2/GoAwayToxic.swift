// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The connection takes no more requests, as of a server that is drained: the client gets GOAWAY with the last stream
/// that is served, and the connection closes when the open ones have their answers. What a client sends beyond that
/// stream reaches no server, so it may send it again elsewhere (RFC 9113 section 6.8).
package struct GoAwayToxic: Hashable, Sendable {
    package var code: HTTP2ErrorNumber
    /// With which request of the connection, from 1, counted since the fault is there; nil: with the first that is hit.
    package var after: Int?
    /// The request with which it comes is the last that is served; false: it is the first that is not.
    package var isAnswered: Bool

    package init(code: HTTP2ErrorNumber = .noError, after: Int? = nil, isAnswered: Bool = true) {
        self.code = code
        self.after = after
        self.isAnswered = isAnswered
    }

    package var phrase: String {
        let count = after.map { ", request \($0) of a connection the \(isAnswered ? "last" : "first not") served" }
        return "GOAWAY \(code.text)" + (count ?? (isAnswered ? "" : ", the request not served"))
    }
}

package struct GoAwayMachine: FrameToxic {
    private let settings: GoAwayToxic
    private var seen = 0

    package init(_ settings: GoAwayToxic) { self.settings = settings }

    package mutating func see(_ event: FrameEvent, at now: NIODeadline) -> [FrameOrder] {
        guard event == .request else { return [] }
        seen += 1
        return seen >= settings.after ?? 1 ? [.goAway(settings.code, refusing: !settings.isAnswered)] : []
    }
}

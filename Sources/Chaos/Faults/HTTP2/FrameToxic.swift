// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import NIOHPACK

/// What happens on a stream, told before it passes.
package enum FrameEvent: Hashable, Sendable {
    /// The head of a request has come.
    case request
    /// The head of its answer has come.
    ///
    /// - isWhole: nothing follows.
    case answer(isWhole: Bool)
    /// A DATA frame of its answer begins.
    case body
}

/// What a fault wants done.
package enum FrameOrder: Hashable, Sendable {
    /// The client is told that no further request is served, and the connection ends with the last one that is.
    ///
    /// - refusing: the request that this is about is not served either.
    case goAway(HTTP2ErrorNumber, refusing: Bool)
    /// The stream that this is about ends, on both sides.
    case reset(HTTP2ErrorNumber)
    /// So many pings go out in the fault's direction.
    case pings(Int)
}

/// One fault on one HTTP/2 connection: a pure machine, like `StreamToxic`. It says what should happen; `FrameStreams`
/// knows frames and does it.
package protocol FrameToxic: Sendable {
    mutating func begin(at now: NIODeadline) -> [FrameOrder]
    /// - Parameter event: of a stream that the fault hits.
    mutating func see(_ event: FrameEvent, at now: NIODeadline) -> [FrameOrder]
    mutating func advance(to now: NIODeadline) -> [FrameOrder]
    var nextDeadline: NIODeadline? { get }
}

extension FrameToxic {
    package mutating func begin(at now: NIODeadline) -> [FrameOrder] { [] }
    package mutating func see(_ event: FrameEvent, at now: NIODeadline) -> [FrameOrder] { [] }
    package mutating func advance(to now: NIODeadline) -> [FrameOrder] { [] }
    package var nextDeadline: NIODeadline? { nil }
}

/// A request on HTTP/2, as faults look at it.
package struct FrameRequest: Hashable, Sendable {
    package var method: String
    /// Without its query.
    package var path: String
    private var fields: [String: [String]] = [:]

    /// - Parameter headers: the decoded block.
    init(_ headers: HPACKHeaders) {
        (method, path) = ("", "")
        for (name, value, _) in headers {
            switch name {
            case ":method": method = value
            case ":path": path = String(value.prefix { $0 != "?" })
            default: fields[name, default: []].append(value)
            }
        }
    }

    /// In any case.
    package func values(of name: String) -> [String] { fields[name.lowercased()] ?? [] }
}

extension RequestMatch {
    package func matches(_ request: FrameRequest) -> Bool {
        if let method, request.method != method { return false }
        if let path, !request.path.hasPrefix(path) { return false }
        return headers.allSatisfy { wanted in
            let values = request.values(of: wanted.name)
            return wanted.value.map(values.contains) ?? !values.isEmpty
        }
    }
}

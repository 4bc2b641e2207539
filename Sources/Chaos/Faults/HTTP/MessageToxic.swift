// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
package import Wire

/// A piece of an HTTP message on its way through the faults that know messages.
package enum MessagePart: Sendable, Weighted {
    case head(MessageHead)
    /// Bytes of the body as they stood on the wire, chunk sizes included.
    case body(ByteBuffer)
    /// The message is complete.
    case end
    /// What is no head and no body any more, or never was: bytes that a fault made, bytes between messages, the end of
    /// the stream. Faults behind pass it on in its order.
    case raw(Delivery)

    var byteCount: Int {
        switch self {
        case .head(let head): head.bytes.readableBytes
        case .body(let bytes): bytes.readableBytes
        case .end: 0
        case .raw(let delivery): delivery.byteCount
        }
    }
}

/// One fault on one HTTP message: a pure machine like `StreamToxic`, made for the message and thrown away after it.
/// Takes `head`, `body`…, `end` (any of them may be missing when the stream breaks off) and gives `end` back as the
/// last thing it has to say about this message.
package protocol MessageToxic: Sendable {
    mutating func take(_ part: MessagePart, at now: NIODeadline) -> [MessagePart]
    mutating func advance(to now: NIODeadline) -> [MessagePart]
    /// The fault is removed: what it held passes, and what is still to come of the message as well, as far as the
    /// message is still whole.
    mutating func release(at now: NIODeadline) -> [MessagePart]
    var nextDeadline: NIODeadline? { get }
    var heldBytes: Int { get }
}

extension MessageToxic {
    package mutating func advance(to now: NIODeadline) -> [MessagePart] { [] }
    package mutating func release(at now: NIODeadline) -> [MessagePart] { [] }
    package var nextDeadline: NIODeadline? { nil }
    package var heldBytes: Int { 0 }
}

/// What a fault on a request looks at.
package struct RequestMatch: Hashable, Sendable {
    /// Upper case; nil matches any.
    package var method: String?
    /// The beginning of the path, without query; nil matches any.
    package var path: String?
    /// Fields that must be there, each with its value, or any value when it is nil. Names in any case.
    package var headers: [Header]

    package struct Header: Hashable, Sendable {
        package var name: String
        package var value: String?

        package init(name: String, value: String?) {
            self.name = name
            self.value = value
        }
    }

    package init(method: String? = nil, path: String? = nil, headers: [Header] = []) {
        self.method = method
        self.path = path
        self.headers = headers
    }

    package func matches(_ head: RequestHead) -> Bool {
        if let method, head.methodText != method { return false }
        if let path, !head.pathText.hasPrefix(path) { return false }
        return headers.allSatisfy { wanted in
            let values = head.values(of: wanted.name)
            return wanted.value.map(values.contains) ?? !values.isEmpty
        }
    }

    /// `POST /orders with X-Test: 1`.
    package var phrase: String {
        let line = [method ?? "requests", path].compactMap { $0 }.joined(separator: " ")
        let fields = headers.map { $0.name + ($0.value.map { ": \($0)" } ?? "") }
        return line + (fields.isEmpty ? "" : " with \(fields.joined(separator: ", "))")
    }
}

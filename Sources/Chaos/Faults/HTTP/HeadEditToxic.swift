// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import Wire

/// A change to the head of a message; the body stays as it is.
package enum HeadEditToxic: Hashable, Sendable {
    /// So many fields more, each with a value of so many bytes.
    case flood(count: Int, size: Int)
    case drop(name: String)
    case set(name: String, value: String)
    /// Content-Length says so many bytes more (or fewer) than there are. Without the field nothing happens.
    case wrongLength(delta: Int)

    package var name: String {
        switch self {
        case .flood: "header_flood"
        case .drop: "drop_header"
        case .set: "set_header"
        case .wrongLength: "wrong_length"
        }
    }

    package var phrase: String {
        switch self {
        case .flood(let count, let size): "\(count) more header fields of \(size) bytes"
        case .drop(let name): "header \(name) is dropped"
        case .set(let name, let value): "header \(name) is set to \(value)"
        case .wrongLength(let delta): "Content-Length is wrong by \(delta > 0 ? "+" : "")\(delta)"
        }
    }

    func edit(_ head: inout MessageHead) {
        switch self {
        case .flood(let count, let size):
            let value = String(repeating: "x", count: size)
            for number in 1...max(1, count) { head.add("X-Flood-\(number)", value) }
        case .drop(let name): head.drop(name)
        case .set(let name, let value): head.set(name, value)
        case .wrongLength(let delta):
            guard case .length(let length) = head.framing else { return }
            head.set("Content-Length", String(max(0, length.addingReportingOverflow(Int64(delta)).partialValue)))
        }
    }
}

struct HeadEditMachine: MessageToxic {
    let settings: HeadEditToxic

    mutating func take(_ part: MessagePart, at now: NIODeadline) -> [MessagePart] {
        guard case .head(var head) = part else { return [part] }
        settings.edit(&head)
        return [.head(head)]
    }
}

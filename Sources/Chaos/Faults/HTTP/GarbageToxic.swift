// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import World

/// Random bytes in the place of a message, then the end of the connection.
package struct GarbageToxic: Hashable, Sendable {
    package var bytes: Int

    package init(bytes: Int) { self.bytes = bytes }

    package var phrase: String { "\(bytes) random bytes in the place of the message" }
}

struct GarbageMachine: MessageToxic {
    let settings: GarbageToxic
    var random: RandomStream

    mutating func take(_ part: MessagePart, at now: NIODeadline) -> [MessagePart] {
        switch part {
        case .head:
            var garbage = ByteBuffer()
            for _ in 0..<settings.bytes { garbage.writeInteger(UInt8(truncatingIfNeeded: random.next() >> 32)) }
            return [.raw(.bytes(garbage)), .raw(.end(.severed))]
        case .body: return []
        case .end, .raw: return [part]
        }
    }
}

/// The connection is closed in order in the place of the message.
struct EarlyCloseMachine: MessageToxic {
    mutating func take(_ part: MessagePart, at now: NIODeadline) -> [MessagePart] {
        switch part {
        case .head: return [.raw(.end(.severed))]
        case .body: return []
        case .end, .raw: return [part]
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The lines of the head come one by one, so much apart: the first at once, and the empty line that ends the head last.
/// Who waits for the head with a timeout between two reads only waits for long.
package struct SlowHeadersToxic: Hashable, Sendable {
    package var per: TimeAmount

    package init(per: TimeAmount) { self.per = per }

    package var phrase: String { "a line of the head every \(per.phrase)" }
}

struct SlowHeadersMachine: MessageToxic {
    private let settings: SlowHeadersToxic
    private var queue = DueQueue<MessagePart>()
    private var isReleased = false

    init(_ settings: SlowHeadersToxic) { self.settings = settings }

    var nextDeadline: NIODeadline? { queue.nextDeadline }
    var heldBytes: Int { queue.heldBytes }

    mutating func take(_ part: MessagePart, at now: NIODeadline) -> [MessagePart] {
        if case .head(let head) = part, !isReleased {
            var due = now
            for line in head.lines {
                queue.hold(.raw(.bytes(line)), until: due)
                due = due + settings.per
            }
        } else {
            queue.hold(part, until: now)
        }
        return queue.take(until: now)
    }

    mutating func advance(to now: NIODeadline) -> [MessagePart] { queue.take(until: now) }

    mutating func release(at now: NIODeadline) -> [MessagePart] {
        isReleased = true
        return queue.takeAll()
    }
}

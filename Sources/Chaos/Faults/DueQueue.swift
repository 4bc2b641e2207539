// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DequeModule
import NIOCore

/// Something of a size in bytes.
protocol Weighted {
    var byteCount: Int { get }
}

/// What is held back until its time, in order: nothing is due before what stands in front of it.
struct DueQueue<Element: Weighted & Sendable>: Sendable {
    private var queue: Deque<(element: Element, due: NIODeadline)> = []
    private(set) var heldBytes = 0

    var isEmpty: Bool { queue.isEmpty }
    /// When the last of it is due.
    var lastDue: NIODeadline? { queue.last?.due }
    /// `.distantFuture` is never: no timer is wanted for it.
    var nextDeadline: NIODeadline? { queue.first.flatMap { $0.due == .distantFuture ? nil : $0.due } }

    mutating func hold(_ element: Element, until due: NIODeadline) {
        queue.append((element, max(due, queue.last?.due ?? due)))
        heldBytes += element.byteCount
    }

    /// What is due by now.
    mutating func take(until now: NIODeadline) -> [Element] {
        var taken: [Element] = []
        while let first = queue.first, first.due <= now {
            queue.removeFirst()
            heldBytes -= first.element.byteCount
            taken.append(first.element)
        }
        return taken
    }

    mutating func takeAll() -> [Element] {
        defer {
            queue = []
            heldBytes = 0
        }
        return queue.map(\.element)
    }
}

extension TimeAmount {
    /// The amount as a person writes it in a scenario.
    var phrase: String { Nanoseconds(nanoseconds).description }
}

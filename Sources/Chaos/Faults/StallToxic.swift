// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DequeModule
package import NIOCore

/// The stream stops at a byte for a while, and goes on as if nothing had been.
package struct StallToxic: Hashable, Sendable {
    /// So many bytes pass before it stops.
    package var atByte: Int
    /// How long; nil until the fault is taken off.
    package var length: TimeAmount?
    /// How often: again after every further `atByte` bytes.
    package var times: Int

    package init(atByte: Int, length: TimeAmount?, times: Int = 1) {
        self.atByte = atByte
        self.length = length
        self.times = times
    }

    package var phrase: String {
        "stalls at byte \(atByte)" + (length.map { " for \($0.phrase)" } ?? "")
            + (times > 1 ? ", \(times) times" : "")
    }
}

package struct StallMachine: StreamToxic {
    private let settings: StallToxic
    private var waiting: Deque<Delivery> = []
    private var left: Int
    private var stallsLeft: Int
    /// Stops until then; nil while bytes pass.
    private var end: NIODeadline?
    package private(set) var heldBytes = 0

    package init(_ settings: StallToxic) {
        self.settings = settings
        left = settings.atByte
        stallsLeft = settings.times
    }

    package var nextDeadline: NIODeadline? { waiting.isEmpty || end == .distantFuture ? nil : end }

    package mutating func push(_ chunk: ByteBuffer, at now: NIODeadline) -> [Delivery] { take(.bytes(chunk), at: now) }
    package mutating func close(_ end: StreamEnd, at now: NIODeadline) -> [Delivery] { take(.end(end), at: now) }

    private mutating func take(_ delivery: Delivery, at now: NIODeadline) -> [Delivery] {
        waiting.append(delivery)
        heldBytes += delivery.byteCount
        return advance(to: now)
    }

    package mutating func advance(to now: NIODeadline) -> [Delivery] {
        if let end, end <= now { self.end = nil }
        var passed: [Delivery] = []
        while end == nil, let first = waiting.popFirst() {
            guard stallsLeft > 0, case .bytes(var chunk) = first else {
                heldBytes -= first.byteCount
                passed.append(first)
                continue
            }
            let slice = chunk.readSlice(length: min(left, chunk.readableBytes)) ?? ByteBuffer()
            heldBytes -= slice.readableBytes
            left -= slice.readableBytes
            if slice.readableBytes > 0 { passed.append(.bytes(slice)) }
            if chunk.readableBytes > 0 { waiting.prepend(.bytes(chunk)) }
            if left == 0 { stall(at: now) }
        }
        return passed
    }

    private mutating func stall(at now: NIODeadline) {
        stallsLeft -= 1
        left = settings.atByte
        // Where every byte would be the one to stop at, one stop is all.
        if left == 0 { stallsLeft = 0 }
        end = settings.length.map { now + $0 } ?? .distantFuture
    }

    package mutating func release() -> [Delivery] {
        defer {
            waiting = []
            heldBytes = 0
        }
        return Array(waiting)
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The body breaks off and the connection is closed in order. Where the body is shorter, nothing happens.
package struct TruncateToxic: Hashable, Sendable {
    package enum Place: Hashable, Sendable {
        /// This share of the body, 0..<1. Of a body of unknown length, of its first 64 KiB.
        case share(Double)
        case bytes(Int)
    }

    package var at: Place

    package init(at: Place) { self.at = at }

    package var phrase: String {
        switch at {
        case .share(let share): "body cut at \(Ratio(share))"
        case .bytes(let bytes): "body cut at \(ByteAmount.text(Int64(bytes)))"
        }
    }
}

struct TruncateMachine: MessageToxic {
    private let settings: TruncateToxic
    private var gathering: BodyGathering?
    /// Bytes that still pass; nil while that is not known, `.max` when nothing is cut.
    private var left: Int?
    private var isCut = false

    init(_ settings: TruncateToxic) { self.settings = settings }

    var heldBytes: Int { gathering?.bytes.readableBytes ?? 0 }

    mutating func take(_ part: MessagePart, at now: NIODeadline) -> [MessagePart] {
        if isCut {
            if case .end = part { return [.end] }
            return []
        }
        switch part {
        case .head(let head):
            switch (settings.at, head.framing) {
            case (_, .none): left = .max
            case (.bytes(let bytes), .length(let length)): left = Int64(bytes) < length ? bytes : .max
            case (.bytes(let bytes), _): left = bytes
            case (.share(let share), .length(let length)): left = Int(share * Double(length))
            case (.share, _): gathering = BodyGathering()
            }
            return [.head(head)] + (left == 0 ? cut() : [])
        case .body(let bytes):
            guard var gathering else { return pass(bytes) }
            gathering.bytes.writeImmutableBuffer(bytes)
            self.gathering = gathering
            return gathering.isFull ? gathered() : []
        case .end: return gathered() + [.end]
        case .raw: return gathered() + [part]
        }
    }

    mutating func release(at now: NIODeadline) -> [MessagePart] {
        if isCut { return [] }
        let held = gathering?.bytes
        (gathering, left) = (nil, .max)
        return held.map { [.body($0)] } ?? []
    }

    private mutating func gathered() -> [MessagePart] {
        guard let gathering, case .share(let share) = settings.at else { return [] }
        self.gathering = nil
        left = Int(share * Double(gathering.bytes.readableBytes))
        return left == 0 ? cut() : pass(gathering.bytes)
    }

    private mutating func pass(_ bytes: ByteBuffer) -> [MessagePart] {
        let left = left ?? .max
        guard bytes.readableBytes >= left else {
            if left != .max { self.left = left - bytes.readableBytes }
            return [.body(bytes)]
        }
        let passing = bytes.getSlice(at: bytes.readerIndex, length: left) ?? ByteBuffer()
        return [.body(passing)] + cut()
    }

    private mutating func cut() -> [MessagePart] {
        isCut = true
        return [.raw(.end(.severed))]
    }
}

/// A body of unknown length, kept until enough of it is there to speak of shares.
struct BodyGathering: Sendable {
    /// Less than a link may hold, so that it can be reached.
    static let mostBytes = 64 * 1024
    var bytes = ByteBuffer()
    var isFull: Bool { bytes.readableBytes >= Self.mostBytes }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The body comes in so many equal pieces, evenly spread over a time from the head on: the last one when it is over.
/// Of a body of unknown length this is true for its first 64 KiB; the rest comes behind them.
package struct SlowBodyToxic: Hashable, Sendable {
    package var chunks: Int
    package var over: TimeAmount

    package init(chunks: Int, over: TimeAmount) {
        self.chunks = chunks
        self.over = over
    }

    package var phrase: String { "the body in \(chunks) pieces over \(over.phrase)" }
}

struct SlowBodyMachine: MessageToxic {
    private let settings: SlowBodyToxic
    private var queue = DueQueue<MessagePart>()
    private var start = NIODeadline.uptimeNanoseconds(0)
    private var gathering: BodyGathering?
    /// Bytes of a piece; 0 for a message without a body.
    private var piece = 0
    private var offset = 0
    private var isReleased = false

    init(_ settings: SlowBodyToxic) { self.settings = settings }

    var nextDeadline: NIODeadline? { queue.nextDeadline }
    var heldBytes: Int { queue.heldBytes + (gathering?.bytes.readableBytes ?? 0) }

    mutating func take(_ part: MessagePart, at now: NIODeadline) -> [MessagePart] {
        switch part {
        case .head(let head):
            start = now
            switch head.framing {
            case .none: break
            case .length(let length): setPiece(of: Int(length))
            case .chunked, .untilClose: if !isReleased { gathering = BodyGathering() }
            }
            queue.hold(part, until: now)
        case .body(let bytes):
            if var gathering {
                gathering.bytes.writeImmutableBuffer(bytes)
                self.gathering = gathering
                if gathering.isFull { spreadGathered() }
            } else {
                spread(bytes)
            }
        case .end, .raw:
            spreadGathered()
            queue.hold(part, until: now)
        }
        return queue.take(until: now)
    }

    mutating func advance(to now: NIODeadline) -> [MessagePart] { queue.take(until: now) }

    mutating func release(at now: NIODeadline) -> [MessagePart] {
        spreadGathered()
        isReleased = true
        return queue.takeAll()
    }

    private mutating func setPiece(of length: Int) {
        piece = max(1, length / settings.chunks + (length % settings.chunks > 0 ? 1 : 0))
    }

    private mutating func spreadGathered() {
        guard let gathering else { return }
        self.gathering = nil
        setPiece(of: gathering.bytes.readableBytes)
        spread(gathering.bytes)
    }

    private mutating func spread(_ bytes: ByteBuffer) {
        var rest = bytes
        while rest.readableBytes > 0 {
            let number = min(piece > 0 ? offset / piece : 0, settings.chunks - 1)
            let isLast = number == settings.chunks - 1 || piece == 0
            let count = isLast ? rest.readableBytes : min(rest.readableBytes, piece * (number + 1) - offset)
            guard let part = rest.readSlice(length: count) else { return }
            offset += count
            queue.hold(.body(part), until: isReleased ? start : due(piece: number))
        }
    }

    /// Piece k of n is due (k + 1) / n of the time after the head.
    private func due(piece number: Int) -> NIODeadline {
        let share = Double(number + 1) / Double(settings.chunks)
        return start + .nanoseconds(Int64(Double(settings.over.nanoseconds) * share))
    }
}

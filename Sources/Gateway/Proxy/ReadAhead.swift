// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DequeModule
import NIOCore

/// What has come of a response that its client has no room for yet (`response_buffering`), and how much more may come.
/// Whoever fits in here whole leaves its upstream free for other requests, however slow the client is.
struct ReadAhead {
    /// What a response may hold of memory on its way to one slow client, all in all.
    private static let heldBytes = 256 * 1024
    /// Above it a client's connection takes no more (NIO's high mark of writability).
    private static let connectionBytes = 64 * 1024
    /// Parts are copied into pieces of this size: a part may be a few bytes in the memory of a whole read.
    private static let pieceBytes = 16 * 1024

    private var pieces: Deque<ByteBuffer> = []
    private(set) var count = 0
    private var largestPart = 0
    /// Bytes that have come since reading could last be stopped, and the most so far.
    private var turn = 0
    private var largestTurn = 0

    var isEmpty: Bool { count == 0 }

    /// Another response begins.
    mutating func begin() { (largestPart, turn, largestTurn) = (0, 0, 0) }

    /// A part has gone to the connection, which had room.
    mutating func passed(_ count: Int) { largestPart = max(largestPart, count) }

    mutating func add(_ part: ByteBuffer) {
        var rest = part
        largestPart = max(largestPart, rest.readableBytes)
        count += rest.readableBytes
        turn += rest.readableBytes
        while rest.readableBytes > 0 {
            if (pieces.last?.readableBytes ?? Self.pieceBytes) >= Self.pieceBytes {
                pieces.append(ByteBufferAllocator().buffer(capacity: Self.pieceBytes))
            }
            let place = pieces.count - 1
            let room = Self.pieceBytes - pieces[place].readableBytes
            guard var next = rest.readSlice(length: min(room, rest.readableBytes)) else { return }
            pieces[place].writeBuffer(&next)
        }
    }

    /// All that was read has come; another turn brings as much as the longest so far, or two reads as large as the
    /// largest part. The connection may hold such a part above its mark.
    ///
    /// - Parameter limit: of the bytes in here that reading may go on with.
    /// - Returns: whether reading has to stop.
    mutating func isFullAfterTurn(limit: Int) -> Bool {
        largestTurn = max(largestTurn, turn)
        turn = 0
        let room = Self.heldBytes - Self.connectionBytes - largestPart - max(largestTurn, 2 * largestPart)
        return count > 0 && count >= min(limit, room)
    }

    /// The next piece in the order they came.
    mutating func take() -> ByteBuffer? {
        guard let piece = pieces.popFirst() else { return nil }
        count -= piece.readableBytes
        return piece
    }

    mutating func removeAll() { self = ReadAhead() }
}

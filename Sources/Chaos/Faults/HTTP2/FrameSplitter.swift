// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Finds the frames of one direction of an HTTP/2 connection in its bytes, wherever they are cut. Frames come whole,
/// but for DATA, which passes as it comes, so that a link holds no body back.
///
/// Pure; knows nothing of streams or header blocks.
package struct FrameSplitter: Sendable {
    package enum Piece: Hashable, Sendable {
        /// The 24 bytes with which a client begins.
        case preface(ByteBuffer)
        case frame(Frame)
        /// A DATA frame begins.
        case data(FrameHead)
        /// Bytes of its payload; the last ones say so. Empty ones come only at the end of an empty frame.
        case dataBytes(ByteBuffer, isLast: Bool)
        /// This is no HTTP/2: everything from here on, as it is.
        case opaque(ByteBuffer)
    }

    /// RFC 9113 section 3.4.
    package static let preface = ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

    /// A frame that is not DATA and longer than this is of nobody who may be trusted with a buffer: the sizes that
    /// are sent in practice are those of section 4.2, 16 KiB.
    package static let longestFrame = 64 * 1024

    private enum Place: Sendable {
        case preface
        case head
        case data(left: Int)
        case opaque
    }

    private var place: Place
    private var pending = ByteBuffer()

    /// - Parameter isFromClient: begins with the preface.
    package init(isFromClient: Bool) { place = isFromClient ? .preface : .head }

    package mutating func push(_ chunk: ByteBuffer) { pending.addInbound(chunk) }

    /// The next piece; nil when more bytes are needed.
    package mutating func next() -> Piece? {
        switch place {
        case .preface: return nextPreface()
        case .head: return nextFrame()
        case .data(let left): return nextData(left)
        case .opaque: return pending.readableBytes > 0 ? .opaque(takePending()) : nil
        }
    }

    /// Gives up: what has not passed comes as opaque bytes, and so does everything after it.
    package mutating func giveUp() { place = .opaque }

    private mutating func nextPreface() -> Piece? {
        let (seen, wanted) = (pending.readableBytesView, Self.preface.readableBytesView)
        guard seen.prefix(wanted.count).elementsEqual(wanted.prefix(seen.count)) else {
            place = .opaque
            return next()
        }
        guard let preface = pending.readSlice(length: wanted.count) else { return nil }
        place = .head
        return .preface(preface)
    }

    private mutating func nextFrame() -> Piece? {
        guard let head = pending.frameHead() else { return nil }
        if head.kind == .data {
            pending.moveReaderIndex(forwardBy: FrameHead.byteCount)
            place = .data(left: head.length)
            return .data(head)
        }
        guard head.length <= Self.longestFrame else {
            place = .opaque
            return next()
        }
        guard pending.readableBytes >= FrameHead.byteCount + head.length else { return nil }
        pending.moveReaderIndex(forwardBy: FrameHead.byteCount)
        return .frame(Frame(head, payload: pending.readSlice(length: head.length) ?? ByteBuffer()))
    }

    private mutating func nextData(_ left: Int) -> Piece? {
        let count = min(left, pending.readableBytes)
        guard count > 0 || left == 0 else { return nil }
        let bytes = pending.readSlice(length: count) ?? ByteBuffer()
        place = count == left ? .head : .data(left: left - count)
        return .dataBytes(bytes, isLast: count == left)
    }

    private mutating func takePending() -> ByteBuffer {
        defer { pending = ByteBuffer() }
        return pending
    }
}

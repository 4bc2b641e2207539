// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHPACK

/// The fields of a message, or of its trailers, with the frames that brought them.
struct HeaderBlock: Sendable {
    var stream: UInt32
    var endsStream: Bool
    /// The stream that PUSH_PROMISE promises; nil of HEADERS.
    var promised: UInt32?
    var fields: HPACKHeaders
    /// HEADERS or PUSH_PROMISE and its CONTINUATION frames, as they came.
    var original: ByteBuffer
    /// What it says of the size of the compression table, at its beginning (RFC 7541 section 6.3).
    fileprivate var tableSizes: [Int]
}

/// The header blocks of one direction of an HTTP/2 connection, read along so that one can be left out.
///
/// A block changes the table by which the next one is compressed (RFC 9113 section 4.3): the receiver must see them all
/// or understand none that follow. So from the first that is left out on, those that pass are written anew, as literals
/// which neither use nor change the table (RFC 7541 section 6.2.2). What a block that was left out said of the size of
/// the table is said by the next.
struct HeaderBlocks: Sendable {
    enum Step: Sendable {
        /// Not all frames of it are there.
        case needsMore
        case complete(HeaderBlock)
        /// It cannot be read; these are its frames as they came.
        case failed(ByteBuffer)
    }

    /// As much as browsers and gRPC libraries ask for at most. A larger table than the sender keeps does no harm:
    /// places in it are counted from its newest entry.
    private static let tableBytes = 64 * 1024
    private static let longestBlock = 256 * 1024
    /// RFC 9113 section 4.2: every receiver takes payloads of this size.
    private static let longestFragment = 16_384

    private struct Open {
        var head: FrameHead
        var promised: UInt32?
        var fragment: ByteBuffer
        var original: ByteBuffer
    }

    private var decoder = HPACKDecoder(
        allocator: ByteBufferAllocator(), maxDynamicTableSize: tableBytes, maxHeaderListSize: longestBlock)
    private var open: Open?
    /// One was left out.
    private var hasGap = false
    /// What those that were left out said: the smallest size, and the last.
    private var missedSizes: (smallest: Int, last: Int)?

    init() {}

    /// Nothing but CONTINUATION may come now.
    var isOpen: Bool { open != nil }

    /// Takes HEADERS, PUSH_PROMISE or CONTINUATION, and whatever comes while a block is open.
    mutating func take(_ frame: Frame) -> Step {
        var block: Open
        if var known = open {
            known.original.writeImmutableBuffer(frame.bytes)
            guard frame.head.kind == .continuation, frame.head.stream == known.head.stream else {
                return .failed(known.original)
            }
            known.fragment.writeImmutableBuffer(frame.payload)
            block = known
        } else {
            guard let first = Self.first(frame) else { return .failed(frame.bytes) }
            block = first
        }
        guard block.fragment.readableBytes <= Self.longestBlock else { return .failed(block.original) }
        guard frame.head.endsHeaders else {
            open = block
            return .needsMore
        }
        open = nil
        let tableSizes = Self.tableSizes(block.fragment)
        guard let fields = try? decoder.decodeHeaders(from: &block.fragment) else { return .failed(block.original) }
        return .complete(
            HeaderBlock(
                stream: block.head.stream, endsStream: block.promised == nil && block.head.endsStream,
                promised: block.promised, fields: fields, original: block.original, tableSizes: tableSizes))
    }

    /// The receiver will not get it.
    mutating func leaveOut(_ block: HeaderBlock) {
        hasGap = true
        for size in block.tableSizes {
            missedSizes = (min(size, missedSizes?.smallest ?? size), size)
        }
    }

    /// The bytes by which it passes.
    mutating func bytes(of block: HeaderBlock) -> ByteBuffer {
        guard hasGap else { return block.original }
        var sizes = block.tableSizes
        if let missed = missedSizes {
            let all = [missed.smallest, missed.last] + sizes
            let (smallest, last) = (all.min() ?? missed.smallest, all.last ?? missed.last)
            sizes = smallest == last ? [last] : [smallest, last]
            missedSizes = nil
        }
        var fragment = ByteBuffer()
        for size in sizes { fragment.writeInteger(size, prefix: 5, pattern: 0x20) }
        for (name, value, indexing) in block.fields {
            let isSecret = if case .neverIndexed = indexing { true } else { false }
            fragment.writeInteger(isSecret ? UInt8(0x10) : 0)
            for text in [name, value] {
                fragment.writeInteger(text.utf8.count, prefix: 7, pattern: 0)
                fragment.writeString(text)
            }
        }
        return Self.frames(of: block, fragment)
    }

    private static func frames(of block: HeaderBlock, _ fragment: ByteBuffer) -> ByteBuffer {
        var (rest, bytes) = (fragment, ByteBuffer())
        var kind: FrameHead.Kind = block.promised == nil ? .headers : .pushPromise
        var flags: UInt8 = block.endsStream ? FrameHead.endStream : 0
        var isFirst = true
        while isFirst || rest.readableBytes > 0 {
            var payload = ByteBuffer()
            if isFirst, let promised = block.promised { payload.writeInteger(promised) }
            let count = min(rest.readableBytes, longestFragment - payload.readableBytes)
            payload.writeImmutableBuffer(rest.readSlice(length: count) ?? ByteBuffer())
            if rest.readableBytes == 0 { flags |= FrameHead.endHeaders }
            bytes.writeImmutableBuffer(Frame(kind, flags: flags, stream: block.stream, payload: payload).bytes)
            (kind, flags, isFirst) = (.continuation, 0, false)
        }
        return bytes
    }

    /// Takes padding, priority and promise off the first frame of a block.
    private static func first(_ frame: Frame) -> Open? {
        guard frame.head.kind == .headers || frame.head.kind == .pushPromise else { return nil }
        var fragment = frame.payload
        var (padding, promised) = (0, UInt32?.none)
        if frame.head.isPadded {
            guard let count = fragment.readInteger(as: UInt8.self) else { return nil }
            padding = Int(count)
        }
        if frame.head.kind == .pushPromise {
            guard let stream = fragment.readInteger(as: UInt32.self) else { return nil }
            promised = stream & 0x7fff_ffff
        } else if frame.head.hasPriority {
            // Four bytes of the stream it depends on, one of weight.
            guard fragment.readSlice(length: 5) != nil else { return nil }
        }
        let count = fragment.readableBytes - padding
        guard count >= 0, let block = fragment.readSlice(length: count) else { return nil }
        return Open(head: frame.head, promised: promised, fragment: block, original: frame.bytes)
    }

    private static func tableSizes(_ fragment: ByteBuffer) -> [Int] {
        var (rest, sizes) = (fragment, [Int]())
        while let first = rest.getInteger(at: rest.readerIndex, as: UInt8.self), first & 0xe0 == 0x20,
            let size = rest.readInteger(prefix: 5)
        {
            sizes.append(size)
        }
        return sizes
    }
}

// Integers of RFC 7541 section 5.1.
extension ByteBuffer {
    fileprivate mutating func writeInteger(_ value: Int, prefix: Int, pattern: UInt8) {
        let most = (1 << prefix) - 1
        guard value >= most else {
            writeInteger(pattern | UInt8(value))
            return
        }
        writeInteger(pattern | UInt8(most))
        var rest = value - most
        while rest >= 128 {
            writeInteger(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        writeInteger(UInt8(rest))
    }

    /// Nil when it is cut off or larger than any table.
    fileprivate mutating func readInteger(prefix: Int) -> Int? {
        let most = (1 << prefix) - 1
        guard let first = readInteger(as: UInt8.self) else { return nil }
        var value = Int(first) & most
        guard value == most else { return value }
        for shift in stride(from: 0, to: 28, by: 7) {
            guard let byte = readInteger(as: UInt8.self) else { return nil }
            value += Int(byte & 127) << shift
            if byte & 128 == 0 { return value }
        }
        return nil
    }
}

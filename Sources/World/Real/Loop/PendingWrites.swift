// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import CPlatform
import NIOCore

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// What a channel has been given to write, in order: what was flushed goes out when the socket takes it.
struct PendingWrites {
    enum Outcome {
        /// Something went; the channel may have become writable by it, and who waited for what is whole is to be told.
        case wrote(becameWritable: Bool, [EventLoopPromise<Void>])
        /// The socket is full.
        case blocked
        /// With an errno.
        case failed(CInt)
    }

    private struct Item {
        var bytes: ByteBuffer
        var promise: EventLoopPromise<Void>?
    }

    /// As many parts go out with one system call.
    private static let mostParts = 64
    /// And as many bytes: the kernel takes some 40 µs for them, and others are waiting.
    static let mostBytes = 128 * 1024

    private var items: [Item] = []
    /// Of the items, from the first.
    private var flushed = 0
    private(set) var byteCount = 0
    private(set) var isWritable = true
    /// The socket was full; it will say when it is not.
    var isBlocked = false
    /// NIO's defaults.
    var waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 32 * 1024, high: 64 * 1024)

    var hasFlushed: Bool { flushed > 0 }
    var hasAny: Bool { !items.isEmpty }

    /// - Returns: the channel is not writable any more.
    mutating func add(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>?) -> Bool {
        items.append(Item(bytes: bytes, promise: promise))
        byteCount += bytes.readableBytes
        guard isWritable, byteCount > waterMark.high else { return false }
        isWritable = false
        return true
    }

    mutating func flush() { flushed = items.count }

    mutating func write(to descriptor: CInt) -> Outcome {
        let (asked, result) = flushed == 1 ? writeOne(descriptor) : writeSome(descriptor)
        guard result >= 0 else {
            if result == -Int(EAGAIN) {
                isBlocked = true
                return .blocked
            }
            return .failed(CInt(-result))
        }
        // Who takes less than was offered is full; to ask again would only tell the same.
        isBlocked = result < asked
        return wrote(result)
    }

    /// A close takes away only what there is no room for, not what has let others go first.
    ///
    /// - Returns: who waits for what went.
    mutating func writeRest(to descriptor: CInt) -> [EventLoopPromise<Void>] {
        var done: [EventLoopPromise<Void>] = []
        while hasFlushed, !isBlocked, case .wrote(_, let promises) = write(to: descriptor) { done += promises }
        return done
    }

    private func writeOne(_ descriptor: CInt) -> (asked: Int, result: Int) {
        items[0].bytes.withUnsafeReadableBytes { bytes in
            let asked = min(bytes.count, Self.mostBytes)
            return (asked, asked == 0 ? 0 : gatecrash_write(descriptor, bytes.baseAddress, asked))
        }
    }

    private func writeSome(_ descriptor: CInt) -> (asked: Int, result: Int) {
        let most = min(flushed, Self.mostParts)
        return withUnsafeTemporaryAllocation(of: iovec.self, capacity: most) { parts in
            var (asked, count) = (0, 0)
            while count < most, asked < Self.mostBytes {
                // The items keep the memory where it is while the kernel reads it.
                items[count].bytes.withUnsafeReadableBytes { bytes in
                    let length = min(bytes.count, Self.mostBytes - asked)
                    asked += length
                    parts[count] = iovec(
                        iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: length)
                }
                count += 1
            }
            return (asked, gatecrash_writev(descriptor, parts.baseAddress, CInt(count)))
        }
    }

    /// Takes off what went.
    private mutating func wrote(_ count: Int) -> Outcome {
        byteCount -= count
        var rest = count
        var done = 0
        while done < flushed, items[done].bytes.readableBytes <= rest {
            rest -= items[done].bytes.readableBytes
            done += 1
        }
        if rest > 0 {
            items[done].bytes.moveReaderIndex(forwardBy: rest)
        }
        flushed -= done
        let promises = take(done)
        guard !isWritable, byteCount < waterMark.low else { return .wrote(becameWritable: false, promises) }
        isWritable = true
        return .wrote(becameWritable: true, promises)
    }

    /// - Returns: who waits for these items.
    private mutating func take(_ count: Int) -> [EventLoopPromise<Void>] {
        if count == items.count, items.allSatisfy({ $0.promise == nil }) {
            items.removeAll(keepingCapacity: count <= 4)
            return []
        }
        let promises = items[..<count].compactMap(\.promise)
        items.removeFirst(count)
        return promises
    }

    /// Forgets everything.
    ///
    /// - Returns: who waits to hear of it.
    mutating func removeAll() -> [EventLoopPromise<Void>] {
        let promises = items.compactMap(\.promise)
        items = []
        (flushed, byteCount, isWritable) = (0, 0, false)
        return promises
    }
}
#endif

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import CPlatform
import NIOCore

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// Where a loop reads into: one buffer for all of its sockets, so that a connection that waits holds none.
final class ReadBuffer {
    /// Bytes that one read can bring.
    static let size = 64 * 1024
    /// Up to this many are copied into memory of their own length; more leave with the buffer they came in.
    private static let copiedBytes = 4 * 1024

    private let allocator = ByteBufferAllocator()
    private var buffer: ByteBuffer

    init() { buffer = allocator.buffer(capacity: Self.size) }

    /// - Returns: what read(2) said (0 at the end, a negative errno), and the bytes.
    @inline(__always)
    func read(_ descriptor: CInt) -> (count: Int, bytes: ByteBuffer) {
        fill { gatecrash_read(descriptor, $0, Self.size) }
    }

    /// One datagram.
    func receive(_ descriptor: CInt, from sender: inout sockaddr_storage) -> (count: Int, bytes: ByteBuffer) {
        fill { gatecrash_receive_from(descriptor, $0, Self.size, &sender) }
    }

    @inline(__always)
    private func fill(_ call: (UnsafeMutableRawPointer?) -> Int) -> (count: Int, bytes: ByteBuffer) {
        // Allocates when the bytes of the last large read are still in use.
        buffer.clear(minimumCapacity: Self.size)
        var result = 0
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.size) { memory in
            result = call(memory.baseAddress)
            return max(0, result)
        }
        guard result > 0 else { return (result, buffer) }
        if result > Self.copiedBytes { return (result, buffer) }
        var copy = allocator.buffer(capacity: result)
        buffer.withUnsafeReadableBytes { _ = copy.writeBytes($0) }
        return (result, copy)
    }
}
#endif

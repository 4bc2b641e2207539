// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The memory that heads are written into, handed from one connection of an event loop to the next: a head is nearly
/// always written to its socket before the next one begins, so one piece of memory serves all of them and an idle
/// connection holds none. Confined to its event loop.
package final class OutboundMemory {
    /// What grew beyond this for once is not kept.
    private static let keptBytes = 64 * 1024

    private var spare: ByteBuffer?

    package init() {}

    /// An empty buffer with room for `count` bytes. When the memory is still in use elsewhere (a socket was full) the
    /// buffer gets its own.
    @inline(__always)
    func take(_ count: Int) -> ByteBuffer {
        var buffer = spare.take() ?? ByteBuffer()
        buffer.clear(minimumCapacity: max(count, 1024))
        return buffer
    }

    /// Takes back what has been written.
    @inline(__always)
    func give(_ buffer: consuming ByteBuffer) {
        if buffer.capacity <= Self.keptBytes { spare = buffer }
    }
}

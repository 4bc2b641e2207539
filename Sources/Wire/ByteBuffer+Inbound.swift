// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

extension ByteBuffer {
    /// Adds what has come in behind what is still unread; with nothing unread it becomes the buffer, without a copy.
    ///
    /// What was read goes. A buffer that is only written and read keeps every byte that ever came, and is copied whole
    /// with each read as long as somebody holds a slice of it: a peer need only see to it that no read ends where a
    /// message or a chunk does.
    @inline(__always)
    package mutating func addInbound(_ bytes: ByteBuffer) {
        if readableBytes == 0 {
            self = bytes
        } else {
            discardReadBytes()
            writeImmutableBuffer(bytes)
        }
    }
}

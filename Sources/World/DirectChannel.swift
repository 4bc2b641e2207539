// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// A socket that its one handler may use without the pipeline between them: bytes arrive and leave by plain calls, and
/// everything else (the end, errors, writability, half-closure, reading on demand) comes and goes as always. For
/// connections whose pipeline holds one handler and never gets another; a request costs less by several allocations
/// and dozens of references counted. Confined to the channel's event loop.
package protocol DirectChannel: AnyObject {
    /// From now on, and as long as the channel is open, what arrives goes to `receiver` and not through the pipeline.
    func deliver(to receiver: any DirectReceiver)

    /// Writes and flushes, in order with what was written through the pipeline.
    func send(_ bytes: ByteBuffer)
}

/// The one handler of a `DirectChannel`.
package protocol DirectReceiver: AnyObject {
    /// Asked when the channel would read on its own account; whoever says no asks for the next read himself, with
    /// `read()` of the channel.
    var wantsToRead: Bool { get }

    func received(_ bytes: ByteBuffer)

    /// All that was there for now was delivered.
    func receivedAll()
}

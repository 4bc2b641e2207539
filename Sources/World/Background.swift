// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Where work is done that takes longer than an event loop may be kept: reading and compiling a configuration of
/// thousands of routes. It has no part in time: a virtual world does it at once.
package protocol Background: Sendable {
    /// Does a piece of work. Pieces are done one after the other, in the order in which they came.
    ///
    /// - Parameters:
    ///   - loop: where the future completes.
    ///   - work: touches nothing that belongs to an event loop. What only it holds is also freed there.
    func run<Value: Sendable>(on loop: any EventLoop, _ work: @escaping @Sendable () -> Value) -> EventLoopFuture<Value>
}

/// Does work at once, on the loop that asks.
package struct ImmediateBackground: Background {
    package init() {}

    package func run<Value: Sendable>(
        on loop: any EventLoop, _ work: @escaping @Sendable () -> Value
    ) -> EventLoopFuture<Value> {
        loop.makeSucceededFuture(work())
    }
}

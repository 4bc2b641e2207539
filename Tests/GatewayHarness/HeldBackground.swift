// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOConcurrencyHelpers
package import NIOCore
import World

/// Work that waits until it is told to be done.
package final class HeldBackground: Background {
    private let held = NIOLockedValueBox<[@Sendable () -> Void]>([])

    package init() {}

    package func run<Value: Sendable>(
        on loop: any EventLoop, _ work: @escaping @Sendable () -> Value
    ) -> EventLoopFuture<Value> {
        let promise = loop.makePromise(of: Value.self)
        held.withLockedValue { $0.append { promise.succeed(work()) } }
        return promise.futureResult
    }

    package var count: Int { held.withLockedValue(\.count) }

    /// Does what was there when it was called.
    package func release() {
        for work in held.withLockedValue({ held in
            defer { held = [] }
            return held
        }) { work() }
    }
}

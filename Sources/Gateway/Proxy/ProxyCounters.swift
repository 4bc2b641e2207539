// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What one worker counts. Its own loop alone writes, anybody may read; so a plain load and store make a count, and no
/// core waits for another.
final class ProxyCounters: Sendable {
    /// A number with one writer.
    struct Count: ~Copyable, Sendable {
        private let atomic = Atomic(0)

        var value: Int { atomic.load(ordering: .relaxed) }
        func add(_ amount: Int) { atomic.store(atomic.load(ordering: .relaxed) &+ amount, ordering: .relaxed) }
    }

    /// Client connections since the start.
    let accepted = Count()
    /// Client connections open now.
    let open = Count()
    /// Requests under way.
    let writing = Count()
    /// Requests since the start.
    let requests = Count()
    /// What has become of them, by route.
    let routes = RouteCounterTable()
}

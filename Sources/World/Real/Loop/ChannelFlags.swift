// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import NIOCore
import Synchronization

/// What any thread may ask a channel for.
final class ChannelFlags: Sendable {
    private let writable = Atomic(true)
    private let active = Atomic(false)
    private let known = Mutex(StreamChannel.Addresses())

    var isWritable: Bool {
        get { writable.load(ordering: .relaxed) }
        set { writable.store(newValue, ordering: .relaxed) }
    }

    var isActive: Bool {
        get { active.load(ordering: .relaxed) }
        set { active.store(newValue, ordering: .relaxed) }
    }

    var addresses: StreamChannel.Addresses { known.withLock { $0 } }
    func set(_ addresses: StreamChannel.Addresses) { known.withLock { $0 = addresses } }
}
#endif

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Three busy threads for each core, until they are told to disperse: others have to wait.
final class Crowd: Sendable {
    private let isOver = Atomic(false)

    static func gather() -> Crowd {
        let crowd = Crowd()
        for _ in 0..<3 * ProcessInfo.processInfo.activeProcessorCount {
            Thread.detachNewThread { while !crowd.isOver.load(ordering: .relaxed) {} }
        }
        return crowd
    }

    func disperse() { isOver.store(true, ordering: .relaxed) }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Packets vanish and nobody is told.
package struct BlackholeToxic: Hashable, Sendable {
    package enum Stage: String, Hashable, Sendable, CaseIterable {
        /// New connections are never opened: a connect gets no answer. Open ones go on.
        case connect
        /// Connections open, but nothing that is said arrives. The sender's kernel would try again and again, so all
        /// of it arrives when the hole is closed.
        case data
    }

    package var stage: Stage

    package init(stage: Stage) { self.stage = stage }

    package var phrase: String {
        stage == .connect ? "connects are not answered" : "nothing that is said arrives"
    }
}

package struct BlackholeMachine: StreamToxic {
    private var queue = DueQueue<Delivery>()

    package init() {}

    package var heldBytes: Int { queue.heldBytes }

    package mutating func push(_ chunk: ByteBuffer, at now: NIODeadline) -> [Delivery] {
        queue.hold(.bytes(chunk), until: .distantFuture)
        return []
    }

    package mutating func close(_ end: StreamEnd, at now: NIODeadline) -> [Delivery] {
        queue.hold(.end(end), until: .distantFuture)
        return []
    }

    package mutating func release() -> [Delivery] { queue.takeAll() }
}

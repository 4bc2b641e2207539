// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// One side is told that the other has said everything (FIN), which it has not: the other direction goes on. It stays
/// so when the fault is taken off; new connections are whole again.
package struct HalfCloseToxic: Hashable, Sendable {
    /// Who is told.
    package enum Side: String, Hashable, Sendable, CaseIterable { case client, server }

    package var side: Side

    package init(side: Side) { self.side = side }

    package var phrase: String { "half-closed: the \(side.rawValue) reads the end" }
}

package struct HalfCloseMachine: StreamToxic {
    package init() {}
    package mutating func begin(at now: NIODeadline) -> [Delivery] { [.end(.finished)] }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The server has forgotten the connection (it restarted, a firewall dropped it) and the client is not told: what the
/// client says goes nowhere and no answer comes. When the fault is taken off such connections are reset, as the next
/// packet to a server that does not know them would be answered.
package struct HalfOpenToxic: Hashable, Sendable {
    package init() {}

    package var phrase: String { "half-open: the server has forgotten the connection" }
}

package struct HalfOpenMachine: StreamToxic {
    package init() {}
    package mutating func begin(at now: NIODeadline) -> [Delivery] { [.end(.lost)] }
    package mutating func release() -> [Delivery] { [.end(.reset)] }
    package mutating func handOver() -> [Delivery] { [] }
}

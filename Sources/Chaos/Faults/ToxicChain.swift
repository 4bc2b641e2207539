// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The faults on one direction of one connection, in the order they were installed: what one lets pass, the next takes.
/// Pure, like the machines in it.
///
/// ```
/// sender ──push──▶ [latency] ──▶ [slicer] ──▶ receiver
/// ```
package struct ToxicChain: Sendable {
    private var stages: [(name: String, machine: any StreamToxic)] = []

    package init() {}

    package var isEmpty: Bool { stages.isEmpty }
    package var heldBytes: Int { stages.reduce(0) { $0 + $1.machine.heldBytes } }
    package var nextDeadline: NIODeadline? { stages.compactMap(\.machine.nextDeadline).min() }

    package mutating func install(_ machine: any StreamToxic, name: String) {
        stages.append((name, machine))
    }

    /// Takes a fault away; what it held goes on through the faults behind it.
    package mutating func remove(_ name: String, at now: NIODeadline) -> [Delivery] {
        var passed: [Delivery] = []
        while let place = stages.firstIndex(where: { $0.name == name }) {
            var machine = stages.remove(at: place).machine
            passed += pass(machine.release(), from: place, at: now)
        }
        return passed
    }

    package mutating func push(_ chunk: ByteBuffer, at now: NIODeadline) -> [Delivery] {
        pass([.bytes(chunk)], from: 0, at: now)
    }

    package mutating func close(_ end: StreamEnd, at now: NIODeadline) -> [Delivery] {
        pass([.end(end)], from: 0, at: now)
    }

    /// What has become due, the last fault first, so that nothing overtakes what it holds.
    package mutating func advance(to now: NIODeadline) -> [Delivery] {
        var passed: [Delivery] = []
        for place in stages.indices.reversed() {
            passed += pass(stages[place].machine.advance(to: now), from: place + 1, at: now)
        }
        return passed
    }

    private mutating func pass(_ deliveries: [Delivery], from place: Int, at now: NIODeadline) -> [Delivery] {
        var passing = deliveries
        for stage in stages.indices.dropFirst(place) where !passing.isEmpty {
            var next: [Delivery] = []
            for delivery in passing {
                switch delivery {
                case .bytes(let chunk): next += stages[stage].machine.push(chunk, at: now)
                case .end(let end): next += stages[stage].machine.close(end, at: now)
                }
            }
            passing = next
        }
        return passing
    }
}

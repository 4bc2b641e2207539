// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// The faults on one direction of one connection, in the order they were installed: what one lets pass, the next takes.
/// Pure, like the machines in it.
///
/// ```
/// sender ──push──▶ [latency] ──▶ [slicer] ──▶ receiver
/// ```
package struct ToxicChain: Sendable {
    private struct Stage {
        let name: String
        var machine: any StreamToxic
        /// It has let an end pass; what is said after it is lost.
        var hasEnded = false
    }

    private var stages: [Stage] = []

    package init() {}

    package var isEmpty: Bool { stages.isEmpty }
    package var heldBytes: Int { stages.reduce(0) { $0 + $1.machine.heldBytes } }
    package var nextDeadline: NIODeadline? { stages.compactMap { $0.hasEnded ? nil : $0.machine.nextDeadline }.min() }

    /// - Returns: what the fault has to say at once: a `reset` ends the connection.
    package mutating func install(_ machine: any StreamToxic, name: String, at now: NIODeadline) -> [Delivery] {
        stages.append(Stage(name: name, machine: machine))
        return begin(stages.endIndex - 1, at: now)
    }

    /// Gives a fault other settings. What it held goes on through the faults behind it; counts go on.
    package mutating func replace(_ machine: any StreamToxic, name: String, at now: NIODeadline) -> [Delivery] {
        guard let place = stages.firstIndex(where: { $0.name == name }) else {
            return install(machine, name: name, at: now)
        }
        let passed = pass(stages[place].machine.handOver(), from: place + 1, at: now)
        if stages[place].hasEnded { return passed }
        let former = stages[place].machine
        stages[place].machine = machine
        stages[place].machine.adopt(former)
        return passed + begin(place, at: now)
    }

    /// Takes a fault away; what it held goes on through the faults behind it.
    package mutating func remove(_ name: String, at now: NIODeadline) -> [Delivery] {
        var passed: [Delivery] = []
        while let place = stages.firstIndex(where: { $0.name == name }) {
            var stage = stages.remove(at: place)
            passed += pass(stage.machine.release(), from: place, at: now)
        }
        return passed
    }

    package mutating func push(_ chunk: ByteBuffer, at now: NIODeadline) -> [Delivery] {
        pass([.bytes(chunk)], from: 0, at: now)
    }

    package mutating func close(_ end: StreamEnd, at now: NIODeadline) -> [Delivery] {
        pass([.end(end)], from: 0, at: now)
    }

    /// Takes what came from elsewhere in its order.
    package mutating func take(_ delivery: Delivery, at now: NIODeadline) -> [Delivery] {
        pass([delivery], from: 0, at: now)
    }

    /// What has become due, the last fault first, so that nothing overtakes what it holds.
    package mutating func advance(to now: NIODeadline) -> [Delivery] {
        var passed: [Delivery] = []
        for place in stages.indices.reversed() where !stages[place].hasEnded {
            let due = noted(stages[place].machine.advance(to: now), of: place)
            passed += pass(due, from: place + 1, at: now)
        }
        return passed
    }

    private mutating func begin(_ place: Int, at now: NIODeadline) -> [Delivery] {
        let first = noted(stages[place].machine.begin(at: now), of: place)
        return pass(first, from: place + 1, at: now)
    }

    private mutating func pass(_ deliveries: [Delivery], from place: Int, at now: NIODeadline) -> [Delivery] {
        var passing = deliveries
        for stage in stages.indices.dropFirst(place) where !passing.isEmpty {
            var next: [Delivery] = []
            for delivery in passing { next += take(delivery, stage, at: now) }
            passing = next
        }
        return passing
    }

    private mutating func take(_ delivery: Delivery, _ place: Int, at now: NIODeadline) -> [Delivery] {
        if stages[place].hasEnded {
            // That a peer has died is told all the same.
            return delivery == .end(.reset) ? [delivery] : []
        }
        switch delivery {
        case .bytes(let chunk): return noted(stages[place].machine.push(chunk, at: now), of: place)
        case .end(let end): return noted(stages[place].machine.close(end, at: now), of: place)
        }
    }

    private mutating func noted(_ deliveries: [Delivery], of place: Int) -> [Delivery] {
        if case .end? = deliveries.last { stages[place].hasEnded = true }
        return deliveries
    }
}

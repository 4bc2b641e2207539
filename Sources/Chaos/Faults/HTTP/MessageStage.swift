// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import DequeModule
import NIOCore

/// One fault on the messages of one direction of one connection. Messages pass one after the other: while the fault
/// holds something of one, the next waits.
struct MessageStage: Sendable {
    let name: String
    /// Faults that edit come before those that only slow down, so that both find a head.
    let rank: Int
    /// The machine for a message, given the number of its draw.
    private let make: @Sendable (Int) -> (any MessageToxic)?
    private var machine: (any MessageToxic)?
    private var waiting: Deque<MessagePart> = []
    private var waitingBytes = 0
    /// The message has come whole and is held.
    private var isDraining = false
    private(set) var isRetiring = false

    init(name: String, rank: Int, make: @escaping @Sendable (Int) -> (any MessageToxic)?) {
        self.name = name
        self.rank = rank
        self.make = make
    }

    /// Nothing of it is left to do.
    var isDone: Bool { isRetiring && machine == nil && waiting.isEmpty }
    var heldBytes: Int { waitingBytes + (machine?.heldBytes ?? 0) }
    var nextDeadline: NIODeadline? { machine?.nextDeadline }

    mutating func take(_ part: MessagePart, at now: NIODeadline) -> [MessagePart] {
        guard isDraining else { return process(part, at: now) }
        waiting.append(part)
        waitingBytes += part.byteCount
        return []
    }

    mutating func advance(to now: NIODeadline) -> [MessagePart] {
        let passed = machine?.advance(to: now) ?? []
        return noted(passed) + processWaiting(at: now)
    }

    /// The fault is taken off: new messages pass, and what is held of the present one as well.
    mutating func retire(at now: NIODeadline) -> [MessagePart] {
        isRetiring = true
        let released = machine?.release(at: now) ?? []
        return noted(released) + processWaiting(at: now)
    }

    private mutating func process(_ part: MessagePart, at now: NIODeadline) -> [MessagePart] {
        if case .head(let head) = part { machine = isRetiring ? nil : head.hits[name].flatMap(make) }
        guard machine != nil else { return [part] }
        if case .end = part { isDraining = true }
        return noted(machine?.take(part, at: now) ?? [])
    }

    /// The machine has said its last word about the message.
    private mutating func noted(_ parts: [MessagePart]) -> [MessagePart] {
        if parts.contains(where: { if case .end = $0 { true } else { false } }) { (machine, isDraining) = (nil, false) }
        return parts
    }

    private mutating func processWaiting(at now: NIODeadline) -> [MessagePart] {
        var passed: [MessagePart] = []
        while !isDraining, let part = waiting.popFirst() {
            waitingBytes -= part.byteCount
            passed += process(part, at: now)
        }
        return passed
    }
}

/// The faults on the messages of one direction of one connection.
struct MessageChain: Sendable {
    private var stages: [MessageStage] = []

    var isEmpty: Bool { stages.isEmpty }
    var heldBytes: Int { stages.reduce(0) { $0 + $1.heldBytes } }
    var nextDeadline: NIODeadline? { stages.compactMap(\.nextDeadline).min() }

    mutating func install(_ stage: MessageStage) {
        stages.insert(stage, at: stages.firstIndex { $0.rank > stage.rank } ?? stages.count)
    }

    mutating func remove(_ name: String, at now: NIODeadline) -> [MessagePart] {
        var passed: [MessagePart] = []
        for place in stages.indices where stages[place].name == name && !stages[place].isRetiring {
            passed += pass(stages[place].retire(at: now), from: place + 1, at: now)
        }
        stages.removeAll(where: \.isDone)
        return passed
    }

    mutating func take(_ part: MessagePart, at now: NIODeadline) -> [MessagePart] {
        let passed = pass([part], from: 0, at: now)
        stages.removeAll(where: \.isDone)
        return passed
    }

    /// What has become due, the last fault first, so that nothing overtakes what it holds.
    mutating func advance(to now: NIODeadline) -> [MessagePart] {
        var passed: [MessagePart] = []
        for place in stages.indices.reversed() {
            passed += pass(stages[place].advance(to: now), from: place + 1, at: now)
        }
        stages.removeAll(where: \.isDone)
        return passed
    }

    private mutating func pass(_ parts: [MessagePart], from place: Int, at now: NIODeadline) -> [MessagePart] {
        var passing = parts
        for stage in stages.indices.dropFirst(place) where !passing.isEmpty {
            passing = passing.flatMap { stages[stage].take($0, at: now) }
        }
        return passing
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import World

/// What the seed of a run decides about a step: when, for how long, on which node. The step itself holds stand-ins (the
/// earliest time, the longest length, the first node), so that a plan can be explained without a seed.
package struct Draw: Hashable, Sendable {
    /// Anywhere from the trigger's mark and offset to this much later.
    package var spread: Nanoseconds?
    /// Anywhere in this range.
    package var length: ClosedRange<Nanoseconds>?
    package var nodes: Nodes?

    /// So many different ones of a list; this step is the `place`-th of them, from 0.
    package struct Nodes: Hashable, Sendable {
        package var candidates: [String]
        package var place: Int
        /// All steps with the same key draw from one deal.
        package var key: String

        package init(candidates: [String], place: Int, key: String) {
            self.candidates = candidates
            self.place = place
            self.key = key
        }
    }

    package init(spread: Nanoseconds? = nil, length: ClosedRange<Nanoseconds>? = nil, nodes: Nodes? = nil) {
        self.spread = spread
        self.length = length
        self.nodes = nodes
    }

    var isEmpty: Bool { spread == nil && length == nil && nodes == nil }
}

extension Plan {
    /// The plan with everything decided that a seed decides; the same seed always decides the same. A plan without
    /// draws, or one that was drawn already, comes back as it is.
    package func drawn(_ random: RandomStreams) -> Plan {
        guard steps.contains(where: { $0.draw != nil }) else { return self }
        var plan = self
        for (index, step) in steps.enumerated() where step.draw != nil {
            plan.steps[index] = step.drawn(random, name: step.name ?? "\(index)")
        }
        return plan
    }
}

extension Step {
    fileprivate func drawn(_ random: RandomStreams, name: String) -> Step {
        var step = self
        step.draw = nil
        if let spread = draw?.spread, case .at(let mark) = trigger {
            var stream = random.stream("step \(name) time")
            let offset = Nanoseconds(seconds: stream.unit() * spread.inSeconds)
            step.trigger = .at(MarkExpression(mark.mark, offset: mark.offset + offset))
        }
        if let range = draw?.length {
            var stream = random.stream("step \(name) length")
            let room = range.upperBound - range.lowerBound
            step.length = range.lowerBound + Nanoseconds(seconds: stream.unit() * room.inSeconds)
        }
        if let nodes = draw?.nodes {
            step.action = action.on(nodes.deal(random))
        }
        return step
    }
}

extension Draw.Nodes {
    /// A partial shuffle (Fisher-Yates) from the front: the same for all steps of one key.
    fileprivate func deal(_ random: RandomStreams) -> String {
        var stream = random.stream("step \(key) nodes")
        var rest = candidates
        var chosen = rest.first ?? ""
        for _ in 0...place where !rest.isEmpty {
            let index = min(rest.count - 1, Int(stream.unit() * Double(rest.count)))
            chosen = rest.remove(at: index)
        }
        return chosen
    }
}

extension Step.Action {
    /// The same on another node; unchanged where an action has none.
    func on(_ node: String) -> Step.Action {
        switch self {
        case .set(_, let settings): .set(mock: node, settings)
        case .kill: .kill(node: node)
        case .pause: .pause(node: node)
        case .resume: .resume(node: node)
        case .start: .start(node: node)
        case .restart(_, let drain): .restart(node: node, drain: drain)
        case .stop(_, let drain): .stop(node: node, drain: drain)
        case .signal(_, let name): .signal(node: node, name: name)
        default: self
        }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// Which marks the parts of a plan wait for.
enum MarkGraph {
    /// The order in which expectations can be judged, or the mistake of marks that wait for each other.
    static func judgingOrder(
        steps: [Step], expectations: [Expectation], marks: [MarkDefinition]
    ) -> (order: [Int], problems: [Problem]) {
        var walk = Walk(steps: steps, expectations: expectations)
        for mark in marks { walk.origins[mark.name] = mark.origin }
        for index in steps.indices { walk.visit(.step(index)) }
        for index in expectations.indices { walk.visit(.expectation(index)) }
        return (walk.order, walk.problems)
    }

    /// Depth first; a node met again while it is open closes a circle.
    private struct Walk {
        let steps: [Step]
        let expectations: [Expectation]
        var origins: [MarkName: MarkDefinition.Origin] = [:]
        var order: [Int] = []
        var problems: [Problem] = []
        private var done: Set<MarkDefinition.Origin> = []
        private var path: [(node: MarkDefinition.Origin, mark: MarkName?)] = []

        init(steps: [Step], expectations: [Expectation]) {
            self.steps = steps
            self.expectations = expectations
        }

        mutating func visit(_ node: MarkDefinition.Origin, through mark: MarkName? = nil) {
            if done.contains(node) { return }
            if let start = path.firstIndex(where: { $0.node == node }) {
                reportCircle(from: start, closing: mark)
                return
            }
            path.append((node, mark))
            for used in marksUsed(by: node) {
                if let origin = origins[used], origin != .run { visit(origin, through: used) }
            }
            path.removeLast()
            done.insert(node)
            if case .expectation(let index) = node { order.append(index) }
        }

        private func marksUsed(by node: MarkDefinition.Origin) -> [MarkName] {
            switch node {
            case .run: []
            case .step(let index): steps[index].marksUsed
            case .expectation(let index): expectations[index].marksUsed
            }
        }

        private mutating func reportCircle(from start: Int, closing mark: MarkName?) {
            guard let mark else { return }
            let names = path[(start + 1)...].compactMap { $0.mark?.text } + [mark.text]
            let chain = ([mark.text] + names).joined(separator: " -> ")
            let location: SourceLocation? =
                switch path[start].node {
                case .run: nil
                case .step(let index): steps[index].location
                case .expectation(let index): expectations[index].location
                }
            problems.append(
                Problem(
                    at: location,
                    names.count == 1 ? "the mark `\(mark)` waits for itself" : "marks wait for each other: \(chain)",
                    advice: "measure one of them from a step"))
        }
    }
}

// MARK: Marks used

extension Step {
    var marksUsed: [MarkName] { if case .at(let mark) = trigger { [mark.mark] } else { [] } }
}

extension Expectation {
    /// The marks that `as:` gives.
    package var marksMade: [MarkName] {
        switch kind {
        case .transition(let it): it.mark.map { [$0] } ?? []
        case .recovery(let it): it.mark.map { [$0] } ?? []
        case .window(let it): it.mark.map { [MarkName("\($0).start"), MarkName("\($0).end")] } ?? []
        default: []
        }
    }

    /// Every mark it needs before it can be judged.
    package var marksUsed: [MarkName] {
        switch kind {
        case .transition(let it): [it.after.mark] + it.within.marksUsed
        case .stays(let it): it.during.marksUsed + (it.flaps?.marksUsed ?? [])
        case .window(let it):
            [it.starts, it.ends].compactMap { $0 }.flatMap { [$0.mark.mark] + $0.bound.marksUsed }
                + [it.lasts, it.count].compactMap { $0 }.flatMap(\.marksUsed) + it.during.marksUsed
        case .recovery(let it): [it.after.mark] + it.within.marksUsed
        case .availability(let it): it.bound.marksUsed + (it.budget?.marksUsed ?? []) + it.during.marksUsed
        case .latency(let it): it.entries.flatMap(\.bound.marksUsed) + it.during.marksUsed
        case .requests(let it):
            [it.lost, it.duplicated, it.unknown].compactMap { $0 }.flatMap(\.marksUsed) + it.during.marksUsed
        case .traffic(let it):
            [it.count, it.share, it.nodes, it.moved?.bound].compactMap { $0 }.flatMap(\.marksUsed)
                + it.during.marksUsed + (it.moved?.since.marksUsed ?? [])
        case .probes(let it): [it.every, it.count].compactMap { $0 }.flatMap(\.marksUsed) + it.during.marksUsed
        case .count(let it): it.bound.marksUsed + it.during.marksUsed
        case .order(let marks): marks.map(\.mark)
        case .process(_, _, let during), .sometimes(_, let during): during.marksUsed
        case .usage(let it):
            [it.memory, it.descriptors].compactMap { $0 }.flatMap(\.marksUsed) + it.during.marksUsed
        case .log(let it): it.count.marksUsed + it.during.marksUsed
        case .metric(let it):
            switch it.moment {
            case .at(let mark): it.bound.marksUsed + [mark.mark]
            case .during(let during): it.bound.marksUsed + during.marksUsed
            }
        case .exit, .model, .baseline: []
        }
    }
}

extension During { var marksUsed: [MarkName] { [from.mark, to.mark] } }
extension Bound { var marksUsed: [MarkName] { (lower?.marksUsed ?? []) + (upper?.marksUsed ?? []) } }

extension Expression {
    var marksUsed: [MarkName] {
        switch self {
        case .literal(.instant(let mark)): [mark.mark]
        case .literal, .name: []
        case .unary(_, let operand, _): operand.marksUsed
        case .binary(_, let a, let b, _): a.marksUsed + b.marksUsed
        case .choice(let a, let b, let c, _): a.marksUsed + b.marksUsed + c.marksUsed
        case .call(_, let arguments, _, _): arguments.flatMap(\.marksUsed)
        }
    }
}

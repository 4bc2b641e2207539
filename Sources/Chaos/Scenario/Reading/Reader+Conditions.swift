// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension Reader {
    /// `health(api) == unhealthy`, `process(api-2) != running`, joined by `&&`, `||` and `!`.
    mutating func condition(_ node: DocumentNode, _ what: String) -> Condition? {
        guard let text = node.scalar, !node.isNull else {
            report(node.location, "\(what) must be a condition, not \(node.kindName)", advice: Self.conditionHint)
            return nil
        }
        do {
            return condition(try ExpressionParser.expression(text, place: Self.place(in: node)), node, what)
        } catch {
            problems.add(error)
            return nil
        }
    }

    private static let conditionHint = "write \"health(api) == unhealthy\" or \"process(api) == dead\""

    private mutating func condition(_ expression: Expression, _ node: DocumentNode, _ what: String) -> Condition? {
        switch expression {
        case .binary(.and, let a, let b, _), .binary(.or, let a, let b, _):
            let isAnd = if case .binary(.and, _, _, _) = expression { true } else { false }
            let (x, y) = (condition(a, node, what), condition(b, node, what))
            guard let x, let y else { return nil }
            return isAnd ? .all([x, y]) : .any([x, y])
        case .unary(.not, let operand, _):
            return condition(operand, node, what).map { .not($0) }
        case .binary(.equal, .call(let name, let arguments, _, let location), let state, _):
            return test(name, arguments, state, at: location)
        case .binary(.notEqual, .call(let name, let arguments, _, let location), let state, _):
            return test(name, arguments, state, at: location).map { .not($0) }
        default:
            guard let folded = fold(expression) else { return nil }
            if case .literal(.boolean(let value)) = folded { return .constant(value) }
            report(node.location, "\(what) is no condition", advice: Self.conditionHint)
            return nil
        }
    }

    private mutating func test(
        _ function: String, _ arguments: [Expression], _ state: Expression, at location: SourceLocation
    ) -> Condition? {
        guard let topology = conditionTopology else { return nil }
        guard ["health", "process"].contains(function), arguments.count == 1, let subject = Scope.word(arguments[0]),
            let word = Scope.word(state)
        else {
            report(
                location, "a condition asks for the health of a target or the state of a process",
                advice: Self.conditionHint)
            return nil
        }
        if function == "health" {
            guard let state = HealthState(rawValue: word) else {
                report(location, "a target is never `\(word)`", advice: "write healthy or unhealthy")
                return nil
            }
            return target(named: subject, at: location, topology).map { .health($0, state) }
        }
        guard topology.nodeNames.contains(subject) else {
            problems.add(.unknownName(subject, kind: "node", known: topology.nodeNames, at: location))
            return nil
        }
        guard let state = ProcessState(rawValue: word) else {
            report(location, "a process is never `\(word)`", advice: "write running, paused or dead")
            return nil
        }
        return .process(node: subject, state)
    }
}

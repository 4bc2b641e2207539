// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// What names mean in one cell of a scenario: its variables, its configuration, its marks and nodes.
struct Scope {
    var variables: [Plan.Variable] = []
    /// Names whose value is wrong: using one is no second mistake.
    var brokenVariables: Set<String> = []
    /// Nil until the topology was read, so that `hc` before it is a mistake of its own.
    var upstreams: [UpstreamFacts]?
    /// Every mark there is.
    var marks: [MarkName] = []
    /// Steps without an end, for the advice.
    var stepsWithoutEnd: [String] = []
    /// Mock nodes, for `inflight`.
    var mocks: [String] = []
    var loads: [String] = []
    /// True in the texts of a request, where `n` is the number of the request.
    var hasRequestNumber = false
    /// A step may be called like a variable: where a mark is written plainly (`after: slow`) the mark is meant, inside
    /// `$(…)` the variable.
    var prefersMarks = false
    /// Links and targets that could not be read, so that using them is no second mistake.
    var brokenLinks: Set<String> = []
    var isUnreachable = false

    func variable(_ name: String) -> Value? { variables.first { $0.name == name }?.value }
    func isMark(_ name: String) -> Bool { marks.contains(MarkName(name)) }
}

/// What `Scope.fold` throws for something that was reported where it was written.
enum FoldError: Error {
    case mistake(Problem)
    case alreadyReported
}

extension Scope {
    /// Fills in variables, configuration and marks; what is left over depends on the run.
    func fold(_ expression: Expression) throws(FoldError) -> Expression {
        switch expression {
        case .literal:
            return expression
        case .name(let path, let location):
            return try resolve(path, at: location)
        case .unary(let operation, let operand, let location):
            let operand = try fold(operand)
            let outcome = Arithmetic.apply(operation, try sample(of: operand))
            let value = try unwrap(outcome, at: location)
            return operand.isLiteral ? .literal(value) : .unary(operation, operand, location)
        case .binary(let operation, let a, let b, let location):
            return try fold(operation, try fold(a), try fold(b), at: location)
        case .choice(let condition, let then, let otherwise, let location):
            return try choose(try fold(condition), try fold(then), try fold(otherwise), at: location)
        case .call(let name, let arguments, let path, let location):
            return try call(name, arguments, path, at: location)
        }
    }

    private func fold(
        _ operation: BinaryOperator, _ a: Expression, _ b: Expression, at location: SourceLocation
    ) throws(FoldError) -> Expression {
        let residual = Expression.binary(operation, a, b, location)
        guard case .literal(let x) = a, case .literal(let y) = b else {
            _ = try sample(of: residual)
            return residual
        }
        let outcome = Arithmetic.apply(operation, x, y)
        if case .duringRun = outcome { return residual }
        return .literal(try unwrap(outcome, at: location))
    }

    private func choose(
        _ condition: Expression, _ then: Expression, _ otherwise: Expression, at location: SourceLocation
    ) throws(FoldError) -> Expression {
        guard case .boolean(let isTrue) = try sample(of: condition) else {
            throw .mistake(Problem(at: location, "`?` needs true or false before it", advice: "compare with == or <"))
        }
        let (a, b) = (try sample(of: then), try sample(of: otherwise))
        guard a.phrase == b.phrase || Arithmetic.areComparable(a, b) else {
            throw .mistake(
                Problem(at: location, "the two sides of `:` are \(a.phrase) and \(b.phrase)", advice: "make them alike")
            )
        }
        if condition.isLiteral { return isTrue ? then : otherwise }
        return .choice(condition, then: then, otherwise: otherwise, location)
    }

    // MARK: Names

    private func resolve(_ path: [String], at location: SourceLocation) throws(FoldError) -> Expression {
        let name = path.joined(separator: ".")
        if hasRequestNumber, path == ["n"] { return .name(path, location) }
        if prefersMarks, isMark(name) { return .literal(.instant(MarkExpression(MarkName(name)))) }
        if path.count == 1, brokenVariables.contains(name) { throw .alreadyReported }
        if path.count == 1, let value = variable(name) { return .literal(value) }
        if path[0] == "hc" { return .literal(try healthCheck(of: nil, Array(path.dropFirst()), at: location)) }
        if isMark(name) { return .literal(.instant(MarkExpression(MarkName(name)))) }
        throw .mistake(unknown(name, at: location))
    }

    private func unknown(_ name: String, at location: SourceLocation) -> Problem {
        if name.hasSuffix(".end"), stepsWithoutEnd.contains(String(name.dropLast(4))) {
            return Problem(
                at: location, "the mark `\(name)` is never made: the step has no end",
                advice: "give it `for:`, or `restart: after 10s` when it kills")
        }
        if isMark(name + ".start") {
            return Problem(
                at: location, "`\(name)` is an interval, not an instant",
                advice: "write `\(name).start` or `\(name).end`")
        }
        let parts = name.split(separator: "-").map(String.init)
        if parts.count > 1, parts.contains(where: { variable($0) != nil }) {
            return Problem(
                at: location, "`\(name)` is neither a variable nor a mark",
                advice: "a minus needs blanks around it: \(parts.joined(separator: " - "))")
        }
        let known = variables.map(\.name) + marks.map(\.text)
        let near = nearestKey(to: name, among: known)
        return Problem(
            at: location, "`\(name)` is neither a variable nor a mark",
            advice: near.map { "did you mean `\($0)`?" }
                ?? (prefersMarks
                    ? "marks are made by `name:` of a step and `as:` of an expectation"
                    : "variables stand in `vars:` and `matrix:`"))
    }

    // MARK: Calls

    private func call(
        _ name: String, _ arguments: [Expression], _ path: [String], at location: SourceLocation
    ) throws(FoldError) -> Expression {
        if name == "hc" {
            guard arguments.count == 1, let upstream = Self.word(arguments[0]) else {
                throw .mistake(
                    Problem(
                        at: location, "`hc(…)` takes the name of one upstream", advice: "write hc(orders-up).active"))
            }
            return .literal(try healthCheck(of: upstream, path, at: location))
        }
        guard path.isEmpty else {
            throw .mistake(Problem(at: location, "`\(name)(…)` has no members", advice: "end it after the `)`"))
        }
        switch name {
        case "inflight": return try inFlight(arguments, at: location)
        case "health", "process":
            throw .mistake(
                Problem(
                    at: location, "`\(name)(…)` is no amount", advice: "it belongs into `while:` or `when:`"))
        case _ where Functions.names.contains(name):
            var folded: [Expression] = []
            for argument in arguments { folded.append(try fold(argument)) }
            var samples: [Value] = []
            for argument in folded { samples.append(try sample(of: argument)) }
            let value = try unwrap(Functions.apply(name, samples), at: location)
            return folded.allSatisfy(\.isLiteral) ? .literal(value) : .call(name, folded, path: [], location)
        default:
            let near = nearestKey(to: name, among: Functions.names + ["inflight", "hc"])
            throw .mistake(
                Problem(
                    at: location, "there is no function `\(name)`",
                    advice: near.map { "did you mean `\($0)`?" } ?? "there are min, max, floor, ceil, inflight and hc"))
        }
    }

    private func inFlight(_ arguments: [Expression], at location: SourceLocation) throws(FoldError) -> Expression {
        guard (2...3).contains(arguments.count), let mock = Self.word(arguments[0]) else {
            throw .mistake(
                Problem(
                    at: location, "`inflight` takes a mock, a mark and perhaps a load",
                    advice: "write inflight(api-2, crash) or inflight(api-2, crash, writes)"))
        }
        guard mocks.contains(mock) else {
            throw .mistake(.unknownName(mock, kind: "mock", known: mocks, at: location))
        }
        let mark = try fold(arguments[1])
        guard case .literal(.instant) = mark else {
            throw .mistake(Problem(at: location, "the second part of `inflight` must be a mark"))
        }
        var parts: [Expression] = [.literal(.text(mock)), mark]
        if arguments.count == 3 {
            guard let load = Self.word(arguments[2]), loads.contains(load) else {
                let name = Self.word(arguments[2]) ?? "…"
                throw .mistake(.unknownName(name, kind: "load", known: loads, at: location))
            }
            parts.append(.literal(.text(load)))
        }
        return .call("inflight", parts, path: [], location)
    }

    /// A plain name or quoted text.
    static func word(_ expression: Expression) -> String? {
        switch expression {
        case .name(let path, _): path.joined(separator: ".")
        case .literal(.text(let text)): text
        default: nil
        }
    }

    // MARK: Types

    /// A value of the type the folded expression will have: itself, or a stand-in (1) for what only a run can tell.
    func sample(of expression: Expression) throws(FoldError) -> Value {
        switch expression {
        case .literal(let value): return value
        case .name: return .number(1)
        case .call("inflight", _, _, _): return .number(1)
        case .call(let name, let arguments, _, let location):
            var samples: [Value] = []
            for argument in arguments { samples.append(try sample(of: argument)) }
            return try unwrap(Functions.apply(name, samples), at: location)
        case .unary(let operation, let operand, let location):
            return try unwrap(Arithmetic.apply(operation, try sample(of: operand)), at: location)
        case .binary(let operation, let a, let b, let location):
            let (x, y) = (try sample(of: a), try sample(of: b))
            let outcome = Arithmetic.apply(operation, x, y)
            if case .duringRun = outcome { return .duration(.seconds(1)) }
            if case .mistake("division by zero", _) = outcome, !b.isLiteral { return x }
            return try unwrap(outcome, at: location)
        case .choice(_, let then, _, _): return try sample(of: then)
        }
    }

    private func unwrap(_ outcome: Arithmetic.Outcome, at location: SourceLocation) throws(FoldError) -> Value {
        do {
            return try Expression.unwrap(outcome, at: location)
        } catch {
            throw .mistake(error)
        }
    }
}

extension Expression {
    var isLiteral: Bool { if case .literal = self { true } else { false } }
}

extension Problem {
    /// "there is no mock `apl`; did you mean `api`?"
    static func unknownName(
        _ name: String, kind: String, known: [String], at location: SourceLocation
    ) -> Problem {
        let advice: String? =
            if let near = nearestKey(to: name, among: known) {
                "did you mean `\(near)`?"
            } else if known.isEmpty {
                "the file has none"
            } else {
                "there \(known.count == 1 ? "is" : "are") \(known.map { "`\($0)`" }.joined(separator: ", "))"
            }
        return Problem(at: location, "there is no \(kind) `\(name)`", advice: advice)
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// One axis of the matrix with its values, typed.
struct MatrixAxis {
    var name: String
    var location: SourceLocation
    var values: [Value]
}

extension Reader {
    /// Names that mean something else in expressions.
    static let reservedNames: Set<String> = [
        "start", "end", "hc", "n", "true", "false", "after", "inflight", "health", "process", "ns", "us", "ms", "s",
        "m",
        "min", "max", "floor", "ceil", "h", "request", "requests", "error", "errors",
    ]

    /// The value a text has by itself: an amount where it is one, else the text.
    static func inferred(_ text: String) -> Value {
        guard let tokens = try? Lexer.tokens(of: text) else { return .text(text) }
        guard case .literal(let value)? = tokens.dropLast().last?.kind else { return .text(text) }
        if case .text = value { return .text(text) }
        if tokens.count == 2 { return value }
        if tokens.count == 3, tokens[0].kind == .symbol(.minus),
            case .value(let negated) = Arithmetic.apply(.negate, value)
        {
            return negated
        }
        return .text(text)
    }

    /// A value of `vars:` or `matrix:`; `$(…)` may use what is known so far.
    mutating func variableValue(_ node: DocumentNode, _ what: String) -> Value? {
        guard let text = node.scalar, !node.isNull else {
            report(node.location, "\(what) must be one value, not \(node.kindName)")
            return nil
        }
        guard text.contains("$(") else { return Self.inferred(text) }
        let isWhole = (try? Lexer.tokens(of: text)).map { Self.isOneGroup($0) } ?? false
        return isWhole ? value(node, what) : self.text(node, what).map { .text($0) }
    }

    /// Whether the whole text is one `$(…)`.
    private static func isOneGroup(_ tokens: [Token]) -> Bool {
        var depth = 0
        for (index, token) in tokens.enumerated() {
            if token.kind == .open { depth += 1 }
            if token.kind == .close { depth -= 1 }
            if depth == 0 { return index == tokens.count - 2 }
        }
        return false
    }

    mutating func isUsable(variable name: String, at location: SourceLocation) -> Bool {
        let isName =
            name.unicodeScalars.first.map(Lexer.isLetter) == true
            && name.unicodeScalars.allSatisfy { Lexer.isLetter($0) || Lexer.isDigit($0) || $0 == "-" }
            && !name.hasSuffix("-")
        if !isName {
            report(location, "`\(name)` cannot name a variable", advice: "use letters, digits, _ and - only")
        } else if Self.reservedNames.contains(name) {
            report(location, "`\(name)` cannot name a variable: it has a meaning of its own", advice: "rename it")
        } else {
            return true
        }
        return false
    }

    /// The axes of `matrix:` and the combinations left out.
    mutating func matrix(_ node: DocumentNode?) -> (axes: [MatrixAxis], excluded: [[String: Value]]) {
        var axes: [MatrixAxis] = []
        var excludeNode: DocumentNode?
        for member in members(node, "`matrix`") {
            if member.key == "exclude" {
                excludeNode = member.value
                continue
            }
            guard isUsable(variable: member.key, at: member.keyLocation) else { continue }
            guard let items = member.value.items, !items.isEmpty else {
                report(
                    member.value.location, "the axis `\(member.key)` must be a list of values", advice: "write [a, b]")
                scope.brokenVariables.insert(member.key)
                continue
            }
            let values = items.compactMap { variableValue($0, "a value of `\(member.key)`") }
            axes.append(MatrixAxis(name: member.key, location: member.keyLocation, values: values))
        }
        return (axes, list(excludeNode, "`exclude`").map { excluded($0, axes) })
    }

    private mutating func excluded(_ node: DocumentNode, _ axes: [MatrixAxis]) -> [String: Value] {
        guard fields(node, "an item of `exclude`", keys: axes.map(\.name)) != nil else { return [:] }
        var result: [String: Value] = [:]
        for member in node.members ?? [] {
            guard let axis = axes.first(where: { $0.name == member.key }),
                let value = variableValue(member.value, "a value of `exclude`")
            else { continue }
            if !axis.values.contains(value) {
                report(
                    member.value.location, "`\(member.key)` is never \(value)",
                    advice: "it is \(axis.values.map(\.description).joined(separator: " or "))")
            }
            result[member.key] = value
        }
        return result
    }

    /// Puts the variables of one cell into the scope: the axes, then `vars:` from top to bottom.
    mutating func readVariables(_ node: DocumentNode?, cell: [(name: String, value: Value)], overrides: [String: Value])
    {
        for (name, value) in cell {
            scope.variables.append(Plan.Variable(name: name, value: value, isMatrixAxis: true))
        }
        for member in members(node, "`vars`") {
            guard isUsable(variable: member.key, at: member.keyLocation) else { continue }
            if scope.variable(member.key) != nil {
                report(
                    member.keyLocation, "`\(member.key)` is a variable and an axis of the matrix", advice: "keep one")
                continue
            }
            guard let value = variableValue(member.value, "the variable `\(member.key)`") else {
                scope.brokenVariables.insert(member.key)
                continue
            }
            var chosen = overrides[member.key] ?? value
            if !Self.areAlike(value, chosen) {
                report(
                    nil, "the variable `\(member.key)` is \(value.phrase) (\(value)), not \(chosen.phrase) (\(chosen))",
                    advice: "give a value like the file's")
                chosen = value
            }
            scope.variables.append(Plan.Variable(name: member.key, value: chosen, isMatrixAxis: false))
        }
    }

    static func areAlike(_ a: Value, _ b: Value) -> Bool { a.phrase == b.phrase || Arithmetic.areComparable(a, b) }
}

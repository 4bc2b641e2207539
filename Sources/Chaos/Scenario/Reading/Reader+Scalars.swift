// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

extension Reader {
    // MARK: Text

    /// The text of a scalar with every `$(…)` filled in.
    mutating func text(_ node: DocumentNode, _ what: String) -> String? {
        guard let template = template(node, what) else { return nil }
        guard let constant = template.constant else {
            report(node.location, "\(what) cannot depend on the run")
            return nil
        }
        return constant
    }

    /// Like `text`, but must not be empty.
    mutating func word(_ node: DocumentNode, _ what: String) -> String? {
        guard let text = text(node, what) else { return nil }
        if text.isEmpty { report(node.location, "\(what) is empty") }
        return text.isEmpty ? nil : text
    }

    /// Text in which `$(…)` is filled in as far as it can be now.
    mutating func template(_ node: DocumentNode, _ what: String) -> TextTemplate? {
        guard let text = node.scalar else {
            report(node.location, "\(what) must be text, not \(node.kindName)")
            return nil
        }
        guard let pieces = interpolationPieces(of: text, in: node) else { return nil }
        var parts: [TextTemplate.Part] = []
        for piece in pieces {
            switch piece {
            case .text(let text): parts.append(.text(text))
            case .expression(let text, let offset):
                let place = Self.place(in: node)
                guard let folded = fold(text, place: { place(offset + $0) }) else { return nil }
                if case .literal(let value) = folded {
                    parts.append(.text(value.description))
                } else {
                    parts.append(.expression(folded))
                }
            }
        }
        return TextTemplate(parts.joiningTexts)
    }

    enum Piece {
        case text(String)
        case expression(String, offset: Int)
    }

    /// Cuts `a$(b)c` into its pieces; parentheses inside `$(…)` may nest.
    mutating func interpolationPieces(of text: String, in node: DocumentNode) -> [Piece]? {
        let scalars = Array(text.unicodeScalars)
        var pieces: [Piece] = []
        var start = 0
        var position = 0
        func string(_ range: Range<Int>) -> String { String(String.UnicodeScalarView(scalars[range])) }
        while position < scalars.count {
            guard scalars[position] == "$", position + 1 < scalars.count, scalars[position + 1] == "(" else {
                position += 1
                continue
            }
            if start < position { pieces.append(.text(string(start..<position))) }
            let opening = position
            var depth = 0
            position += 1
            repeat {
                if scalars[position] == "(" { depth += 1 }
                if scalars[position] == ")" { depth -= 1 }
                position += 1
            } while depth > 0 && position < scalars.count
            guard depth == 0 else {
                report(Self.place(in: node)(opening), "`$(` has no closing `)`")
                return nil
            }
            pieces.append(.expression(string(opening + 2..<position - 1), offset: opening + 2))
            start = position
        }
        if start < scalars.count { pieces.append(.text(string(start..<scalars.count))) }
        return pieces
    }

    private mutating func fold(_ text: String, place: @escaping (Int) -> SourceLocation) -> Expression? {
        do {
            return try scope.fold(try ExpressionParser.expression(text, place: place))
        } catch let error as FoldError {
            report(error)
        } catch let problem as Problem {
            problems.add(problem)
        } catch {
            preconditionFailure("an expression threw \(error)")
        }
        return nil
    }

    // MARK: Amounts

    /// The whole scalar as an expression, folded.
    mutating func expression(_ node: DocumentNode, _ what: String) -> Expression? {
        guard let text = node.scalar else {
            report(node.location, "\(what) must be one value, not \(node.kindName)")
            return nil
        }
        if node.isNull {
            report(node.location, "\(what) has no value")
            return nil
        }
        return fold(text, place: Self.place(in: node))
    }

    /// A value that depends on nothing a run shows.
    mutating func value(_ node: DocumentNode, _ what: String) -> Value? {
        guard let folded = expression(node, what) else { return nil }
        guard case .literal(let value) = folded else {
            report(node.location, "\(what) cannot depend on the run")
            return nil
        }
        return value
    }

    mutating func duration(_ node: DocumentNode, _ what: String, allowsZero: Bool = true) -> Nanoseconds? {
        guard let value = value(node, what) else { return nil }
        guard case .duration(let duration) = value else {
            report(node.location, Self.mismatch(what, "a duration", value), advice: Self.durationHint(value))
            return nil
        }
        guard duration > .zero || allowsZero && duration == .zero else {
            report(node.location, "\(what) must be \(allowsZero ? "at least 0s" : "more than 0s"), not \(duration)")
            return nil
        }
        return duration
    }

    static func mismatch(_ what: String, _ wanted: String, _ value: Value) -> String {
        "\(what) must be \(wanted), not \(value.phrase) (`\(value)`)"
    }

    static func durationHint(_ value: Value) -> String {
        if case .number(let number) = value { return "write \(plainNumber(number))s or \(plainNumber(number))ms" }
        return "write one such as 5s, 250ms or 1m30s"
    }

    mutating func ratio(_ node: DocumentNode, _ what: String) -> Ratio? {
        guard let value = value(node, what) else { return nil }
        let ratio: Ratio
        switch value {
        case .ratio(let given): ratio = given
        case .number(let number): ratio = Ratio(number)
        default:
            report(node.location, Self.mismatch(what, "a ratio", value), advice: "write one such as 90% or 0.9")
            return nil
        }
        guard (0...1).contains(ratio.fraction) else {
            let percent = plainNumber(ratio.fraction)
            report(
                node.location, "\(what) must be from 0% to 100%, not \(ratio)",
                advice: ratio.fraction > 1 && ratio.fraction <= 100 ? "write \(percent)%" : nil)
            return nil
        }
        return ratio
    }

    mutating func rate(_ node: DocumentNode, _ what: String) -> Rate? {
        guard let value = value(node, what) else { return nil }
        guard case .rate(let rate) = value else {
            let advice = if case .number(let number) = value { "write \(plainNumber(number))/s" } else { "write 50/s" }
            report(node.location, Self.mismatch(what, "a rate", value), advice: advice)
            return nil
        }
        return check(rate, node, what) ? rate : nil
    }

    /// The generator plans at most a million requests a second.
    mutating func check(_ rate: Rate, _ node: DocumentNode, _ what: String) -> Bool {
        if rate.perSecond >= 0, rate.perSecond <= 1_000_000 { return true }
        report(node.location, "\(what) must be from 0/s to 1000000/s, not \(rate)")
        return false
    }

    mutating func integer(_ node: DocumentNode, _ what: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = value(node, what) else { return nil }
        guard case .number(let number) = value, let whole = Int(exactly: number) else {
            report(node.location, Self.mismatch(what, "a whole number", value), advice: "write one such as 3")
            return nil
        }
        guard range.contains(whole) else {
            let limits =
                range.upperBound == .max ? "at least \(range.lowerBound)" : "\(range.lowerBound)..\(range.upperBound)"
            report(node.location, "\(what) must be \(limits), not \(whole)")
            return nil
        }
        return whole
    }

    mutating func number(_ node: DocumentNode, _ what: String) -> Double? {
        guard let value = value(node, what) else { return nil }
        if case .number(let number) = value { return number }
        report(node.location, Self.mismatch(what, "a number", value))
        return nil
    }

    mutating func boolean(_ node: DocumentNode, _ what: String) -> Bool? {
        if let text = node.scalar, ["yes", "no", "on", "off"].contains(text.lowercased()) {
            let isTrue = ["yes", "on"].contains(text.lowercased())
            report(node.location, "\(what) must be true or false, not `\(text)`", advice: "write \(isTrue)")
            return nil
        }
        guard let value = value(node, what) else { return nil }
        if case .boolean(let flag) = value { return flag }
        report(node.location, Self.mismatch(what, "true or false", value))
        return nil
    }

    /// One of a closed set of words.
    mutating func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ node: DocumentNode, _ what: String, of type: Choice.Type = Choice.self
    ) -> Choice? {
        guard let text = text(node, what) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let names = Choice.allCases.map(\.rawValue)
        report(
            node.location, "\(what) cannot be `\(text)`",
            advice: nearestKey(to: text, among: names).map { "did you mean `\($0)`?" }
                ?? "write \(names.joined(separator: " or "))")
        return nil
    }

    /// A name of something in the file.
    mutating func name(_ node: DocumentNode, kind: String, among known: [String]) -> String? {
        guard let name = word(node, "the name of a \(kind)") else { return nil }
        if known.contains(name) { return name }
        problems.add(.unknownName(name, kind: kind, known: known, at: node.location))
        return nil
    }
}

extension [TextTemplate.Part] {
    /// Neighbouring texts as one.
    fileprivate var joiningTexts: [TextTemplate.Part] {
        var result: [TextTemplate.Part] = []
        for part in self {
            if case .text(let more) = part, case .text(let text)? = result.last {
                result[result.count - 1] = .text(text + more)
            } else {
                result.append(part)
            }
        }
        return result
    }
}

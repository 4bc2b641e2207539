// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// What a bound without an operator means at a key.
enum BareBound {
    /// `within: 5s` is 0s..5s.
    case upTo
    /// `is: 3` is == 3.
    case exactly
    /// It would be a guess.
    case refused
}

extension Reader {
    /// A bound over one of `dimensions`; the first of them is the one named in messages. The mapping
    /// `{ at_least: …, at_most: … }` means the same as `>=` and `<=`, for places where YAML wants quotes.
    mutating func bound(
        _ node: DocumentNode, _ what: String, over dimensions: [Dimension], bare: BareBound
    ) -> Bound? {
        if node.members != nil { return boundMapping(node, what, over: dimensions) }
        guard let syntax = boundSyntax(node, what, allowsMark: false) else { return nil }
        return bound(syntax, node, what, over: dimensions, bare: bare)
    }

    /// A duration bound from a mark: `0ms..100ms after tripped`.
    mutating func relativeBound(_ node: DocumentNode, _ what: String) -> RelativeBound? {
        guard let syntax = boundSyntax(node, what, allowsMark: true) else { return nil }
        guard let markSyntax = syntax.mark else {
            report(node.location, "\(what) needs the mark it is measured from", advice: "write 0ms..100ms after <mark>")
            return nil
        }
        let bound = bound(syntax, node, what, over: [.duration], bare: .refused)
        let tail = (node.scalar ?? "").components(after: " after ")
        let folded = preferringMarks(in: tail) { $0.fold(markSyntax) }
        guard let folded, let mark = instant(folded, node, "the part behind `after`") else {
            return nil
        }
        return bound.map { RelativeBound(bound: $0, after: mark) }
    }

    private mutating func boundSyntax(_ node: DocumentNode, _ what: String, allowsMark: Bool) -> BoundSyntax? {
        guard let text = node.scalar, !node.isNull else {
            report(node.location, "\(what) must be a bound, not \(node.kindName)", advice: Self.boundHint)
            return nil
        }
        do {
            return try BoundSyntax(text, allowsMark: allowsMark, place: Self.place(in: node))
        } catch {
            problems.add(error)
            return nil
        }
    }

    static let boundHint = "write <= 15s, >= 99%, == 0, 10s..15s or 3 ± 1"

    private mutating func boundMapping(_ node: DocumentNode, _ what: String, over dimensions: [Dimension]) -> Bound? {
        guard let fields = fields(node, what, keys: Vocabulary.bounds.names) else { return nil }
        let before = problems.list.count
        let lower = fields["at_least"].flatMap { expression($0, what) }
        let upper = fields["at_most"].flatMap { expression($0, what) }
        guard problems.list.count == before else { return nil }
        if lower == nil, upper == nil {
            report(node.location, "\(what) says nothing", advice: "give at_least or at_most")
            return nil
        }
        return finish(lower, upper, noun: nil, node, what, over: dimensions)
    }

    private mutating func bound(
        _ syntax: BoundSyntax, _ node: DocumentNode, _ what: String, over dimensions: [Dimension], bare: BareBound
    ) -> Bound? {
        switch syntax.shape {
        case .range(let lower, let upper):
            let before = problems.list.count
            let (low, high) = (lower.flatMap { fold($0) }, upper.flatMap { fold($0) })
            guard problems.list.count == before, (low == nil) == (lower == nil), (high == nil) == (upper == nil) else {
                return nil
            }
            return finish(low, high, noun: syntax.noun, node, what, over: dimensions)
        case .around(let middle, let slack):
            let low = fold(.binary(.subtract, middle, slack, node.location))
            guard let low, let high = fold(.binary(.add, middle, slack, node.location)) else { return nil }
            return finish(low, high, noun: syntax.noun, node, what, over: dimensions)
        case .plain(let expression):
            guard let folded = fold(expression) else { return nil }
            let probe = finish(folded, folded, noun: syntax.noun, node, what, over: dimensions)
            guard var bound = probe else { return nil }
            switch bare {
            case .exactly: return bound
            case .upTo:
                bound.lower = bound.dimension == .duration ? .literal(.duration(.zero)) : nil
                return bound
            case .refused:
                let text = node.scalar ?? ""
                report(
                    node.location, "\(what) does not say whether `\(text)` is a lower or an upper bound",
                    advice: "write \"<= \(text)\", \">= \(text)\" or \"== \(text)\"")
                return nil
            }
        }
    }

    /// Settles the dimension and checks that the ends are in order.
    private mutating func finish(
        _ lower: Expression?, _ upper: Expression?, noun: String?, _ node: DocumentNode, _ what: String,
        over dimensions: [Dimension]
    ) -> Bound? {
        var found: Dimension?
        for end in [lower, upper] {
            guard let end else { continue }
            guard let dimension = dimension(of: end, noun: noun, node, what, among: dimensions) else { return nil }
            found = dimension
        }
        guard let dimension = found else { return nil }
        let bound = Bound(
            lower: lower, upper: upper, dimension: dimension, text: node.scalar ?? "", location: node.location)
        if let limits = bound.constant, let low = limits.lower, let high = limits.upper, low.magnitude > high.magnitude
        {
            report(
                node.location, "\(what) allows nothing: \(low) is more than \(high)", advice: "put the smaller first")
            return nil
        }
        return bound
    }

    private mutating func dimension(
        of expression: Expression, noun: String?, _ node: DocumentNode, _ what: String, among dimensions: [Dimension]
    ) -> Dimension? {
        guard let sample = try? scope.sample(of: expression) else { return nil }
        let hasRequests = noun?.hasPrefix("request") == true
        switch sample {
        case .duration where noun == nil && dimensions.contains(.duration): return .duration
        case .rate where noun == nil && dimensions.contains(.rate): return .rate
        case .ratio where noun == nil && dimensions.contains(.ratio): return .ratio
        case .bytes where noun == nil && dimensions.contains(.bytes): return .bytes
        case .number where hasRequests && dimensions.contains(.requests): return .requests
        case .number where dimensions.contains(.number): return .number
        case .number where noun == nil && dimensions.contains(.ratio): return .ratio
        default: break
        }
        let wanted = dimensions.map(\.phrase).joined(separator: " or ")
        var advice = Self.boundHint
        if case .number(let number) = sample, noun == nil {
            let text = plainNumber(number)
            if dimensions.contains(.duration) { advice = "write \(text)s or \(text)ms" }
            if dimensions.contains(.requests) { advice += ", or \(text) requests" }
            if dimensions.first == .rate { advice = "write \(text)/s" }
            if dimensions.first == .bytes { advice = "write \(text)MiB" }
        }
        let given = noun.map { "a number of \($0)" } ?? sample.phrase
        report(node.location, "\(what) must be over \(wanted), not \(given)", advice: advice)
        return nil
    }

    /// Folds and reports.
    mutating func fold(_ expression: Expression) -> Expression? {
        do {
            return try scope.fold(expression)
        } catch {
            report(error)
            return nil
        }
    }
}

// MARK: Marks

extension Reader {
    /// `tripped`, `recovered + 200ms`, `10s` (from the start of the load), `$(late ? a : b)`.
    mutating func mark(_ node: DocumentNode, _ what: String) -> MarkExpression? {
        let folded = preferringMarks(in: node.scalar ?? "") { $0.expression(node, what) }
        return folded.flatMap { instant($0, node, what) }
    }

    /// Plain names are marks first; text with `$(…)` means variables first.
    private mutating func preferringMarks<Result>(in text: String, _ read: (inout Reader) -> Result) -> Result {
        scope.prefersMarks = !text.contains("$(")
        defer { scope.prefersMarks = false }
        return read(&self)
    }

    /// A folded expression as an instant; a duration counts from the start of the load.
    mutating func instant(_ folded: Expression, _ node: DocumentNode, _ what: String) -> MarkExpression? {
        switch folded {
        case .literal(.instant(let mark)): return mark
        case .literal(.duration(let duration)) where duration >= .zero: return MarkExpression(.start, offset: duration)
        case .literal(.duration(let duration)):
            report(node.location, "\(what) is before the start of the load (\(duration))")
        case .literal(let value):
            let advice =
                if case .number = value { Self.durationHint(value) } else { "write a mark, or a time such as 5s" }
            report(node.location, Self.mismatch(what, "a mark or a time", value), advice: advice)
        default:
            report(
                node.location, "\(what) must be a mark, moved by a fixed time at most",
                advice: "write one such as tripped + 200ms")
        }
        return nil
    }

    /// `a..b`, or the name of something with a start and an end (a step with `for:`, a window with `as:`).
    mutating func during(
        _ node: DocumentNode?, default fallback: During = .wholeRun, key: String = "during"
    ) -> During? {
        guard let node else { return fallback }
        guard let text = node.scalar, !node.isNull else {
            report(
                node.location, "`\(key)` must be two marks, not \(node.kindName)", advice: "write tripped..recovered")
            return nil
        }
        if let whole = interval(named: text) { return whole }
        do {
            var parser = try ExpressionParser(text, place: Self.place(in: node))
            let first = try parser.expression()
            guard parser.take(.range) else {
                try parser.expectEnd()
                if preferringMarks(in: text, { $0.fold(first) }) != nil {
                    report(
                        node.location, "`\(key)` needs two marks", advice: "write \(text)..end, or a step with `for:`")
                }
                return nil
            }
            let second = try parser.expression()
            try parser.expectEnd()
            let (start, end) = preferringMarks(in: text) { ($0.fold(first), $0.fold(second)) }
            guard let from = start.flatMap({ instant($0, node, "the start of `\(key)`") }),
                let to = end.flatMap({ instant($0, node, "the end of `\(key)`") })
            else { return nil }
            if from.mark == to.mark, to.offset < from.offset {
                report(node.location, "`\(key)` ends before it starts", advice: "put the earlier mark first")
                return nil
            }
            return During(from: from, to: to)
        } catch {
            problems.add(error)
            return nil
        }
    }

    private func interval(named text: String) -> During? {
        let end = MarkName(text + ".end")
        guard scope.marks.contains(end) else { return nil }
        let start = MarkName(text + ".start")
        return During(
            from: MarkExpression(scope.marks.contains(start) ? start : MarkName(text)), to: MarkExpression(end))
    }
}

extension String {
    /// What stands behind a separator, or nothing.
    fileprivate func components(after separator: String) -> String {
        firstRange(of: separator).map { String(self[$0.upperBound...]) } ?? ""
    }
}

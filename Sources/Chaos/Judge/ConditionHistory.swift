// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// When a condition held, from what was observed of targets and processes.
struct ConditionHistory: Hashable, Sendable {
    /// It held from one instant to another; nil = to the end of the run. Nil at the start = from the beginning.
    struct Span: Hashable, Sendable {
        var from: Instant?
        var to: Instant?
    }

    private(set) var spans: [Span] = []

    init(_ condition: Condition, in context: JudgeContext) {
        var moments: [Instant] = []
        Self.collect(condition, context, into: &moments)
        moments.sort { $0.t < $1.t }
        var holds = Self.holds(condition, at: .min, context)
        if holds { spans.append(Span(from: nil, to: nil)) }
        for moment in moments {
            let now = Self.holds(condition, at: moment.t, context)
            guard now != holds else { continue }
            holds = now
            if now {
                spans.append(Span(from: moment, to: nil))
            } else {
                spans[spans.count - 1].to = moment
            }
        }
    }

    /// Whether it holds at an instant and held for `grace` before.
    func holds(at time: Int64, grace: Int64) -> Match {
        for span in spans {
            let begins = span.from.map { ($0.earliest.clampedAdding(grace), $0.latest.clampedAdding(grace)) }
            let ends = span.to.map { ($0.earliest, $0.latest) }
            let isAfterBegin: Match = begins.map { time > $0.1 ? .yes : time > $0.0 ? .maybe : .no } ?? .yes
            let isBeforeEnd: Match = ends.map { time < $0.0 ? .yes : time < $0.1 ? .maybe : .no } ?? .yes
            let match = isAfterBegin && isBeforeEnd
            if match != .no { return match }
        }
        return .no
    }

    /// When the span around an instant began, for messages.
    func beginning(of time: Int64) -> Int64? { spans.last { ($0.from?.earliest ?? .min) <= time }?.from?.t }

    private static func holds(_ condition: Condition, at time: Int64, _ context: JudgeContext) -> Bool {
        switch condition {
        case .health(let target, let state): context.history(of: target).state(at: time) == state
        case .process(let node, let state): ProcessHistory(of: node, in: context.view).state(at: time) == state
        case .not(let inner): !holds(inner, at: time, context)
        case .all(let list): list.allSatisfy { holds($0, at: time, context) }
        case .any(let list): list.contains { holds($0, at: time, context) }
        case .constant(let value): value
        }
    }

    private static func collect(_ condition: Condition, _ context: JudgeContext, into moments: inout [Instant]) {
        switch condition {
        case .health(let target, _): moments += context.history(of: target).changes.map(\.at)
        case .process(let node, _): moments += ProcessHistory(of: node, in: context.view).changes.map(\.at)
        case .not(let inner): collect(inner, context, into: &moments)
        case .all(let list), .any(let list): for inner in list { collect(inner, context, into: &moments) }
        case .constant: break
        }
    }
}

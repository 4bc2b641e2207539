// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// The name of an instant: `start` and `end` (of the load), a step (`errors-on`, `errors-on.end`), an observed event
/// (`as: tripped`), or an edge of an observed window (`dark.start`, `dark.end`).
package struct MarkName: Hashable, Sendable, CustomStringConvertible {
    package var text: String
    package init(_ text: String) { self.text = text }
    /// The instant the load starts: zero of all times.
    package static let start = MarkName("start")
    /// The instant the load ends: the last planned arrival of the longest load.
    package static let end = MarkName("end")
    package var description: String { text }
}

/// A mark moved by a fixed distance: `recovered + 200ms`. A bare `5s` is `start + 5s`.
package struct MarkExpression: Hashable, Sendable, CustomStringConvertible {
    package var mark: MarkName
    package var offset: Nanoseconds

    package init(_ mark: MarkName, offset: Nanoseconds = .zero) {
        self.mark = mark
        self.offset = offset
    }

    package static let start = MarkExpression(.start)
    package static let end = MarkExpression(.end)

    package var description: String {
        if mark == .start { return offset == .zero ? "start" : offset.description }
        if offset == .zero { return mark.text }
        return offset < .zero ? "\(mark) - \(-offset)" : "\(mark) + \(offset)"
    }
}

/// The part of a run an expectation looks at, both ends included.
package struct During: Hashable, Sendable, CustomStringConvertible {
    package var from: MarkExpression
    package var to: MarkExpression

    package init(from: MarkExpression, to: MarkExpression) {
        self.from = from
        self.to = to
    }

    package static let wholeRun = During(from: .start, to: .end)
    package var description: String { "\(from)..\(to)" }
}

/// Where a mark comes from; one for every mark of a plan, in the order of the file.
package struct MarkDefinition: Hashable, Sendable {
    package enum Origin: Hashable, Sendable {
        /// `start` and `end`.
        case run
        /// Index into `Plan.steps`.
        case step(Int)
        /// Index into `Plan.expectations`.
        case expectation(Int)
    }
    package var name: MarkName
    package var origin: Origin
    package var location: SourceLocation?

    package init(name: MarkName, origin: Origin, location: SourceLocation?) {
        self.name = name
        self.origin = origin
        self.location = location
    }
}

/// Routable or not, as Kong's health output says it: `healthy` covers `mostly_healthy`, `unhealthy` `mostly_unhealthy`.
package enum HealthState: String, Hashable, Sendable, CaseIterable { case healthy, unhealthy }

/// A child process as its supervisor sees it. A paused one (SIGSTOP) is neither running nor dead.
package enum ProcessState: String, Hashable, Sendable, CaseIterable { case running, paused, dead }

/// Something that holds or does not hold at an instant: `health(api) == unhealthy && process(gateway) == running`.
package indirect enum Condition: Hashable, Sendable {
    case health(TargetReference, HealthState)
    case process(node: String, ProcessState)
    case not(Condition)
    case all([Condition])
    case any([Condition])
    /// A condition over variables only, already decided.
    case constant(Bool)
}

extension Condition: CustomStringConvertible {
    package var description: String {
        switch self {
        case .health(let target, let state): "health(\(target.name)) == \(state.rawValue)"
        case .process(let node, let state): "process(\(node)) == \(state.rawValue)"
        case .not(.health(let target, let state)): "health(\(target.name)) != \(state.rawValue)"
        case .not(.process(let node, let state)): "process(\(node)) != \(state.rawValue)"
        case .not(let condition): "!(\(condition))"
        case .all(let list): list.map { "\($0)" }.joined(separator: " && ")
        case .any(let list): "(" + list.map { "\($0)" }.joined(separator: " || ") + ")"
        case .constant(let value): "\(value)"
        }
    }
}

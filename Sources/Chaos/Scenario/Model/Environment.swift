// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What a run has shown, as far as bounds need it. The judge supplies it from the journal.
package protocol Environment {
    /// When the mark was, or nil when it was not (or not yet) seen.
    func instant(of mark: MarkName) -> Sighting?
    /// Requests that were on their way to `target` at `mark` (sent, not answered), of one load or of all.
    func requestsInFlight(to target: String, at mark: MarkExpression, load: String?) -> Int?
}

/// An observed instant with its uncertainty: not before `earliest`, not after `latest`.
package struct Sighting: Hashable, Sendable {
    package var at: Nanoseconds
    package var earliest: Nanoseconds
    package var latest: Nanoseconds

    package init(at: Nanoseconds, earliest: Nanoseconds? = nil, latest: Nanoseconds? = nil) {
        self.at = at
        self.earliest = earliest ?? at
        self.latest = latest ?? at
    }

    package static func + (a: Sighting, offset: Nanoseconds) -> Sighting {
        Sighting(at: a.at + offset, earliest: a.earliest + offset, latest: a.latest + offset)
    }
}

/// Nothing was seen yet: what can be computed in it depends on no run.
package struct EmptyEnvironment: Environment {
    package init() {}
    package func instant(of mark: MarkName) -> Sighting? { mark == .start ? Sighting(at: .zero) : nil }
    package func requestsInFlight(to target: String, at mark: MarkExpression, load: String?) -> Int? { nil }
}

extension Environment {
    /// When `mark + offset` was, or nil when the mark was not seen.
    package func instant(of expression: MarkExpression) -> Sighting? {
        instant(of: expression.mark).map { $0 + expression.offset }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// Something judged at every event of a run.
package struct Invariant: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case neverOutcome(OutcomeFilter)
        /// No such request reaches a mock while the condition holds, once it held for `grace`.
        case neverTraffic(TrafficFilter, while: Condition?)
        /// No such connection is opened while the condition holds, once it held for `grace`.
        case neverConnections(to: [String], while: Condition?, exceptProbes: Bool)
        /// Every matching request's latency.
        case alwaysLatency(Bound, OutcomeFilter)
        case alwaysProcess(node: String, is: ProcessState)
        /// The target never gets to the state.
        case neverBecomes(TargetReference, HealthState)
        /// No probe reaches a mock while the condition holds, once it held for `grace`.
        case neverProbes(to: [String], while: Condition?)
        /// No such line is logged.
        case neverLog(LogMatch)
        /// Every sample.
        case alwaysUsage(Usage)
        case alwaysMetric(Metric)
        /// Every sliding window.
        case alwaysAvailability(Availability)
    }

    /// Given, or `never-1`, `always-3` by kind and place in the list; unique in a plan.
    package var id: String
    package var why: String?
    package var kind: Kind
    package var grace: Nanoseconds
    package var during: During
    package var location: SourceLocation

    package init(
        id: String, why: String?, kind: Kind, grace: Nanoseconds, during: During, location: SourceLocation
    ) {
        self.id = id
        self.why = why
        self.kind = kind
        self.grace = grace
        self.during = during
        self.location = location
    }
}

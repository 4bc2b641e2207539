// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import Document

/// Something that must have been observed. Judges are pure functions of one of these and the journal.
package struct Expectation: Hashable, Sendable {
    package enum Severity: String, Hashable, Sendable, CaseIterable { case must, should }

    package enum Kind: Hashable, Sendable {
        case transition(Transition)
        case stays(Stays)
        case window(Window)
        case recovery(Recovery)
        case availability(Availability)
        case latency(LatencyBounds)
        case requests(RequestBounds)
        case traffic(Traffic)
        case probes(Probes)
        case count(Count)
        /// The instants are in this order; at least two.
        case order([MarkExpression])
        /// The node is in this state through all of `during`.
        case process(node: String, stays: ProcessState, during: During)
        /// The node ended by this signal (`KILL`) or with this code.
        case exit(node: String, signal: String?, code: Int?)
        /// A reference state machine, fed with what was observed, predicts every health change.
        case model(Model)
        /// No worse than earlier runs.
        case baseline(BaselineBounds)
        /// Happened at least once, else the test tested nothing.
        case sometimes(OutcomeFilter, during: During)
        case usage(Usage)
        case log(LogMatch)
        case metric(Metric)
    }

    package enum Model: String, Hashable, Sendable, CaseIterable { case kongHealth = "kong-health" }

    /// Given, or made from the kind and its place in the list (`window-3`); unique in a plan.
    package var id: String
    package var why: String?
    package var severity: Severity
    /// What it counts for in a suite's score, relative to the others.
    package var weight = 1.0
    package var kind: Kind
    package var location: SourceLocation

    package init(
        id: String, why: String?, severity: Severity, weight: Double = 1, kind: Kind, location: SourceLocation
    ) {
        self.id = id
        self.why = why
        self.severity = severity
        self.weight = weight
        self.kind = kind
        self.location = location
    }
}

/// Why a target changed, as gateway events say it.
package enum HealthCause: String, Hashable, Sendable, CaseIterable { case passive, active, manual }

/// The first change of a target to a state after a mark lies in a bound.
package struct Transition: Hashable, Sendable {
    package var target: TargetReference
    package var becomes: HealthState
    /// Over durations or requests, from `after`. A bound in requests counts planned arrivals after the mark, up to and
    /// including the one in whose course the change came.
    package var within: Bound
    package var after: MarkExpression
    package var cause: HealthCause?
    /// The mark of the change.
    package var mark: MarkName?

    package init(
        target: TargetReference, becomes: HealthState, within: Bound, after: MarkExpression, cause: HealthCause?,
        mark: MarkName?
    ) {
        self.target = target
        self.becomes = becomes
        self.within = within
        self.after = after
        self.cause = cause
        self.mark = mark
    }
}

/// A target is in no other state in an interval.
package struct Stays: Hashable, Sendable {
    package var target: TargetReference
    package var stays: HealthState
    package var during: During
    /// How many departures are allowed; nil = none.
    package var flaps: Bound?

    package init(target: TargetReference, stays: HealthState, during: During, flaps: Bound?) {
        self.target = target
        self.stays = stays
        self.during = during
        self.flaps = flaps
    }
}

/// The maximal runs of requests, in the order of arrival (or completion), whose outcome matches. The start is the
/// instant of the first, the end that of the last of a run.
package struct Window: Hashable, Sendable {
    package enum Clock: String, Hashable, Sendable, CaseIterable { case arrival, completion }
    package var filter: OutcomeFilter
    package var starts: RelativeBound?
    package var ends: RelativeBound?
    package var lasts: Bound?
    /// Number of runs.
    package var count: Bound?
    /// Least share of matching outcomes inside a run.
    package var purity: Ratio
    /// Matching requests further apart than this are two runs.
    package var gap: Nanoseconds
    package var clock: Clock
    package var during: During
    /// Makes `<mark>.start` and `<mark>.end`, of the first run.
    package var mark: MarkName?

    package init(
        filter: OutcomeFilter, starts: RelativeBound?, ends: RelativeBound?, lasts: Bound?, count: Bound?,
        purity: Ratio,
        gap: Nanoseconds, clock: Clock, during: During, mark: MarkName?
    ) {
        self.filter = filter
        self.starts = starts
        self.ends = ends
        self.lasts = lasts
        self.count = count
        self.purity = purity
        self.gap = gap
        self.clock = clock
        self.during = during
        self.mark = mark
    }
}

/// The first instant from which the share of good answers holds for `stable` lies in a bound.
package struct Recovery: Hashable, Sendable {
    package var ok: Ratio
    package var stable: Nanoseconds
    package var within: Bound
    package var after: MarkExpression
    package var loads: [String]
    package var mark: MarkName?

    package init(
        ok: Ratio, stable: Nanoseconds, within: Bound, after: MarkExpression, loads: [String], mark: MarkName?
    ) {
        self.ok = ok
        self.stable = stable
        self.within = within
        self.after = after
        self.loads = loads
        self.mark = mark
    }
}

/// The share of good answers (2xx and 3xx in time) among all; with `window`, the worst sliding window of that length.
package struct Availability: Hashable, Sendable {
    package var bound: Bound
    /// Bad answers allowed, as a number.
    package var budget: Bound?
    package var window: Nanoseconds?
    package var during: During
    package var loads: [String]

    package init(bound: Bound, budget: Bound?, window: Nanoseconds?, during: During, loads: [String]) {
        self.bound = bound
        self.budget = budget
        self.window = window
        self.during = during
        self.loads = loads
    }
}

/// Bounds on latency statistics of a subset of requests.
package struct LatencyBounds: Hashable, Sendable {
    package enum Statistic: Hashable, Sendable, CustomStringConvertible {
        case minimum, maximum, mean
        /// 0.99 for `p99`, 0.999 for `p99.9`.
        case quantile(Double)

        package var description: String {
            switch self {
            case .minimum: "min"
            case .maximum: "max"
            case .mean: "mean"
            case .quantile(let share): "p" + plainNumber((share * 1e8).rounded() / 1e6)
            }
        }
    }
    package struct Entry: Hashable, Sendable {
        package var statistic: Statistic
        package var bound: Bound

        package init(statistic: Statistic, bound: Bound) {
            self.statistic = statistic
            self.bound = bound
        }
    }
    package var entries: [Entry]
    package var filter: OutcomeFilter
    /// From the planned start of a request (true), or from when it was really sent.
    package var isCorrected: Bool
    package var during: During

    package init(entries: [Entry], filter: OutcomeFilter, isCorrected: Bool, during: During) {
        self.entries = entries
        self.filter = filter
        self.isCorrected = isCorrected
        self.during = during
    }
}

/// Client journal and mock journals joined by request id.
package struct RequestBounds: Hashable, Sendable {
    /// Answered well to the client, seen by no mock.
    package var lost: Bound?
    /// Served more than once.
    package var duplicated: Bound?
    /// Outcome unknown to the client.
    package var unknown: Bound?
    package var loads: [String]
    package var during: During

    package init(lost: Bound?, duplicated: Bound?, unknown: Bound?, loads: [String], during: During) {
        self.lost = lost
        self.duplicated = duplicated
        self.unknown = unknown
        self.loads = loads
        self.during = during
    }
}

/// Which requests at a mock: everything but probes, narrowed by a path prefix or a method.
package struct TrafficFilter: Hashable, Sendable {
    /// Node ids; a group's name stands for all its nodes.
    package var to: [String]
    package var path: String?
    package var method: String?

    package init(to: [String], path: String?, method: String?) {
        self.to = to
        self.path = path
        self.method = method
    }
}

/// How much reached a mock.
package struct Traffic: Hashable, Sendable {
    package var filter: TrafficFilter
    package var count: Bound?
    /// Of the requests that reached any mock.
    package var share: Bound?
    /// How many of the filter's mocks got any of it.
    package var nodes: Bound?
    package var moved: Moved?
    package var during: During

    /// How many of the paths that were at home at the filter's mocks were served by others later.
    package struct Moved: Hashable, Sendable {
        package var bound: Bound
        /// When the home of a path is looked at: the one mock that served it then.
        package var since: During

        package init(_ bound: Bound, since: During) {
            self.bound = bound
            self.since = since
        }
    }

    package init(
        filter: TrafficFilter, count: Bound?, share: Bound?, nodes: Bound? = nil, moved: Moved? = nil, during: During
    ) {
        self.filter = filter
        self.count = count
        self.share = share
        self.nodes = nodes
        self.moved = moved
        self.during = during
    }
}

/// Health probes as the mock saw them.
package struct Probes: Hashable, Sendable {
    package var to: String
    /// Distance between neighbours.
    package var every: Bound?
    package var count: Bound?
    package var during: During

    package init(to: String, every: Bound?, count: Bound?, during: During) {
        self.to = to
        self.every = every
        self.count = count
        self.during = during
    }
}

/// The number of outcomes of a sort.
package struct Count: Hashable, Sendable {
    package var filter: OutcomeFilter
    package var bound: Bound
    package var during: During

    package init(filter: OutcomeFilter, bound: Bound, during: During) {
        self.filter = filter
        self.bound = bound
        self.during = during
    }
}

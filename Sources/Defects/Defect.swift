// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A mistake on purpose: what a gateway, a mock API or a fault link would be like whose author had erred at one place.
/// `ci/defects` shows with them that every scenario of Tests/Scenarios/files fails when what it is about is broken.
///
/// This module, and every place that asks for a defect, is compiled only where GATECRASH_DEFECTS is set, see
/// Package.swift. A process has one defect at most, by the variable GATECRASH_DEFECT; what a runner starts inherits it.
///
///     #if GATECRASH_DEFECTS
///     if Defect.noRetries.isChosen { left = 0 }
///     #endif
package enum Defect: String, CaseIterable, Sendable {
    // MARK: Health

    /// One failure more than the limit says takes a target out: `>` in place of `>=`.
    case failureLimitTooHigh = "failure-limit-too-high"
    /// One failure less than the limit says takes a target out.
    case failureLimitTooLow = "failure-limit-too-low"
    /// One success less than the limit says brings a target back.
    case successLimitTooLow = "success-limit-too-low"
    /// One success more than the limit says brings a target back.
    case successLimitTooHigh = "success-limit-too-high"
    /// A limit of 0 is taken for 1, so that what was switched off counts.
    case zeroLimitsCount = "zero-limits-count"
    /// A success leaves the counters of failures as they are: failures need not be consecutive.
    case successKeepsFailures = "success-keeps-failures"
    /// A status that is in neither list counts as a failure.
    case unlistedStatusFails = "unlisted-status-fails"
    /// A status that is in neither list counts as a success.
    case unlistedStatusSucceeds = "unlisted-status-succeeds"
    /// A status of 502, which a refused connection is reported as, does not reach the passive check.
    case passive502Lost = "passive-502-lost"
    /// Connections that fail and are tried again do not reach the passive check.
    case passiveTCPFailuresLost = "passive-tcp-failures-lost"
    /// Timeouts do not reach the passive check.
    case passiveTimeoutsLost = "passive-timeouts-lost"
    /// An answer that was cut off counts as a TCP failure, although its status was good.
    case cutAnswerCounts = "cut-answer-counts"
    /// Probes are a fifth further apart than their interval.
    case probeIntervalTooLong = "probe-interval-too-long"
    /// The probes for healthy targets go to the unhealthy ones as well.
    case everyTargetProbed = "every-target-probed"
    /// Every new configuration begins all probes anew, whether or not it has anything to do with them.
    case reloadSilencesProbes = "reload-silences-probes"
    /// A target that has left is healthy again after two seconds, as behind a circuit breaker that half opens.
    case unhealthyForgotten = "unhealthy-forgotten"
    /// The Admin API and the events say that a target has returned, and requests reach it a second later.
    case recoverySeenLate = "recovery-seen-late"

    // MARK: Balancing

    /// Balancers take targets that are unhealthy.
    case unhealthyStillUsed = "unhealthy-still-used"
    /// However small the rest of the ring, it is used.
    case thresholdIgnored = "threshold-ignored"
    /// A share that equals the threshold is enough: `>=` in place of `>`.
    case thresholdInclusive = "threshold-inclusive"
    /// Least-connections believes that nobody has any.
    case connectionsUncounted = "connections-uncounted"
    /// Consistent hashing without a ring: the hash modulo the number of targets that are left.
    case hashByCount = "hash-by-count"
    /// One upstream without a healthy target has the requests of all others refused.
    case oneOutageStopsAll = "one-outage-stops-all"

    // MARK: Proxying

    /// A failed try is the last one, whatever `retries` says.
    case noRetries = "no-retries"
    /// One try more than `retries` says.
    case oneRetryTooMany = "one-retry-too-many"
    /// Requests that are not idempotent are sent a second time.
    case everyMethodRetried = "every-method-retried"
    /// The read timeout is for the whole answer, not for the time between two reads.
    case readTimeoutOfWhole = "read-timeout-of-whole"
    /// Read timeouts are twice as long as configured.
    case readTimeoutTooLong = "read-timeout-too-long"
    /// `tls_verify` checks nothing: whatever an upstream presents is accepted.
    case certificateAccepted = "certificate-accepted"
    /// `https_verify_certificate` checks nothing: probes pass whatever is presented.
    case probeAcceptsCertificate = "probe-accepts-certificate"
    /// No more than a thousand clients at a time.
    case thousandClients = "thousand-clients"
    /// PING and other frames of control are not counted: whoever floods a connection of HTTP/2 keeps it.
    case controlFramesUncounted = "control-frames-uncounted"

    // MARK: Configuration and names

    /// Client connections are closed when another configuration comes.
    case reloadDropsConnections = "reload-drops-connections"
    /// WebSockets are closed when another configuration comes.
    case reloadClosesWebSockets = "reload-closes-websockets"
    /// The states of all targets are forgotten when another configuration comes.
    case reloadForgetsHealth = "reload-forgets-health"
    /// When a target leaves the configuration, requests under way are cut off.
    case removalCutsRequests = "removal-cuts-requests"
    /// A target that has left the configuration is used all the same.
    case removedTargetUsed = "removed-target-used"
    /// The gateway says that it is ready two seconds before it has its configuration.
    case readyTooEarly = "ready-too-early"
    /// An answer of a name server is kept for a day, whatever its time to live.
    case nameKeptForever = "name-kept-forever"
    /// A name server that fails is taken for one that says that there is no such name.
    case serverFailureMeansGone = "server-failure-means-gone"
    /// A datagram of a name server that is left over from a question before is taken for the answer.
    case lateAnswerTaken = "late-answer-taken"

    // MARK: The harness

    /// A mock that is told to stop drops the answers that it owes.
    case drainCutsAnswers = "drain-cuts-answers"
    /// The fault `bandwidth` lets everything pass.
    case bandwidthUnlimited = "bandwidth-unlimited"
    /// A replay spreads the requests of a log evenly over its length.
    case replayEven = "replay-even"

    /// What chooses one.
    package static let variable = "GATECRASH_DEFECT"

    package static let chosen: Defect? = {
        guard let text = getenv(variable), text.pointee != 0 else { return nil }
        let name = String(cString: text)
        if let defect = Defect(rawValue: name) { return defect }
        let message = "gatecrash: \(variable)=\(name): there is no such defect; see Sources/Defects/Defect.swift\n"
        _ = message.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        exit(2)
    }()

    package var isChosen: Bool { Self.chosen == self }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if GATECRASH_DEFECTS
import Defects
#endif

/// The health of one address: four states and four counters, moved by reports (lua-resty-healthcheck, `incr_counter`).
///
///     healthy ──failure──▶ mostly healthy ──failure, counter ≥ limit──▶ unhealthy
///        ▲ ▲                     │                                       │    ▲
///        │ └─success, counter ≥ limit                                 success │ failure, counter ≥ limit
///        │                                                               ▼    │
///        └───────────success, counter ≥ limit─────────────────── mostly unhealthy
///
/// Active and passive reports move the same counters; each brings the limits of its own side. A failure that reaches
/// its limit makes any state unhealthy, a success that reaches its limit makes any state healthy. The machine knows no
/// time, no probes and no addresses.
package struct HealthMachine: Hashable, Sendable {
    package enum State: String, Hashable, Sendable, CaseIterable {
        case healthy
        case mostlyHealthy = "mostly_healthy"
        case mostlyUnhealthy = "mostly_unhealthy"
        case unhealthy

        /// Whether an address in this state gets traffic.
        package var isRoutable: Bool { self == .healthy || self == .mostlyHealthy }
    }

    package enum Report: String, Hashable, Sendable, CaseIterable {
        case success
        case httpFailure = "http_failure"
        case tcpFailure = "tcp_failure"
        case timeout
    }

    /// How often each kind of report was seen, 0...255. Failures of different kinds are never summed.
    package struct Counters: Hashable, Sendable {
        package var success = 0
        package var http = 0
        package var tcp = 0
        package var timeout = 0

        package init(success: Int = 0, http: Int = 0, tcp: Int = 0, timeout: Int = 0) {
            self.success = success
            self.http = http
            self.tcp = tcp
            self.timeout = timeout
        }
    }

    /// How many reports of each kind one side needs to decide; 0 makes it deaf to that kind.
    package struct Limits: Hashable, Sendable {
        package var successes: Int
        package var httpFailures: Int
        package var tcpFailures: Int
        package var timeouts: Int

        package init(successes: Int, httpFailures: Int, tcpFailures: Int, timeouts: Int) {
            #if GATECRASH_DEFECTS
            let httpFailures = Defect.zeroLimitsCount.isChosen ? max(1, httpFailures) : httpFailures
            #endif
            self.successes = successes
            self.httpFailures = httpFailures
            self.tcpFailures = tcpFailures
            self.timeouts = timeouts
        }

        package subscript(report: Report) -> Int {
            switch report {
            case .success: successes
            case .httpFailure: httpFailures
            case .tcpFailure: tcpFailures
            case .timeout: timeouts
            }
        }
    }

    /// What an input did: the state before and after it, and the counters and the limit it was judged by.
    package struct Change: Hashable, Sendable {
        package var from: State
        package var to: State
        package var counters: Counters
        /// Nil when the state was set by hand.
        package var report: Report?
        /// Nil when the state was set by hand.
        package var limit: Int?

        package init(from: State, to: State, counters: Counters, report: Report?, limit: Int?) {
            self.from = from
            self.to = to
            self.counters = counters
            self.report = report
            self.limit = limit
        }
    }

    package enum Outcome: Hashable, Sendable {
        case changed(Change)
        case ignored(Reason)

        /// Why a report left no trace.
        package enum Reason: Hashable, Sendable {
            /// The limit of this kind is 0 on the reporting side.
            case noLimit
            /// The state already is what the report argues for.
            case alreadyDecided
            /// The status is in neither list.
            case unlistedStatus
        }
    }

    package private(set) var state: State
    package private(set) var counters = Counters()

    package init(initiallyHealthy: Bool = true) { state = initiallyHealthy ? .healthy : .unhealthy }

    // MARK: Inputs

    /// - Parameter limit: of the reporting side, for this kind.
    package mutating func report(_ report: Report, limit: Int) -> Outcome {
        guard limit > 0 else { return .ignored(.noLimit) }
        let goal: State = report == .success ? .healthy : .unhealthy
        guard state != goal else { return .ignored(.alreadyDecided) }
        let before = state
        let count = counters.add(report)
        if Self.isReached(limit, by: count, of: report) {
            state = goal
        } else if state == .healthy {
            state = .mostlyHealthy
        } else if state == .unhealthy {
            state = .mostlyUnhealthy
        }
        return .changed(Change(from: before, to: state, counters: counters, report: report, limit: limit))
    }

    private static func isReached(_ limit: Int, by count: Int, of report: Report) -> Bool {
        #if GATECRASH_DEFECTS
        if Defect.failureLimitTooHigh.isChosen, report != .success { return count > limit }
        if Defect.failureLimitTooLow.isChosen, report != .success { return count >= limit - 1 }
        if Defect.successLimitTooLow.isChosen, report == .success { return count >= limit - 1 }
        if Defect.successLimitTooHigh.isChosen, report == .success { return count > limit }
        #endif
        return count >= limit
    }

    /// - Parameter status: an HTTP status, 0 when the status line could not be read.
    package mutating func httpStatus(_ status: Int, lists: StatusLists, limits: Limits) -> Outcome {
        switch lists.meaning(of: status) {
        case .success: report(.success, limit: limits.successes)
        case .failure: report(.httpFailure, limit: limits.httpFailures)
        case .ignored: .ignored(.unlistedStatus)
        }
    }

    /// Sets the state by hand and zeroes the counters. It does not pin: the next report moves the state again.
    package mutating func set(healthy: Bool) -> Outcome {
        let goal: State = healthy ? .healthy : .unhealthy
        guard state != goal || counters != Counters() else { return .ignored(.alreadyDecided) }
        let before = state
        state = goal
        counters = Counters()
        return .changed(Change(from: before, to: state, counters: counters, report: nil, limit: nil))
    }
}

extension HealthMachine.Counters {
    /// Counts one report; a success zeroes the failures, a failure the successes.
    ///
    /// - Returns: the count of this kind. It stops at 255, the largest value of Kong's 8-bit counters, which no limit
    ///   exceeds.
    fileprivate mutating func add(_ report: HealthMachine.Report) -> Int {
        switch report {
        case .success:
            #if GATECRASH_DEFECTS
            if Defect.successKeepsFailures.isChosen {
                success = min(success + 1, 255)
                return success
            }
            #endif
            self = Self(success: min(success + 1, 255))
            return success
        case .httpFailure:
            (success, http) = (0, min(http + 1, 255))
            return http
        case .tcpFailure:
            (success, tcp) = (0, min(tcp + 1, 255))
            return tcp
        case .timeout:
            (success, timeout) = (0, min(timeout + 1, 255))
            return timeout
        }
    }
}

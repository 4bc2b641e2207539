// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// What a configuration says about the health of the addresses of one upstream: limits and status lists of both sides.
///
/// Read from the scenario's own document, never from what the gateway reports, so that a gateway that misreads its
/// configuration is found out.
struct HealthRules: Hashable, Sendable {
    /// Active checks or passive ones.
    enum Side: String, Hashable, Sendable { case active, passive }

    struct Limits: Hashable, Sendable {
        var healthyStatuses: [Int]
        var unhealthyStatuses: [Int]
        var successes: Int
        var httpFailures: Int
        var tcpFailures: Int
        var timeouts: Int

        subscript(report: JournalEvent.Report) -> Int {
            switch report {
            case .success: successes
            case .httpFailure: httpFailures
            case .tcpFailure: tcpFailures
            case .timeout: timeouts
            }
        }

        /// The healthy list wins; a status in neither counts for nothing (Kong: report_http_status).
        func report(ofStatus status: Int) -> JournalEvent.Report? {
            if healthyStatuses.contains(status) { return .success }
            return unhealthyStatuses.contains(status) ? .httpFailure : nil
        }
    }

    var upstream: String
    var active: Limits
    var passive: Limits
    /// Seconds between probes of healthy and of unhealthy addresses; 0 = none.
    var healthyInterval: Double
    var unhealthyInterval: Double
    var httpPath: String

    init(upstream: String, healthChecks: JSONValue) {
        self.upstream = upstream
        active = Self.limits(healthChecks["active"])
        passive = Self.limits(healthChecks["passive"])
        healthyInterval = healthChecks["active"]?["healthy"]?["interval"]?.doubleValue ?? 0
        unhealthyInterval = healthChecks["active"]?["unhealthy"]?["interval"]?.doubleValue ?? 0
        httpPath = healthChecks["active"]?["http_path"]?.stringValue ?? "/"
    }

    subscript(side: Side) -> Limits { side == .active ? active : passive }

    /// What the answer to a proxied try counts as (kong-like: a 504 is a timeout whoever made it).
    func passiveReport(ofStatus status: Int) -> JournalEvent.Report? {
        status == 504 ? .timeout : passive.report(ofStatus: status)
    }

    private static func limits(_ side: JSONValue?) -> Limits {
        let healthy = side?["healthy"]
        let unhealthy = side?["unhealthy"]
        return Limits(
            healthyStatuses: (healthy?["http_statuses"]?.arrayValue ?? []).compactMap(\.intValue),
            unhealthyStatuses: (unhealthy?["http_statuses"]?.arrayValue ?? []).compactMap(\.intValue),
            successes: healthy?["successes"]?.intValue ?? 0, httpFailures: unhealthy?["http_failures"]?.intValue ?? 0,
            tcpFailures: unhealthy?["tcp_failures"]?.intValue ?? 0, timeouts: unhealthy?["timeouts"]?.intValue ?? 0)
    }
}

// MARK: Words

extension HealthRules {
    /// The path of the key that holds a limit: `active.healthy.successes`.
    static func key(_ report: JournalEvent.Report, _ side: Side) -> String {
        switch report {
        case .success: "\(side.rawValue).healthy.successes"
        case .httpFailure: "\(side.rawValue).unhealthy.http_failures"
        case .tcpFailure: "\(side.rawValue).unhealthy.tcp_failures"
        case .timeout: "\(side.rawValue).unhealthy.timeouts"
        }
    }

    /// `active.healthy.successes = 3, interval 5s`
    func setting(_ report: JournalEvent.Report, _ side: Side) -> String {
        let setting = "\(Self.key(report, side)) = \(self[side][report])"
        guard side == .active else { return setting }
        let interval = report == .success ? unhealthyInterval : healthyInterval
        return setting + ", interval \(Nanoseconds(seconds: interval))"
    }
}

extension JournalEvent.Report {
    /// "HTTP failure", "success": stands before a number.
    var words: String {
        switch self {
        case .success: "success"
        case .httpFailure: "HTTP failure"
        case .tcpFailure: "TCP failure"
        case .timeout: "timeout"
        }
    }
}

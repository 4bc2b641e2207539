// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Kong's state machine of one address (lua-resty-healthcheck, incr_counter), written a second time from its
/// description: the gateway's own must not be its own judge.
///
///     healthy -- failure --> mostly_healthy -- failures >= limit --> unhealthy
///        ^                       |                                      |
///        +---- successes --------+        successes < limit: mostly_unhealthy
///        +---- successes >= limit --------------------------------------+
struct ReferenceHealth: Hashable, Sendable {
    var state = JournalEvent.AddressState.healthy
    var counters = JournalEvent.Counters()

    /// A report changed the state or a counter.
    struct Change: Hashable, Sendable {
        var from: JournalEvent.AddressState
        var to: JournalEvent.AddressState
        var counters: JournalEvent.Counters
    }

    /// Takes a report; nil when it counts for nothing: the limit is 0, or the state is already what it argues for.
    mutating func take(_ report: JournalEvent.Report, limit: Int) -> Change? {
        let direction: JournalEvent.AddressState = report == .success ? .healthy : .unhealthy
        guard limit > 0, state != direction else { return nil }
        let before = state
        // Counters are bytes in Kong; one stays at 255.
        counters[report] = min(255, counters[report] + 1)
        if report == .success {
            counters.http = 0
            counters.tcp = 0
            counters.timeout = 0
        } else {
            counters.success = 0
        }
        if counters[report] >= limit {
            state = direction
        } else if state == .healthy {
            state = .mostlyHealthy
        } else if state == .unhealthy {
            state = .mostlyUnhealthy
        }
        return Change(from: before, to: state, counters: counters)
    }

    /// Somebody set the state by hand (Admin API): all counters start over.
    mutating func force(_ state: JournalEvent.AddressState) {
        self.state = state
        counters = JournalEvent.Counters()
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if GATECRASH_DEFECTS
import Defects
#endif

/// What an HTTP status means to one side of the health checks (active or passive): both of its lists, compiled for
/// look-up.
package struct StatusLists: Hashable, Sendable {
    package enum Meaning: UInt8, Hashable, Sendable { case ignored, success, failure }

    /// Indexed by status. Kong's schema admits 100...999.
    private let meanings: [Meaning]

    package init(healthy: [Int], unhealthy: [Int]) {
        var meanings = [Meaning](repeating: .ignored, count: 1000)
        #if GATECRASH_DEFECTS
        if Defect.unlistedStatusFails.isChosen { meanings = Array(repeating: .failure, count: 1000) }
        if Defect.unlistedStatusSucceeds.isChosen { meanings = Array(repeating: .success, count: 1000) }
        #endif
        for status in unhealthy where meanings.indices.contains(status) { meanings[status] = .failure }
        // Last, because the healthy list wins over the unhealthy one.
        for status in healthy where meanings.indices.contains(status) { meanings[status] = .success }
        // A status line that could not be read counts as 0 and is a failure, whatever the lists say.
        if meanings[0] == .ignored { meanings[0] = .failure }
        self.meanings = meanings
    }

    /// - Parameter status: an HTTP status, 0 when the status line could not be read.
    package func meaning(of status: Int) -> Meaning { meanings.indices.contains(status) ? meanings[status] : .ignored }
}

extension HealthChecks.Active {
    package var statusLists: StatusLists {
        StatusLists(healthy: healthy.httpStatuses, unhealthy: unhealthy.httpStatuses)
    }

    package var limits: HealthMachine.Limits {
        HealthMachine.Limits(
            successes: healthy.successes, httpFailures: unhealthy.httpFailures, tcpFailures: unhealthy.tcpFailures,
            timeouts: unhealthy.timeouts)
    }
}

extension HealthChecks.Passive {
    package var statusLists: StatusLists {
        StatusLists(healthy: healthy.httpStatuses, unhealthy: unhealthy.httpStatuses)
    }

    package var limits: HealthMachine.Limits {
        HealthMachine.Limits(
            successes: healthy.successes, httpFailures: unhealthy.httpFailures, tcpFailures: unhealthy.tcpFailures,
            timeouts: unhealthy.timeouts)
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// A target of an upstream in one gateway, as its events name it.
struct TargetKey: Hashable, Sendable {
    var gateway: String
    var upstream: String
    var target: String

    init(_ place: JournalEvent.Address) {
        gateway = place.gateway
        upstream = place.upstream
        target = place.target
    }

    init(_ reference: TargetReference) {
        gateway = reference.gateway
        upstream = reference.upstream
        target = reference.target
    }
}

/// When a target got traffic and when it did not: routable while at least one of its addresses is.
///
/// New addresses are healthy (Kong is optimistic), also after a restart of the gateway.
struct TargetHistory: Hashable, Sendable {
    struct Change: Hashable, Sendable {
        var at: Instant
        var to: HealthState
        /// The gateway's event behind it; nil when the gateway started anew.
        var event: JournalEvent.Health?
    }

    /// In the order of time, each different from the one before; healthy before the first.
    var changes: [Change]

    func state(at time: Int64) -> HealthState { changes.last { $0.at.t <= time }?.to ?? .healthy }

    /// The moments that may be a change between two instants, both included.
    func changes(from first: Int64, through last: Int64) -> [Change] {
        changes.filter { $0.at.latest >= first && $0.at.earliest <= last }
    }

    /// - Parameter isMeant: which addresses of a target count.
    static func all(
        of view: JournalView, where isMeant: (JournalEvent.Address) -> Bool = { _ in true }
    ) -> [TargetKey: TargetHistory] {
        var histories: [TargetKey: TargetHistory] = [:]
        var routable: [TargetKey: [String: Bool]] = [:]
        let starts = view.processes.filter { $0.change == .started && $0.at.t > 0 }
        var nextStart = 0
        func restart(before time: Int64) {
            while nextStart < starts.count, starts[nextStart].at.t <= time {
                let start = starts[nextStart]
                nextStart += 1
                for (key, history) in histories where key.gateway == start.node {
                    routable[key] = [:]
                    guard history.changes.last?.to == .unhealthy else { continue }
                    histories[key]?.changes.append(Change(at: start.at, to: .healthy, event: nil))
                }
            }
        }
        for event in view.health where isMeant(event.place) {
            restart(before: event.at.t)
            let key = TargetKey(event.place)
            routable[key, default: [:]][event.place.address] = event.isRoutable
            let isHealthy = routable[key]?.values.contains(true) ?? true
            let state: HealthState = isHealthy ? .healthy : .unhealthy
            var history = histories[key] ?? TargetHistory(changes: [])
            if state != history.changes.last?.to ?? .healthy {
                history.changes.append(Change(at: event.at, to: state, event: event))
            }
            histories[key] = history
        }
        restart(before: .max)
        return histories
    }
}

/// The life of a process: running from its start, until something happens.
struct ProcessHistory: Hashable, Sendable {
    struct Change: Hashable, Sendable {
        var at: Instant
        var to: ProcessState
        var event: JournalEvent.Process
    }

    var changes: [Change]

    init(of node: String, in view: JournalView) {
        changes = view.processes.filter { $0.node == node }.map { event in
            let state: ProcessState =
                switch event.change {
                case .started, .ready, .resumed: .running
                case .paused: .paused
                case .exited: .dead
                }
            return Change(at: event.at, to: state, event: event)
        }
    }

    func state(at time: Int64) -> ProcessState { changes.last { $0.at.t <= time }?.to ?? .running }
}

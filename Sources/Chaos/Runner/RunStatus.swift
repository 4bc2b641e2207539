// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import OrderedCollections

/// What a run looks like from outside while it goes on, kept up to date from its journal: counts by status, health of
/// targets, state of processes. A value without time or timers.
struct RunStatus {
    private(set) var requests = 0
    private(set) var good = 0
    private var statuses: [String: Int] = [:]
    /// In the order of the plan.
    private var health: OrderedDictionary<TargetKey, JournalEvent.AddressState> = [:]
    private var processes: [String: ProcessState] = [:]

    init(_ topology: Topology) {
        for gateway in topology.gateways {
            for upstream in gateway.upstreams {
                for target in upstream.targets {
                    let place = JournalEvent.Address(
                        gateway: gateway.id, upstream: upstream.name, target: target.target, address: "")
                    health[TargetKey(place)] = .healthy
                }
            }
        }
        for node in topology.nodeNames { processes[node] = .dead }
    }

    mutating func observe(_ event: JournalEvent) {
        switch event {
        case .request(let request):
            requests += 1
            if request.outcome == .ok { good += 1 }
            statuses[request.status.map { "\($0)" } ?? request.failure?.rawValue ?? "none", default: 0] += 1
        case .health(let change):
            health[TargetKey(change.place)] = change.to
        case .process(let change):
            switch change.change {
            case .ready, .resumed: processes[change.node] = .running
            case .paused: processes[change.node] = .paused
            case .exited: processes[change.node] = .dead
            case .started: break
            }
        default: break
        }
    }

    func isRunning(_ node: String) -> Bool { processes[node] == .running }

    func holds(_ condition: Condition) -> Bool {
        switch condition {
        case .health(let target, let state):
            return (health[TargetKey(target)] ?? .healthy).isRoutable == (state == .healthy)
        case .process(let node, let state): return processes[node] == state
        case .not(let inner): return !holds(inner)
        case .all(let list): return list.allSatisfy { holds($0) }
        case .any(let list): return list.contains { holds($0) }
        case .constant(let value): return value
        }
    }

    func live(run: String, phase: String, elapsed: Nanoseconds, left: Nanoseconds?) -> LiveStatus {
        LiveStatus(
            run: run, phase: phase, elapsed: elapsed, left: left, requests: requests,
            statuses: statuses.sorted { $0.key < $1.key }.map { .init(name: $0.key, count: $0.value) },
            targets: health.map { .init(name: $0.key.target, state: $0.value) })
    }
}

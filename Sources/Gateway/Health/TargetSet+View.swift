// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

extension TargetSet {
    /// A copy for the Admin API (kong/runloop/balancer/healthcheckers.lua, get_upstream_health).
    package var view: UpstreamHealth {
        var byTarget: [String: [TargetAddress]] = [:]
        for address in addresses { byTarget[address.targetID, default: []].append(address) }
        return UpstreamHealth(
            checksOn: checksOn, isHealthy: isHealthy, weight: HealthWeight(of: addresses),
            targets: targets.map { resolved in view(of: resolved, addresses: byTarget[resolved.target.id] ?? []) })
    }

    private func view(of resolved: ResolvedTarget, addresses: [TargetAddress]) -> TargetHealth {
        TargetHealth(
            targetID: resolved.target.id, host: resolved.target.host, port: resolved.target.port, dns: resolved.dns,
            nodeWeight: resolved.target.weight, weight: HealthWeight(of: addresses),
            addresses: addresses.map { address in
                AddressHealthView(
                    ip: address.ip, port: address.port, weight: address.weight, health: health(of: address),
                    isAvailable: address.isAvailable)
            }, health: health(ofTargetWith: addresses))
    }

    private func health(of address: TargetAddress) -> HealthStatus {
        guard checksOn, address.weight > 0 else { return .checksOff }
        return address.isAvailable ? .healthy : .unhealthy
    }

    /// A name that did not resolve shows even when checks are off.
    private func health(ofTargetWith addresses: [TargetAddress]) -> HealthStatus {
        if addresses.isEmpty { return .dnsError }
        let states = addresses.map { health(of: $0) }
        if states.contains(.healthy) { return .healthy }
        return states.contains(.unhealthy) ? .unhealthy : .checksOff
    }
}

extension HealthWeight {
    fileprivate init(of addresses: [TargetAddress]) {
        let total = addresses.reduce(0) { $0 + $1.weight }
        let available = addresses.reduce(0) { $0 + ($1.isAvailable ? $1.weight : 0) }
        self.init(total: total, available: available, unavailable: total - available)
    }
}

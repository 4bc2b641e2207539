// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import Synchronization

#if GATECRASH_DEFECTS
import Defects
#endif

/// An upstream with its targets and what their names resolved to: what the health monitor is told of a configuration.
package struct ResolvedUpstream: Hashable, Sendable {
    package var upstream: Upstream
    package var targets: [ResolvedTarget]

    package init(upstream: Upstream, targets: [ResolvedTarget]) {
        self.upstream = upstream
        self.targets = targets
    }
}

package struct ResolvedTarget: Hashable, Sendable {
    package var target: Target
    /// How the host was resolved: `A`, `AAAA`, `SRV` or `dns server error …`.
    package var dns: String
    /// Empty when the name did not resolve.
    package var addresses: [ResolvedAddress]

    package init(target: Target, dns: String, addresses: [ResolvedAddress]) {
        self.target = target
        self.dns = dns
        self.addresses = addresses
    }

    /// A target whose host has these addresses, each with the whole weight of the target.
    package init(target: Target, addresses: [SocketAddress]) {
        let isVersion6 = if case .v6? = addresses.first { true } else { false }
        self.init(
            target: target, dns: isVersion6 ? "AAAA" : "A",
            addresses: addresses.map { ResolvedAddress(socketAddress: $0) })
    }
}

package struct ResolvedAddress: Hashable, Sendable {
    package var socketAddress: SocketAddress
    /// The weight of an SRV record; nil is the target's.
    package var weight: Int?

    package init(socketAddress: SocketAddress, weight: Int? = nil) {
        self.socketAddress = socketAddress
        self.weight = weight
    }
}

/// The addresses behind one upstream, as one version of the configuration has them: what balancers pick from. The
/// same object stays in use as long as nothing of the upstream changes.
package final class TargetSet: Sendable {
    package let upstream: Upstream
    package let targets: [ResolvedTarget]
    /// In the order of the targets, also those of weight 0.
    package let addresses: [TargetAddress]
    package let totalWeight: Int
    /// Whether any check is configured and could be made.
    package let checksOn: Bool
    private let healthy: Atomic<Bool>

    init(_ resolved: ResolvedUpstream, checksOn: Bool, health: (TargetAddress.Key) -> AddressHealth) {
        let upstream = resolved.upstream
        let passive = checksOn ? PassiveChecks(upstream.healthchecks.passive) : nil
        var addresses: [TargetAddress] = []
        for target in resolved.targets {
            for (key, address) in target.distinctAddresses {
                let weight = target.weight(of: address)
                addresses.append(
                    TargetAddress(
                        upstream: upstream, target: target.target, key: key, socketAddress: address.socketAddress,
                        weight: weight, index: addresses.count, health: weight > 0 ? health(key) : AddressHealth(),
                        passiveChecks: weight > 0 ? passive : nil))
            }
        }
        self.upstream = upstream
        self.targets = resolved.targets
        self.addresses = addresses
        self.checksOn = checksOn
        totalWeight = addresses.reduce(0) { $0 + $1.weight }
        healthy = Atomic(false)
        updateHealth()
    }

    /// Whether the share of available weight exceeds the threshold (kong-facts 6.8); while it does not, nothing is
    /// picked, not even an address that is fine.
    package var isHealthy: Bool { healthy.load(ordering: .relaxed) }

    package var unavailableWeight: Int { addresses.reduce(0) { $0 + ($1.isAvailable ? 0 : $1.weight) } }

    /// To be called by the health monitor after the availability of an address changed.
    func updateHealth() {
        let isHealthy = Self.isHealthy(
            total: totalWeight, unavailable: unavailableWeight, threshold: upstream.healthchecks.threshold)
        healthy.store(isHealthy, ordering: .relaxed)
    }

    /// The rule itself, in the order of operations of kong/runloop/balancer/balancers.lua, updateStatus.
    ///
    /// - Parameter threshold: percent, 0...100.
    package static func isHealthy(total: Int, unavailable: Int, threshold: Double) -> Bool {
        #if GATECRASH_DEFECTS
        if Defect.thresholdIgnored.isChosen { return total > unavailable }
        let percent = Double(total - unavailable) / Double(max(total, 1)) * 100
        if Defect.thresholdInclusive.isChosen { return percent >= threshold }
        #endif
        return total > 0 && Double(total - unavailable) / Double(total) * 100 > threshold
    }
}

extension ResolvedTarget {
    /// A name server may repeat an answer; the first one counts.
    var distinctAddresses: [(key: TargetAddress.Key, address: ResolvedAddress)] {
        var seen: Set<TargetAddress.Key> = []
        return addresses.compactMap { address in
            let key = TargetAddress.Key(
                ip: address.socketAddress.ipAddress ?? "", port: address.socketAddress.port ?? 0, hostname: target.host)
            return seen.insert(key).inserted ? (key, address) : nil
        }
    }

    /// An SRV weight of 0 means "hardly ever" and counts as 1.
    func weight(of address: ResolvedAddress) -> Int { address.weight.map { max($0, 1) } ?? target.weight }
}

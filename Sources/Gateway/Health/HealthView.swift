// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// What the balancer of an upstream knows at one moment: the data of `GET /upstreams/{u}/health`
/// (kong/api/routes/upstreams.lua). A copy; it does not change with the balancer.
package struct UpstreamHealth: Hashable, Sendable {
    /// Whether any check is configured (kong/runloop/balancer/healthcheckers.lua).
    package var checksOn: Bool
    /// Whether the share of available weight exceeds the threshold: the `balancer_health`.
    package var isHealthy: Bool
    package var weight: HealthWeight
    /// In the order of the configuration.
    package var targets: [TargetHealth]

    package init(checksOn: Bool, isHealthy: Bool, weight: HealthWeight, targets: [TargetHealth]) {
        self.checksOn = checksOn
        self.isHealthy = isHealthy
        self.weight = weight
        self.targets = targets
    }
}

/// A weight and the parts of it that may and may not get traffic.
package struct HealthWeight: Hashable, Sendable {
    package var total: Int
    package var available: Int
    package var unavailable: Int

    package init(total: Int, available: Int, unavailable: Int) {
        self.total = total
        self.available = available
        self.unavailable = unavailable
    }
}

/// Health as the Admin API writes it.
package enum HealthStatus: String, Hashable, Sendable {
    case checksOff = "HEALTHCHECKS_OFF"
    case dnsError = "DNS_ERROR"
    case healthy = "HEALTHY"
    case unhealthy = "UNHEALTHY"
}

package struct TargetHealth: Hashable, Sendable {
    package var targetID: String
    package var host: String
    package var port: Int
    /// How the host was resolved: `A`, `AAAA`, `SRV` or `dns server error …`.
    package var dns: String
    /// The weight that the target was given; each of its addresses has it.
    package var nodeWeight: Int
    package var weight: HealthWeight
    package var addresses: [AddressHealthView]
    package var health: HealthStatus

    package init(
        targetID: String, host: String, port: Int, dns: String, nodeWeight: Int, weight: HealthWeight,
        addresses: [AddressHealthView], health: HealthStatus
    ) {
        self.targetID = targetID
        self.host = host
        self.port = port
        self.dns = dns
        self.nodeWeight = nodeWeight
        self.weight = weight
        self.addresses = addresses
        self.health = health
    }
}

package struct AddressHealthView: Hashable, Sendable {
    package var ip: String
    package var port: Int
    package var weight: Int
    /// `.healthy`, `.unhealthy` or `.checksOff`.
    package var health: HealthStatus
    /// Whether the balancer may pick it: the `healthy` of `?balancer_health=1`.
    package var isAvailable: Bool

    package init(ip: String, port: Int, weight: Int, health: HealthStatus, isAvailable: Bool) {
        self.ip = ip
        self.port = port
        self.weight = weight
        self.health = health
        self.isAvailable = isAvailable
    }
}

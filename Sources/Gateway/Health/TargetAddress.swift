// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import Synchronization

#if GATECRASH_DEFECTS
import Defects
#endif

/// What the data plane needs to know of the health of one address, readable from any loop. The health monitor alone
/// writes it; it outlives changes of configuration as long as the monitor keeps the address.
package final class AddressHealth: Sendable {
    private let available: Atomic<Bool>
    private let fullyHealthy: Atomic<Bool>

    package init(_ state: HealthMachine.State = .healthy) {
        available = Atomic(state.isRoutable)
        fullyHealthy = Atomic(state == .healthy)
    }

    /// Whether balancers may pick the address.
    package var isAvailable: Bool { available.load(ordering: .relaxed) }

    /// Whether a success would leave no trace, because the state is `healthy` already.
    package var ignoresSuccess: Bool { fullyHealthy.load(ordering: .relaxed) }

    /// Relaxed stores are enough: a loop that sees the old value for a moment acts as one that asked a moment earlier.
    func publish(_ state: HealthMachine.State) {
        available.store(state.isRoutable, ordering: .relaxed)
        fullyHealthy.store(state == .healthy, ordering: .relaxed)
    }
}

/// One socket address behind an upstream, as one version of the configuration sees it. Immutable but for its health,
/// which it shares with the same address of other versions.
package final class TargetAddress: Sendable {
    /// What makes two addresses of an upstream the same one to its checker, over all changes of configuration.
    package struct Key: Hashable, Sendable {
        package var ip: String
        package var port: Int
        package var hostname: String
    }

    package let upstreamID: String
    package let upstreamName: String
    package let targetID: String
    /// As stored and shown: `host:port`.
    package let target: String
    package let key: Key
    package let socketAddress: SocketAddress
    package let weight: Int
    /// Its place in `TargetSet.addresses`.
    package let index: Int
    package let health: AddressHealth
    /// The host of the target, an IPv6 address in brackets.
    let authority: String
    let checkerName: CheckerName
    /// Nil: nobody wants passive reports.
    let passiveChecks: PassiveChecks?

    /// The host of the target: a name, or the address itself.
    package var host: String { key.hostname }
    package var ip: String { key.ip }
    package var port: Int { key.port }
    package var isAvailable: Bool {
        #if GATECRASH_DEFECTS
        if Defect.unhealthyStillUsed.isChosen { return true }
        #endif
        return health.isAvailable
    }
    /// `ip:port`, an IPv6 address in brackets.
    package var text: String { Self.text(ip: ip, port: port) }

    init(
        upstream: Upstream, target: Target, key: Key, socketAddress: SocketAddress, weight: Int, index: Int,
        health: AddressHealth, passiveChecks: PassiveChecks?
    ) {
        upstreamID = upstream.id
        upstreamName = upstream.name
        targetID = target.id
        self.target = target.target
        self.key = key
        self.socketAddress = socketAddress
        self.weight = weight
        self.index = index
        self.health = health
        authority = Self.authority(key.hostname)
        self.passiveChecks = passiveChecks
        checkerName = CheckerName(upstream)
    }

    static func text(ip: String, port: Int) -> String { "\(authority(ip)):\(port)" }

    /// A host as URLs have it: an IPv6 address in brackets.
    static func authority(_ host: String) -> String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host }
}

/// The name under which the states of an upstream's addresses are kept: its own, so that an upstream that is deleted
/// and made again finds them. An upstream that stands for a service is not the upstream of the same name.
struct CheckerName: Hashable, Sendable {
    var upstream: String
    var standsForService: Bool

    init(_ upstream: Upstream) {
        self.upstream = upstream.name
        standsForService = upstream.serviceID != nil
    }
}

// MARK: Passive reports

/// What proxying one try to an address came to (kong-facts 6.4 says when each is reported).
package enum PassiveOutcome: Hashable, Sendable {
    /// The upstream's status, 502 for a connection that failed on the last try.
    case httpStatus(Int)
    case tcpFailure
    case timeout
}

/// Which request a passive report comes from, for the record of events.
package struct AttemptLabel: Hashable, Sendable {
    /// `X-Kong-Request-Id`.
    package var request: String
    /// `X-Chaos-Id`, when a load generator sent one.
    package var chaos: String?

    package init(request: String, chaos: String? = nil) {
        self.request = request
        self.chaos = chaos
    }
}

/// The passive side of an upstream's checks, compiled so that a loop can tell which outcomes cannot matter.
final class PassiveChecks: Sendable {
    let lists: StatusLists
    let limits: HealthMachine.Limits

    init(_ checks: HealthChecks.Passive) {
        lists = checks.statusLists
        limits = checks.limits
    }
}

extension TargetAddress {
    /// Reports what a try to this address came to. May be called on any loop; on the control loop itself it is applied
    /// before it returns, so that the next pick sees it. From another loop a failure is confirmed when it has been
    /// applied. A success is not: nobody is harmed by one that comes late.
    ///
    /// A success on a healthy address costs one relaxed load.
    ///
    /// - Parameters:
    ///   - origin: the loop that this is called on.
    ///   - confirmed: makes what is called on `origin` after this has returned true, when every balancer sees what the
    ///     failure did. Asked only then.
    ///   - label: asked only when the report may matter.
    /// - Returns: whether the report is still to be confirmed.
    package func reportPassive(
        _ outcome: PassiveOutcome, to reporter: HealthReporter, from origin: any EventLoop,
        confirmed: () -> () -> Void, label: () -> AttemptLabel?
    ) -> Bool {
        guard let passiveChecks, let meaning = meaning(of: outcome, to: passiveChecks) else { return false }
        let isAwaited = meaning == .failure && !reporter.isOnItsLoop
        reporter.deliver(
            outcome, for: self, label: label(),
            confirmed: isAwaited ? NIOLoopBound(confirmed(), eventLoop: origin) : nil)
        return isAwaited
    }

    /// Nil when the outcome cannot change anything.
    private func meaning(of outcome: PassiveOutcome, to checks: PassiveChecks) -> StatusLists.Meaning? {
        #if GATECRASH_DEFECTS
        if Defect.passive502Lost.isChosen, outcome == .httpStatus(502) { return nil }
        if Defect.passiveTCPFailuresLost.isChosen, outcome == .tcpFailure { return nil }
        if Defect.passiveTimeoutsLost.isChosen, outcome == .timeout { return nil }
        #endif
        return switch outcome {
        case .httpStatus(let status):
            switch checks.lists.meaning(of: status) {
            case .ignored: nil
            case .success: checks.limits.successes > 0 && !health.ignoresSuccess ? .success : nil
            case .failure: checks.limits.httpFailures > 0 ? .failure : nil
            }
        case .tcpFailure: checks.limits.tcpFailures > 0 ? .failure : nil
        case .timeout: checks.limits.timeouts > 0 ? .failure : nil
        }
    }
}

/// The way from any loop to the health monitor.
package struct HealthReporter: Sendable {
    private let loop: any EventLoop
    private let monitor: NIOLoopBound<HealthMonitor>

    init(_ monitor: HealthMonitor, loop: any EventLoop) {
        self.loop = loop
        self.monitor = NIOLoopBound(monitor, eventLoop: loop)
    }

    /// What is delivered now is applied at once.
    var isOnItsLoop: Bool { loop.inEventLoop }

    /// - Parameter confirmed: called on its loop when the report has been applied and `isOnItsLoop` was false.
    func deliver(
        _ outcome: PassiveOutcome, for address: TargetAddress, label: AttemptLabel?,
        confirmed: NIOLoopBound<() -> Void>?
    ) {
        if isOnItsLoop { return monitor.value.reportPassive(outcome, for: address, label: label) }
        loop.execute {
            monitor.value.reportPassive(outcome, for: address, label: label)
            confirmed?.eventLoop.execute { confirmed?.value() }
        }
    }
}

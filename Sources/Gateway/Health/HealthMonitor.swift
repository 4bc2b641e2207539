// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import OrderedCollections

#if GATECRASH_DEFECTS
import Defects
#endif

/// The health of everything behind the gateway: follows the configuration, sends probes, takes passive reports and
/// orders by hand, and keeps the `TargetSet`s that balancers read up to date. Confined to the control loop; only its
/// `reporter` may go elsewhere.
package final class HealthMonitor {
    /// Sends one probe; the future belongs to the control loop and does not fail.
    package typealias Probe = (ProbeRequest) -> EventLoopFuture<ProbeAnswer>

    private let loop: any EventLoop
    private let probe: Probe
    private let emit: (GatewayEvent) -> Void
    /// In the order of their first appearance; also those whose upstream is gone, as long as they remember anything.
    private var checkers: OrderedDictionary<CheckerName, HealthChecker> = [:]
    private var checkersByUpstreamID: [String: HealthChecker] = [:]
    private var purge: Scheduled<Void>?

    /// - Parameters:
    ///   - loop: the control loop, on which everything here is called.
    ///   - emit: gets every event at the moment it happens, on the control loop; it must not call back.
    package init(loop: any EventLoop, probe: @escaping Probe, emit: @escaping (GatewayEvent) -> Void) {
        self.loop = loop
        self.probe = probe
        self.emit = emit
    }

    /// The way in for passive reports, for any loop. To be asked for on the control loop.
    package var reporter: HealthReporter { HealthReporter(self, loop: loop) }

    // MARK: Configuration

    /// Follows a configuration: all of its upstreams, with the addresses their targets resolved to.
    ///
    /// - Returns: the set of each upstream, in the same order; the very same object as before where nothing changed.
    package func apply(_ upstreams: [ResolvedUpstream]) -> [TargetSet] {
        loop.assertInEventLoop()
        #if GATECRASH_DEFECTS
        if Defect.reloadForgetsHealth.isChosen { stop() }
        #endif
        checkersByUpstreamID = [:]
        var named: Set<CheckerName> = []
        let sets = upstreams.map { resolved in
            let name = CheckerName(resolved.upstream)
            let checker = checkers[name] ?? HealthChecker(loop: loop, probe: probe, emit: emit)
            checkers[name] = checker
            checkersByUpstreamID[resolved.upstream.id] = checker
            named.insert(name)
            return checker.apply(resolved)
        }
        for (name, checker) in checkers where !named.contains(name) { checker.retire() }
        forgetExpired()
        return sets
    }

    /// Stops all probes and timers; the gateway is going away.
    package func stop() {
        loop.assertInEventLoop()
        for checker in checkers.values { checker.retire() }
        purge?.cancel()
        purge = nil
        checkers = [:]
        checkersByUpstreamID = [:]
    }

    /// One timer, for the state that expires first.
    private func forgetExpired() {
        purge?.cancel()
        purge = nil
        for checker in checkers.values { checker.forgetExpired() }
        checkers.removeAll { $0.value.isForgotten }
        guard let next = checkers.values.compactMap(\.nextExpiry).min() else { return }
        purge = loop.assumeIsolated().scheduleTask(deadline: next) { [weak self] in self?.forgetExpired() }
    }

    // MARK: Reports

    func reportPassive(_ outcome: PassiveOutcome, for address: TargetAddress, label: AttemptLabel?) {
        loop.assertInEventLoop()
        checkers[address.checkerName]?.reportPassive(outcome, for: address, label: label)
    }

    /// Forces the state of every address of a target, or of one, and zeroes its counters. It does not pin.
    ///
    /// - Parameters:
    ///   - upstream: the upstream's id.
    ///   - target: the target's id.
    ///   - address: `ip:port`, IPv6 in brackets; nil for all.
    package func setHealth(
        _ healthy: Bool, upstream: String, target: String, address: String?
    ) -> ManualHealthResult {
        loop.assertInEventLoop()
        return checkersByUpstreamID[upstream]?.setHealth(healthy, target: target, address: address) ?? .noBalancer
    }

    /// - Returns: nil when the upstream is unknown, or when checks are configured that could not be made.
    package func health(ofUpstream id: String) -> UpstreamHealth? {
        loop.assertInEventLoop()
        guard let set = checkersByUpstreamID[id]?.set else { return nil }
        guard set.checksOn || !set.upstream.healthchecks.areOn else { return nil }
        return set.view
    }
}

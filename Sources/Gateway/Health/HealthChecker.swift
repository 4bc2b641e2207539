// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import OrderedCollections
import World

#if GATECRASH_DEFECTS
import Defects
#endif

/// One address as its checker knows it. It stays for a while after the address has left the configuration.
final class CheckedAddress {
    var machine = HealthMachine()
    let health = AddressHealth()
    /// As the present configuration has it; nil when it does not.
    var address: TargetAddress?
    /// When the state is forgotten; nil while the address is configured.
    var expires: NIODeadline?

    init() {}
}

/// The states of the addresses of one upstream, and the timers of its probes. Confined to the control loop.
///
/// It outlives the upstream: after the upstream or an address is gone, the states wait for `retention`, so that who
/// comes back in that time finds them.
final class HealthChecker {
    /// lua-resty-healthcheck is told to clear 300 s late (kong/runloop/balancer/upstreams.lua).
    static let retention = TimeAmount.seconds(300)

    private(set) var set: TargetSet?
    private var entries: OrderedDictionary<TargetAddress.Key, CheckedAddress> = [:]
    private var activeLists = StatusLists(healthy: [], unhealthy: [])
    private var passiveLists = StatusLists(healthy: [], unhealthy: [])
    private var schedules: [ProbeSchedule.Mode: ProbeSchedule] = [:]
    private var timers: [ProbeSchedule.Mode: Scheduled<Void>] = [:]
    /// Counts the schedules, so that the packages of an abandoned pass notice that they are.
    private var generation = 0
    private let loop: any EventLoop
    private let probe: HealthMonitor.Probe
    private let emit: (GatewayEvent) -> Void

    init(loop: any EventLoop, probe: @escaping HealthMonitor.Probe, emit: @escaping (GatewayEvent) -> Void) {
        self.loop = loop
        self.probe = probe
        self.emit = emit
    }

    var isForgotten: Bool { self.set == nil && entries.isEmpty }
    var nextExpiry: NIODeadline? { entries.values.compactMap(\.expires).min() }

    // MARK: Configuration

    /// Follows a configuration. Unchanged, the set stays the same object and the probes keep their rhythm, also when
    /// a whole file was read again: what is as before but for the time of its making is unchanged.
    func apply(_ resolved: ResolvedUpstream) -> TargetSet {
        #if GATECRASH_DEFECTS
        if Defect.removedTargetUsed.isChosen, let set { return set }
        if Defect.reloadSilencesProbes.isChosen { restartTimers(resolved.upstream.healthchecks) }
        #endif
        let isSameUpstream = set.map { $0.upstream.equalsButForItsTime(resolved.upstream) } ?? false
        if let set, isSameUpstream, set.targets.elementsEqual(resolved.targets, by: { $0.equalsButForItsTime($1) }) {
            return set
        }
        let checks = resolved.upstream.healthchecks
        let checksOn = checks.areOn && checks.canBeMade
        // Another answer of the name server does not make a new checker; another target or setting does.
        let isSameChecker =
            isSameUpstream
            && set?.targets.elementsEqual(resolved.targets) { $0.target.equalsButForItsTime($1.target) } == true
        admit(checksOn ? checkedKeys(resolved) : [], forgetOthers: isSameChecker)
        // What waits to be forgotten has no say while checks are off. Unchecked addresses are always healthy; they keep
        // their objects because open connections are found by them.
        let unchecked = self.set.map { $0.checksOn ? [] : $0.addresses } ?? []
        let known = Dictionary(unchecked.map { ($0.key, $0.health) }) { first, _ in first }
        let set = TargetSet(resolved, checksOn: checksOn) { key in
            (checksOn ? entries[key]?.health : nil) ?? known[key] ?? AddressHealth()
        }
        if checksOn { for address in set.addresses { entries[address.key]?.address = address } }
        self.set = set
        activeLists = checks.active.statusLists
        passiveLists = checks.passive.statusLists
        if !isSameChecker { restartTimers(checksOn ? checks : nil) }
        return set
    }

    /// The upstream is gone; its states wait.
    func retire() {
        guard set != nil else { return }
        set = nil
        admit([], forgetOthers: false)
        restartTimers(nil)
    }

    func forgetExpired() {
        let now = loop.now
        entries.removeAll { entry in entry.value.expires.map { $0 <= now } ?? false }
    }

    /// Addresses of weight 0 are not checked.
    private func checkedKeys(_ resolved: ResolvedUpstream) -> [TargetAddress.Key] {
        resolved.targets.flatMap { target in
            target.distinctAddresses.filter { target.weight(of: $0.address) > 0 }.map(\.key)
        }
    }

    private func admit(_ keys: [TargetAddress.Key], forgetOthers: Bool) {
        forgetExpired()
        let wanted = Set(keys)
        for (key, entry) in entries where !wanted.contains(key) && entry.expires == nil {
            entry.address = nil
            entry.expires = loop.now + (forgetOthers ? .zero : Self.retention)
        }
        forgetExpired()
        for key in keys {
            let entry = entries[key] ?? CheckedAddress()
            entry.expires = nil
            entries[key] = entry
        }
    }

    // MARK: Probes

    private func restartTimers(_ checks: HealthChecks?) {
        generation += 1
        for mode in ProbeSchedule.Mode.allCases {
            timers.removeValue(forKey: mode)?.cancel()
            schedules[mode] = nil
            guard let interval = checks?.interval(mode), interval > .zero else { continue }
            schedules[mode] = ProbeSchedule(interval: interval, createdAt: loop.now)
            startTimer(mode)
        }
    }

    private func startTimer(_ mode: ProbeSchedule.Mode) {
        guard let schedule = schedules[mode] else { return }
        timers[mode] = loop.assumeIsolated().scheduleTask(deadline: schedule.nextPass) { [weak self] in
            self?.timerFired(mode)
        }
    }

    private func timerFired(_ mode: ProbeSchedule.Mode) {
        guard let order = schedules[mode]?.timerFired(now: loop.now) else { return }
        startTimer(mode)
        switch order {
        case .leaveOut: break
        case .startPass: startPass(mode)
        }
    }

    private func startPass(_ mode: ProbeSchedule.Mode) {
        guard let set else { return }
        let due = entries.values.filter { $0.address != nil && Self.isDue($0, in: mode) }
        let packages = ProbeSchedule.packages(of: due, concurrency: set.upstream.healthchecks.active.concurrency)
        let pass = Pass(mode: mode, generation: generation, packagesLeft: packages.count)
        guard !packages.isEmpty else { return packageEnded(of: pass) }
        for package in packages { probeNext(of: package[...], in: pass) }
    }

    private static func isDue(_ entry: CheckedAddress, in mode: ProbeSchedule.Mode) -> Bool {
        #if GATECRASH_DEFECTS
        if Defect.everyTargetProbed.isChosen { return true }
        #endif
        return entry.machine.state.isRoutable == (mode == .healthy)
    }

    private final class Pass {
        let mode: ProbeSchedule.Mode
        let generation: Int
        var packagesLeft: Int

        init(mode: ProbeSchedule.Mode, generation: Int, packagesLeft: Int) {
            self.mode = mode
            self.generation = generation
            self.packagesLeft = packagesLeft
        }
    }

    private func probeNext(of package: ArraySlice<CheckedAddress>, in pass: Pass) {
        guard pass.generation == generation, let set else { return }
        guard let entry = package.first else {
            pass.packagesLeft -= 1
            return packageEnded(of: pass)
        }
        guard let address = entry.address else { return probeNext(of: package.dropFirst(), in: pass) }
        let started = loop.now
        let request = ProbeRequest(upstream: set.upstream, address: address)
        probe(request).assumeIsolated().whenComplete { [weak self] result in
            guard let self else { return }
            let answer = (try? result.get()) ?? .tcpFailure("the probe was abandoned")
            probeEnded(answer, of: entry, at: address, mode: pass.mode, started: started)
            probeNext(of: package.dropFirst(), in: pass)
        }
    }

    private func packageEnded(of pass: Pass) {
        guard pass.packagesLeft == 0 else { return }
        schedules[pass.mode]?.passEnded()
    }

    private func probeEnded(
        _ answer: ProbeAnswer, of entry: CheckedAddress, at address: TargetAddress, mode: ProbeSchedule.Mode,
        started: NIODeadline
    ) {
        // Who left the configuration in the meantime is not counted.
        guard let set, set.checksOn, entry.address != nil else { return }
        let (result, status, detail) = read(answer)
        emit(
            .probe(
                ProbeEvent(
                    upstream: set.upstream.name, target: address.target, address: address.text, started: started,
                    result: result, status: status, detail: detail, mode: mode)))
        let limits = set.upstream.healthchecks.active.limits
        guard let report = result.report else { return }
        let outcome = entry.machine.report(report, limit: limits[report])
        publish(outcome, of: entry, at: address, cause: .active, status: status)
    }

    private func read(_ answer: ProbeAnswer) -> (ProbeEvent.Result, status: Int?, detail: String?) {
        switch answer {
        case .status(let status):
            switch activeLists.meaning(of: status) {
            case .success: (.success, status, nil)
            case .failure: (.httpFailure, status, status == 0 ? "the status line could not be read" : nil)
            case .ignored: (.ignored, status, "the status is in no list")
            }
        case .connected: (.success, nil, nil)
        case .tcpFailure(let detail): (.tcpFailure, nil, detail)
        case .timeout(let detail): (.timeout, nil, detail)
        }
    }

    // MARK: Reports

    func reportPassive(_ outcome: PassiveOutcome, for address: TargetAddress, label: AttemptLabel?) {
        guard let set, set.checksOn, let entry = entries[address.key], entry.address != nil else { return }
        let limits = set.upstream.healthchecks.passive.limits
        let (result, status): (HealthMachine.Outcome, Int?) =
            switch outcome {
            case .httpStatus(let status):
                (entry.machine.httpStatus(status, lists: passiveLists, limits: limits), status)
            case .tcpFailure: (entry.machine.report(.tcpFailure, limit: limits.tcpFailures), nil)
            case .timeout: (entry.machine.report(.timeout, limit: limits.timeouts), nil)
            }
        if case .changed = result, let label {
            emit(
                .attempt(
                    AttemptEvent(
                        upstream: set.upstream.name, target: address.target, address: address.text, label: label,
                        outcome: outcome)))
        }
        publish(result, of: entry, at: address, cause: .passive, status: status)
    }

    /// - Parameter text: `ip:port`, or nil for all addresses of the target.
    func setHealth(_ healthy: Bool, target: String, address text: String?) -> ManualHealthResult {
        guard let set else { return .noBalancer }
        guard set.checksOn else { return .noChecker }
        // An IPv6 address has many spellings, so addresses are compared, not texts.
        let wanted = text.map { SocketAddress(listening: $0) }
        let chosen = set.addresses.filter { $0.targetID == target && (wanted == nil || wanted == $0.socketAddress) }
        guard !chosen.isEmpty || text == nil else { return .unknownAddress }
        for address in chosen {
            guard let entry = entries[address.key] else { continue }
            publish(entry.machine.set(healthy: healthy), of: entry, at: address, cause: .manual, status: nil)
        }
        return .done
    }

    /// Makes a change visible to the data plane, then tells it.
    private func publish(
        _ outcome: HealthMachine.Outcome, of entry: CheckedAddress, at address: TargetAddress,
        cause: HealthEvent.Cause, status: Int?
    ) {
        guard case .changed(let change) = outcome, let set else { return }
        entry.health.publish(change.to)
        if change.from.isRoutable != change.to.isRoutable { set.updateHealth() }
        #if GATECRASH_DEFECTS
        showWrongly(change, of: entry, in: set)
        #endif
        emit(
            .health(
                HealthEvent(
                    upstream: set.upstream.name, target: address.target, address: address.text, change: change,
                    cause: cause, status: status)))
    }
}

#if GATECRASH_DEFECTS
extension HealthChecker {
    /// What the data plane is shown, and nobody is told of.
    private func showWrongly(_ change: HealthMachine.Change, of entry: CheckedAddress, in set: TargetSet) {
        let hasReturned = change.to.isRoutable && !change.from.isRoutable
        if Defect.recoverySeenLate.isChosen, hasReturned { show(.unhealthy, of: entry, in: set) }
        let later: TimeAmount
        if Defect.recoverySeenLate.isChosen, hasReturned {
            later = .seconds(1)
        } else if Defect.unhealthyForgotten.isChosen, change.to == .unhealthy {
            later = .seconds(2)
        } else {
            return
        }
        loop.assumeIsolated().scheduleTask(in: later) { [weak self] in
            if Defect.unhealthyForgotten.isChosen { entry.machine = HealthMachine() }
            self?.show(entry.machine.state, of: entry, in: set)
        }
    }

    private func show(_ state: HealthMachine.State, of entry: CheckedAddress, in set: TargetSet) {
        entry.health.publish(state)
        set.updateHealth()
    }
}
#endif

// A declarative file that is read again makes all of its entities anew, with the ids of before.

extension Upstream {
    fileprivate func equalsButForItsTime(_ other: Upstream) -> Bool {
        var aged = other
        aged.createdAt = createdAt
        return self == aged
    }
}

extension Target {
    fileprivate func equalsButForItsTime(_ other: Target) -> Bool {
        var aged = other
        aged.createdAt = createdAt
        return self == aged
    }
}

extension ResolvedTarget {
    fileprivate func equalsButForItsTime(_ other: ResolvedTarget) -> Bool {
        target.equalsButForItsTime(other.target) && dns == other.dns && addresses == other.addresses
    }
}

extension ProbeEvent.Result {
    fileprivate var report: HealthMachine.Report? {
        switch self {
        case .success: .success
        case .httpFailure: .httpFailure
        case .tcpFailure: .tcpFailure
        case .timeout: .timeout
        case .ignored: nil
        }
    }
}

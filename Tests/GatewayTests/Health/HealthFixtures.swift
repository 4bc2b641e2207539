// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Gateway
import NIOCore
import NIOEmbedded

/// An upstream with Kong's defaults, changed as a test wants it.
func makeUpstream(
    _ name: String = "orders", id: String? = nil, algorithm: String = "round-robin", slots: Int = 10_000,
    checks: (inout HealthChecks) -> Void = { _ in }
) -> Upstream {
    var upstream = Upstream(json: [
        "id": .string(id ?? "id-of-\(name)"), "name": .string(name), "algorithm": .string(algorithm),
        "hash_on": "none", "hash_fallback": "none", "slots": .integer(slots), "use_srv_name": false, "created_at": 0,
    ])
    checks(&upstream.healthchecks)
    return upstream
}

func makeTarget(_ target: String, of upstream: Upstream, weight: Int = 100) -> Target {
    Target(json: [
        "id": .string("id-of-\(target)"), "upstream": ["id": .string(upstream.id)], "target": .string(target),
        "weight": .integer(weight), "created_at": 0,
    ])
}

/// An upstream whose targets `host:port` resolve to 127.0.0.1 unless they are addresses themselves.
func resolve(_ upstream: Upstream, _ targets: [(String, weight: Int)]) -> ResolvedUpstream {
    ResolvedUpstream(
        upstream: upstream,
        targets: targets.map { text, weight in
            let target = makeTarget(text, of: upstream, weight: weight)
            let address =
                (try? SocketAddress(ipAddress: target.host, port: target.port))
                ?? loopback(target.port)
            return ResolvedTarget(target: target, addresses: [address])
        })
}

func resolve(_ upstream: Upstream, _ targets: String...) -> ResolvedUpstream {
    resolve(upstream, targets.map { ($0, weight: 100) })
}

func loopback(_ port: Int) -> SocketAddress {
    guard let address = try? SocketAddress(ipAddress: "127.0.0.1", port: port) else {
        preconditionFailure("no loopback address with port \(port)")
    }
    return address
}

/// A health monitor on a virtual loop with targets that answer probes as a test says.
final class MonitorRig {
    let loop = EmbeddedEventLoop()
    let start: NIODeadline
    var events: [GatewayEvent] = []
    /// Every probe that was sent: milliseconds since the start, and the port it went to.
    var probes: [(milliseconds: Int64, port: Int)] = []
    /// The answer of each port, and how long it takes; 200 at once unless set.
    var answers: [Int: ProbeAnswer] = [:]
    var delays: [Int: TimeAmount] = [:]
    /// How many probes are under way now, and were at most.
    var underWay = (now: 0, most: 0)
    private(set) var monitor: HealthMonitor!

    init() {
        start = loop.now
        monitor = HealthMonitor(
            loop: loop, probe: { [unowned self] request in probe(request) },
            emit: { [unowned self] event in events.append(event) })
    }

    deinit { monitor.stop() }

    private func probe(_ request: ProbeRequest) -> EventLoopFuture<ProbeAnswer> {
        let port = request.address.port!
        probes.append(((loop.now - start).nanoseconds / 1_000_000, port))
        underWay = (underWay.now + 1, max(underWay.most, underWay.now + 1))
        let answer = loop.makePromise(of: ProbeAnswer.self)
        let end = { [unowned self] in
            underWay.now -= 1
            answer.succeed(answers[port] ?? .status(200))
        }
        guard let delay = delays[port] else {
            end()
            return answer.futureResult
        }
        loop.assumeIsolated().scheduleTask(in: delay, end)
        return answer.futureResult
    }

    /// What a worker on the control loop reports of a try.
    func report(_ outcome: PassiveOutcome, of address: TargetAddress, label: () -> AttemptLabel? = { nil }) {
        let awaits = address.reportPassive(
            outcome, to: monitor.reporter, from: loop, confirmed: { {} }, label: label)
        precondition(!awaits, "what is reported on the control loop is applied at once")
    }

    /// Lets virtual time pass.
    func run(_ time: TimeAmount) { loop.advanceTime(by: time) }

    var healthEvents: [HealthEvent] {
        events.compactMap { if case .health(let event) = $0 { event } else { nil } }
    }

    /// `from→to` of every health event.
    var steps: [String] { healthEvents.map { "\($0.change.from.rawValue)→\($0.change.to.rawValue)" } }
}

extension HealthChecks {
    mutating func probeEvery(
        healthy: TimeAmount = .zero, unhealthy: TimeAmount = .zero, successes: Int = 1, failures: Int = 1
    ) {
        active.healthy.interval = healthy
        active.unhealthy.interval = unhealthy
        active.healthy.successes = successes
        active.unhealthy.httpFailures = failures
        active.unhealthy.tcpFailures = failures
        active.unhealthy.timeouts = failures
    }

    mutating func watchTraffic(failures: Int, successes: Int = 0) {
        passive.healthy.successes = successes
        passive.unhealthy.httpFailures = failures
        passive.unhealthy.tcpFailures = failures
        passive.unhealthy.timeouts = failures
    }
}

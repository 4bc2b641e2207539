// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Gateway
import NIOCore
import NIOEmbedded
import World

/// Picks a target of an upstream with ten, whose checks are on, and reports what became of the request.
public final class Balancing {
    private let loop = EmbeddedEventLoop()
    private let monitor: HealthMonitor
    private let balancer: Balancer
    private let reporter: HealthReporter

    /// - Parameter algorithm: Kong's name of it.
    public init(algorithm: String = "round-robin") {
        let loop = loop
        monitor = HealthMonitor(
            loop: loop, probe: { _ in loop.makeSucceededFuture(ProbeAnswer.status(200)) }, emit: { _ in })
        let targets = (1...10).map { #"{"target":"127.0.0.1:\#($0)"}"# }.joined(separator: ",")
        let passive = #"{"unhealthy":{"http_failures":3},"healthy":{"successes":1}}"#
        let upstream =
            #"{"name":"up","algorithm":"\#(algorithm)","healthchecks":{"passive":\#(passive)},"targets":[\#(targets)]}"#
        let configuration = HotPath.configuration(#"{"_format_version":"3.0","upstreams":[\#(upstream)]}"#)
        let resolved = configuration.targets.map { target in
            ResolvedTarget(
                target: target, dns: "A",
                addresses: [ResolvedAddress(socketAddress: .loopback(port: target.port))])
        }
        let set = monitor.apply([ResolvedUpstream(upstream: configuration.upstreams[0], targets: resolved)])[0]
        balancer = Balancer(set, random: RandomStreams(seed: 1).stream("benchmark"))
        reporter = monitor.reporter
    }

    /// - Returns: the port of the target.
    @discardableResult
    public func runPick() -> Int {
        let now = NIODeadline.uptimeNanoseconds(1)
        guard let address = balancer.pick(now: now) else {
            preconditionFailure("all targets of a benchmark are healthy")
        }
        balancer.ended(address, took: .milliseconds(1), now: now)
        return address.port
    }

    /// A success of a healthy target, as nearly every request is one.
    @discardableResult
    public func runReport() -> Bool {
        balancer.set.addresses[3].reportPassive(
            .httpStatus(200), to: reporter, from: loop, confirmed: { {} }, label: { nil })
    }
}

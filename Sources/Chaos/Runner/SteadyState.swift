// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The precondition of a run: every target gets traffic, and a request passes. It asks until both are true, or the time
/// is over.
final class SteadyState {
    /// A gateway answers in well under this.
    private static let pause = TimeAmount.milliseconds(20)

    private let plan: Plan
    private let driver: any TopologyDriver
    private let deadline: NIODeadline
    private let promise: EventLoopPromise<Void>

    init(_ plan: Plan, _ driver: any TopologyDriver, timeout: TimeAmount) {
        self.plan = plan
        self.driver = driver
        deadline = driver.loop.now + timeout
        promise = driver.loop.makePromise(of: Void.self)
    }

    /// Fails with a `TopologyError` that says what was not steady.
    func reached() -> EventLoopFuture<Void> {
        ask()
        return promise.futureResult
    }

    private func ask() {
        let asked = plan.topology.gateways.map { driver.health(of: $0.id) }
        EventLoopFuture.whenAllSucceed(asked, on: driver.loop).assumeIsolated()
            .flatMapThrowing { (reports: [[ReportedHealth]]) in
                if let bad = reports.joined().first(where: { !$0.isGood }) {
                    throw TopologyError("target \(bad.target) of upstream \(bad.upstream) is \(bad.health)")
                }
            }
            .flatMap { self.probe() }
            .whenComplete { result in
                switch result {
                case .success: self.promise.succeed()
                case .failure(let error): self.again(error)
                }
            }
    }

    private func again(_ error: any Error) {
        guard driver.loop.now < deadline else { return promise.fail(error) }
        driver.loop.assumeIsolated().scheduleTask(in: Self.pause) { self.ask() }
    }

    /// The first request of each load that can be repeated without harm.
    private func probe() -> EventLoopFuture<Void> {
        let probes = plan.loads.compactMap { load -> EventLoopFuture<Void>? in
            guard let request = load.mix.map(\.request).first(where: { ["GET", "HEAD"].contains($0.method) }) else {
                return nil
            }
            let path = request.path.text(number: 1)
            return driver.probe(load.to, path: path).flatMapThrowing { status in
                guard status < 400 else { throw TopologyError("GET \(path) through \(load.to) gave status \(status)") }
            }
        }
        return EventLoopFuture.andAllSucceed(probes, on: driver.loop)
    }
}

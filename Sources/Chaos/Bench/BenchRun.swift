// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOSSL
import Synchronization
package import World

/// What a bench tells while it runs.
package enum BenchUpdate: Sendable {
    case starting(plan: BenchPlan, subjects: [String])
    case progress(BenchProgress)
    /// A round of a subject is over.
    case ended(subject: String, round: Int, of: Int, BenchFigures)
}

/// A moment of a round.
package struct BenchProgress: Hashable, Sendable {
    package var subject: String
    package var round: Int
    package var rounds: Int
    /// 0…1 of the whole bench; nil when nobody can know.
    package var part: Double?
    /// Left of the whole bench.
    package var left: Nanoseconds?
    package var requests: Int
    package var errors: Int
    /// In the last moment.
    package var rps: Double
}

/// Runs a bench: its subjects one after the other, round by round, so that what the machine does meanwhile meets all of
/// them. May be interrupted from any thread; what was measured until then counts.
package final class BenchRun: Sendable {
    private struct State {
        var isInterrupted = false
        var slice: BenchSlice?
    }

    private let plan: BenchPlan
    private let given: [BenchSubject]
    private let topologyOptions: BenchTopology.Options
    private let world: World
    private let meter: ProcessMeter
    private let onUpdate: @Sendable (BenchUpdate) -> Void
    private let state = Mutex(State())
    private let loops: [any EventLoop]

    /// - Parameters:
    ///   - subjects: none starts a mock API and a gateway, and measures both.
    ///   - world: with one event loop more than the plan has threads: the last one steers.
    ///   - ownPID: of this process, to be metered.
    package init(
        _ plan: BenchPlan, subjects: [BenchSubject], topology: BenchTopology.Options = .init(), world: World,
        meter: ProcessMeter = .system, onUpdate: @escaping @Sendable (BenchUpdate) -> Void = { _ in }
    ) {
        self.plan = plan
        given = subjects
        topologyOptions = topology
        self.world = world
        self.meter = meter
        self.onUpdate = onUpdate
        loops = Array(world.loops.makeIterator())
        precondition(loops.count > plan.threads, "\(plan.threads) workers and the one that steers need a loop each")
    }

    private var control: any EventLoop { loops[loops.count - 1] }
    private var isInterrupted: Bool { state.withLock(\.isInterrupted) }

    /// Ends the bench: nothing more is sent, what is under way is given up.
    package func interrupt() {
        let slice = state.withLock { state in
            state.isInterrupted = true
            return state.slice
        }
        slice?.stop()
    }

    /// - Returns: what was measured, also when the bench came to grief.
    package func run() async -> BenchResult {
        var result = BenchResult(plan)
        guard given.isEmpty else {
            await measure(given, &result)
            return result
        }
        let (control, options) = (control, topologyOptions)
        do {
            let topology = try await control.submit {
                NIOLoopBound(try BenchTopology(options, loop: control), eventLoop: control)
            }.get()
            do {
                let subjects = try await control.flatSubmit { topology.value.start() }.get()
                await measure(subjects, &result)
            } catch {
                result.trouble = .init(.topology, "\(error)")
            }
            try? await control.flatSubmit { topology.value.stop() }.get()
        } catch {
            result.trouble = .init(.topology, "\(error)")
        }
        return result
    }

    private func measure(_ subjects: [BenchSubject], _ result: inout BenchResult) async {
        onUpdate(.starting(plan: plan, subjects: subjects.map(\.target.name)))
        do {
            var jobs: [(subject: BenchSubject, job: BenchJob)] = []
            for subject in subjects { jobs.append((subject, try await job(for: subject))) }
            for (subject, job) in jobs where job.tls != nil { try await probe(subject, job) }
            for round in 1...plan.rounds {
                for (index, (subject, job)) in jobs.enumerated() where !isInterrupted {
                    let place = (round - 1) * jobs.count + index
                    let slice = BenchSlice(
                        job, subject: subject, loops: Array(loops.dropLast()), control: control, world: world,
                        meter: meter)
                    try await open(slice, of: subject, isFirst: round == 1)
                    let tally = await run(slice, subject, round, place: place, of: plan.rounds * jobs.count)
                    guard tally.length > .zero || tally.recorder.requests > 0 else { continue }
                    let figures = result.add(tally, of: subject)
                    onUpdate(.ended(subject: subject.target.name, round: round, of: plan.rounds, figures))
                }
            }
        } catch let trouble as BenchResult.Trouble {
            result.trouble = trouble
        } catch {
            result.trouble = .init(.unreachable, "\(error)")
        }
        result.isInterrupted = isInterrupted
    }

    /// A server that was never there ends the bench; one that has gone since is measured as it is.
    private func open(_ slice: BenchSlice, of subject: BenchSubject, isFirst: Bool) async throws {
        guard let error = await slice.open(), isFirst else { return }
        let url = subject.target.url
        let reason =
            switch BenchFailure(connecting: error) {
            case .refused: "connection refused: nobody listens there; start the server, or check the port"
            case .connectTimeout: "no connection within \(plan.timeout); check address and port"
            default: "\(error); check address and port"
            }
        throw BenchResult.Trouble(.unreachable, "\(url): \(reason)")
    }

    private func run(
        _ slice: BenchSlice, _ subject: BenchSubject, _ round: Int, place: Int, of count: Int
    ) async -> BenchTally {
        let isTooLate = state.withLock { state in
            state.slice = slice
            return state.isInterrupted
        }
        if isTooLate { slice.stop() }
        let one = plan.length(subjects: 1).map { Nanoseconds($0.count / Int64(plan.rounds)) }
        let (rounds, requests, onUpdate) = (plan.rounds, plan.requests, onUpdate)
        let tally = await slice.run { moment in
            var progress = BenchProgress(
                subject: subject.target.name, round: round, rounds: rounds, part: nil, left: nil,
                requests: moment.requests, errors: moment.errors, rps: moment.rps)
            if let one, one > .zero {
                let part = min(1, max(0, Double(moment.elapsed.count) / Double(one.count)))
                progress.part = (Double(place) + part) / Double(count)
                progress.left = Nanoseconds(Int64((1 - part) * Double(one.count))) + one * Int64(count - place - 1)
            } else if let requests {
                progress.part = (Double(place) + min(1, Double(moment.requests) / Double(requests))) / Double(count)
            }
            onUpdate(.progress(progress))
        }
        state.withLock { $0.slice = nil }
        return tally
    }

    // MARK: Subjects

    private func job(for subject: BenchSubject) async throws(BenchResult.Trouble) -> BenchJob {
        let target = subject.target
        let addresses: [SocketAddress]
        do {
            addresses = try await world.network.resolve(target.host, port: target.port, on: control).get()
        } catch {
            throw BenchResult.Trouble(
                .unreachable, "\(target.url): the name \(target.host) is not known; check its spelling")
        }
        guard let address = addresses.first else {
            throw BenchResult.Trouble(.unreachable, "\(target.url): no address")
        }
        guard plan.allowsRemote || addresses.allSatisfy(\.isLoopback) else {
            throw BenchResult.Trouble(
                .usage,
                "\(target.url): \(address.ipAddress ?? target.host) is not this machine; load goes elsewhere only "
                    + "with --allow-remote")
        }
        let warmup = plan.warmupOfShape
        var job = BenchJob(
            address: address, tls: try tls(for: target), requests: plan.prepared(for: target),
            pacing: .closed(clients: plan.connections), warmup: warmup.count,
            end: plan.duration.map { ($0 + warmup).count }, quota: plan.requests, timeout: plan.timeout.timeAmount,
            reusesConnections: plan.reusesConnections, interval: interval)
        switch plan.shape {
        case .closed: break
        case .open(let rate, let arrivals):
            // Without a duration the number of requests ends it; a day is longer than any bench.
            let length = plan.duration.map { $0 + warmup } ?? .seconds(86_400)
            job.pacing = .open(
                stages: [.rate(from: rate, to: rate, length: length)], arrivals: arrivals,
                connections: plan.connections)
        case .replay(let log, let speed):
            let starts = log.entries.indices.map { log.start(of: $0, speed: speed).count }
            job.pacing = .replay(starts: starts, connections: plan.connections)
        }
        return job
    }

    /// About fifty points of a round, and not more than twenty a second.
    private var interval: Nanoseconds {
        var length = plan.duration
        if case .replay(let log, let speed) = plan.shape { length = log.length(speed: speed) }
        return length.map { max(.milliseconds(50), Nanoseconds($0.count / 50)) } ?? .milliseconds(250)
    }

    private func tls(for target: BenchTarget) throws(BenchResult.Trouble) -> BenchTLS? {
        guard target.isTLS else { return nil }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = ["http/1.1"]
        if !plan.trust.verifies { configuration.certificateVerification = .none }
        if let file = plan.trust.authorities { configuration.trustRoots = .file(file) }
        do {
            let isLiteral = (try? SocketAddress(ipAddress: target.host, port: 0)) != nil
            return BenchTLS(
                context: try NIOSSLContext(configuration: configuration), serverName: isLiteral ? nil : target.host)
        } catch {
            throw BenchResult.Trouble(
                .usage, "--cacert \(plan.trust.authorities ?? ""): no certificates can be read from it")
        }
    }

    /// One request, to learn whether the handshake works at all.
    private func probe(_ subject: BenchSubject, _ job: BenchJob) async throws {
        var job = job
        (job.pacing, job.warmup, job.end, job.quota) = (.closed(clients: 1), 0, nil, 1)
        let slice = BenchSlice(
            job, subject: subject, loops: [loops[0]], control: control, world: world, meter: ProcessMeter { _ in nil })
        try await open(slice, of: subject, isFirst: true)
        let tally = await slice.run { _ in }
        guard tally.recorder.failureCounts.contains(where: { $0.kind == .tls }) else { return }
        let advice = plan.trust.verifies ? "; give --cacert, or --insecure to verify nothing" : ""
        throw BenchResult.Trouble(
            .unreachable, "\(subject.target.url): the TLS handshake failed\(slice.tlsProblem)\(advice)")
    }
}

extension SocketAddress {
    /// This machine: 127.0.0.0/8 or ::1.
    var isLoopback: Bool {
        guard let ip = ipAddress else { return false }
        return ip.hasPrefix("127.") || ip == "::1" || ip.hasPrefix("::ffff:127.")
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import Testing
import World

@testable import Chaos

/// A worker in virtual time, where every figure is exact.
@Suite struct BenchWorkerTests {
    private static let millisecond: Int64 = 1_000_000

    private func job(
        _ pacing: BenchJob.Pacing, warmup: Int64 = 0, length: Int64? = nil, quota: Int? = nil,
        timeout: TimeAmount = .seconds(1), reuses: Bool = true, requests: [String] = ["/"]
    ) throws -> BenchJob {
        BenchJob(
            address: try SocketAddress(ipAddress: "127.0.0.1", port: 1), tls: nil,
            requests: requests.map {
                PreparedRequest(
                    method: "GET", target: $0, authority: "a", headers: [], body: ByteBuffer(), closes: !reuses)
            }, pacing: pacing, warmup: warmup, end: length.map { $0 + warmup }, quota: quota, timeout: timeout,
            reusesConnections: reuses, interval: .milliseconds(100))
    }

    private func open(
        _ rate: Double, _ length: Int64, connections: Int = 100, arrivals: LoadSpec.Arrivals = .even
    )
        -> BenchJob.Pacing
    {
        let stage = LoadSpec.Stage.rate(
            from: Rate(perSecond: rate), to: Rate(perSecond: rate), length: Nanoseconds(length))
        return .open(stages: [stage], arrivals: arrivals, connections: connections)
    }

    /// Runs a job to its end, or for a minute of virtual time.
    private func run(
        _ job: BenchJob, on server: VirtualServer, stopAt: Int64? = nil
    ) throws -> BenchRecorder {
        let loop = server.loop
        let worker = BenchWorker(
            job, index: 0, of: 1, loop: loop, network: server, random: RandomStreams(seed: 1))
        let ready = worker.prepare()
        loop.advanceTime(by: .nanoseconds(server.connectTime))
        loop.run()
        _ = try ready.wait()
        let result = worker.run(from: loop.now)
        if let stopAt {
            loop.advanceTime(by: .nanoseconds(stopAt))
            worker.stop()
        }
        loop.advanceTime(by: .seconds(60))
        let recorder = try result.wait()
        loop.run()
        #expect(server.open == 0, "\(server.open) connections were left")
        return recorder
    }

    @Test func `a closed loop asks as soon as it is answered`() throws {
        let loop = EmbeddedEventLoop()
        let server = VirtualServer(loop) { _, _ in .answer(status: 200, after: 2 * Self.millisecond) }
        let recorder = try run(try job(.closed(clients: 3), length: 20 * Self.millisecond), on: server)
        #expect(recorder.requests == 30 && recorder.ok == 30 && server.connections == 3)
        #expect(recorder.latency.min == .milliseconds(2) && recorder.latency.max == .milliseconds(2))
        // The last three end with the window, so they do not lie in it.
        #expect(recorder.okInWindow == 27 && recorder.bytes == 30 * 34)
        #expect(server.bytes.first == "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    }

    @Test func `a number of requests is exact, and the warm-up does not count`() throws {
        let loop = EmbeddedEventLoop()
        let server = VirtualServer(loop) { _, _ in .answer(status: 200, after: Self.millisecond) }
        let recorder = try run(try job(.closed(clients: 7), warmup: 5 * Self.millisecond, quota: 100), on: server)
        #expect(recorder.requests == 100 && server.requests == 135 && recorder.statusCounts.map(\.count) == [100])
    }

    /// The server stands still from 300 ms to 500 ms. One connection: only one request was under way, so measured from
    /// the real send one of a thousand was slow; for users every request of these 200 ms was.
    @Test func `a stall is in every latency from the planned start, and in one from the real send`() throws {
        let loop = EmbeddedEventLoop()
        let ms = Self.millisecond
        let server = VirtualServer(loop) { _, now in
            let time = now % 1_000_000_000
            return .answer(status: 200, after: time >= 300 * ms && time < 500 * ms ? 500 * ms - time : ms / 100)
        }
        let recorder = try run(try job(open(1000, 1000 * ms, connections: 1), length: 1000 * ms), on: server)
        #expect(recorder.requests == 1000 && recorder.ok == 1000)
        #expect(
            recorder.sentLatency.max == .milliseconds(200) && recorder.sentLatency.quantile(99.8) < .milliseconds(1))
        #expect(recorder.latency.max == .milliseconds(200))
        // 200 of 1000 met the stall, the k-th with 200 - k ms to wait (and then 10 µs for each before it).
        #expect(recorder.latency.quantile(90) > .milliseconds(98) && recorder.latency.quantile(90) < .milliseconds(103))
        #expect(recorder.latency.quantile(79) < .milliseconds(2))
        #expect(recorder.queued >= 199 && recorder.lateness.max == .zero)
    }

    @Test func `an open loop opens what it needs and no more than it may`() throws {
        let loop = EmbeddedEventLoop()
        let server = VirtualServer(loop) { _, _ in .answer(status: 200, after: 50 * Self.millisecond) }
        let free = try run(try job(open(100, 1_000 * Self.millisecond), length: 1_000 * Self.millisecond), on: server)
        #expect(free.ok == 100 && free.queued == 0 && server.connections <= 6)
        #expect(server.arrivals.prefix(3) == [0, 10_000_000, 20_000_000])
    }

    @Test func `Poisson arrivals are those of the seed`() throws {
        func arrivals() throws -> [Int64] {
            let loop = EmbeddedEventLoop()
            let server = VirtualServer(loop) { _, _ in .answer(status: 200, after: 1000) }
            let pacing = open(1000, 1_000 * Self.millisecond, arrivals: .poisson)
            _ = try run(try job(pacing, length: 1_000 * Self.millisecond), on: server)
            return server.arrivals
        }
        let first = try arrivals()
        #expect(try arrivals() == first && (800...1200).contains(first.count))
        #expect(Set(zip(first.dropFirst(), first).map { $0 - $1 }).count > 700)
    }

    @Test func `several workers together start what one would`() {
        func starts(_ index: Int, of count: Int) -> [Int64] {
            var pacer = BenchPacer(open(900, 1_000_000_000), index: index, of: count, random: RandomStreams(seed: 1))
            var starts: [Int64] = []
            while let next = pacer.next {
                starts.append(next)
                _ = pacer.take()
            }
            return starts
        }
        let one = starts(0, of: 1)
        let three = (0..<3).flatMap { starts($0, of: 3) }.sorted()
        #expect(one.count == 900 && three.count == 900)
        #expect(zip(one, three).allSatisfy { abs($0 - $1) <= 2 })
    }

    @Test func `a replay sends each request at its time`() throws {
        let loop = EmbeddedEventLoop()
        let server = VirtualServer(loop) { _, _ in .answer(status: 200, after: 1000) }
        let starts: [Int64] = [0, 5_000_000, 5_000_000, 70_000_000]
        let recorder = try run(
            try job(.replay(starts: starts, connections: 10), requests: ["/a", "/b", "/c", "/d"]), on: server)
        #expect(recorder.ok == 4 && server.arrivals == starts)
        #expect(server.bytes.map { $0.split(separator: " ")[1] } == ["/a", "/b", "/c", "/d"])
        var dealt = [0, 1].map {
            BenchPacer(.replay(starts: starts, connections: 10), index: $0, of: 2, random: .init(seed: 1))
        }
        let order = [dealt[0].take(), dealt[0].take(), dealt[1].take(), dealt[1].take()]
        #expect(order == [0, 2, 1, 3])
    }

    /// What a server does, and how it counts.
    static let troubles: [(VirtualServer.Reaction, BenchFailure)] = [
        (.answer(status: 503, after: 1000), .badStatus), (.truncate(after: 1000), .truncated),
        (.closeEarly(after: 1000), .closedEarly), (.garbage(after: 1000), .framing), (.silence, .timeout),
    ]

    @Test(arguments: troubles)
    func `each kind of failure counts by itself, and the next request is sent`(
        reaction: VirtualServer.Reaction, kind: BenchFailure
    ) throws {
        let loop = EmbeddedEventLoop()
        let server = VirtualServer(loop) { number, _ in number % 2 == 0 ? .answer(status: 200, after: 1000) : reaction }
        let recorder = try run(
            try job(.closed(clients: 1), quota: 10, timeout: .milliseconds(40)), on: server)
        #expect(recorder.requests == 10 && recorder.ok == 5)
        #expect(recorder.failureCounts.map(\.kind) == [kind] && recorder.failureCounts.map(\.count) == [5])
        #expect(recorder.latency.count == (kind == .timeout || kind == .badStatus ? 10 : 5))
        if kind == .timeout { #expect(recorder.latency.max == .milliseconds(40)) }
    }

    @Test func `a server that is gone is asked a hundred times a second, not more`() throws {
        let loop = EmbeddedEventLoop()
        let server = VirtualServer(loop) { _, _ in .closeEarly(after: 1000) }
        server.isRefusing = true
        let recorder = try run(try job(.closed(clients: 2), length: 1_000 * Self.millisecond), on: server)
        #expect(recorder.failureCounts.map(\.kind) == [.refused] && (190...202).contains(recorder.requests))
    }

    @Test func `a request that waits too long for a connection is a timeout`() throws {
        let loop = EmbeddedEventLoop()
        let server = VirtualServer(loop) { _, _ in .silence }
        let recorder = try run(
            try job(
                open(100, 100 * Self.millisecond, connections: 1), length: 100 * Self.millisecond,
                timeout: .milliseconds(35)),
            on: server)
        #expect(recorder.requests == 10 && recorder.failureCounts.map(\.kind) == [.timeout])
        #expect(recorder.failureCounts.map(\.count) == [10])
    }

    @Test func `without keep-alive each request has a connection, and its opening counts`() throws {
        let loop = EmbeddedEventLoop()
        let server = VirtualServer(loop) { _, _ in .answer(status: 200, after: 1000) }
        server.connectTime = 5000
        let recorder = try run(try job(.closed(clients: 1), quota: 10, reuses: false), on: server)
        #expect(recorder.ok == 10 && server.bytes[0].contains("Connection: close"))
        // The first was opened before the round began.
        #expect(server.connections == 10)
        #expect(recorder.sentLatency.max == Nanoseconds(1000) && recorder.latency.max == Nanoseconds(6000))
    }

    @Test func `what is under way when a bench is interrupted is given up`() throws {
        let loop = EmbeddedEventLoop()
        let server = VirtualServer(loop) { number, _ in
            number <= 6 ? .answer(status: 200, after: Self.millisecond) : .silence
        }
        let recorder = try run(
            try job(.closed(clients: 3), length: 10_000 * Self.millisecond, timeout: .seconds(20)), on: server,
            stopAt: 100 * Self.millisecond)
        #expect(recorder.requests == 6 && recorder.abandoned == 3)
    }
}

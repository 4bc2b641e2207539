// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import Document
import NIOCore
import Synchronization
import Testing
import World

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@Suite(.timeLimit(.minutes(1))) struct NodeProcessTests {
    /// A node process on its loop and what it has told so far.
    private final class Bench: Sendable {
        let loop: any EventLoop
        let node: NIOLoopBound<NodeProcess>
        let told = Told()

        init(
            _ loop: any EventLoop, _ executable: String, _ arguments: [String], log: String = "/dev/null",
            startTimeout: TimeAmount = .seconds(20), signalTimeout: TimeAmount = .seconds(10)
        ) async throws {
            self.loop = loop
            let supervisor = try Supervisor()
            let told = told
            node = try await loop.submit {
                let specification = ChildSpecification(
                    name: "api", executable: executable, arguments: arguments,
                    environment: ["PATH": "/usr/bin:/bin"], logPath: log)
                let node = NodeProcess(
                    specification, supervisor: supervisor, loop: loop, startTimeout: startTimeout,
                    signalTimeout: signalTimeout
                ) { event in
                    switch event {
                    case .change(let change, _): told.changes.withLock { $0.append(change) }
                    case .record(let record): told.records.withLock { $0.append(record) }
                    }
                }
                return NIOLoopBound(node, eventLoop: loop)
            }.get()
        }

        func on<T: Sendable>(_ body: @escaping @Sendable (NodeProcess) -> EventLoopFuture<T>) async throws -> T {
            try await loop.flatSubmit { body(self.node.value) }.get()
        }
        func state() async throws -> NodeProcess.State { try await loop.submit { self.node.value.state }.get() }
    }

    private final class Told: Sendable {
        let changes = Mutex<[ProcessChange]>([])
        let records = Mutex<[JSONValue]>([])
    }

    private let chatty = #"echo '{"kind":"ready","port":7}'; echo noise; echo '{"kind":"served","n":1}'; exec cat"#

    @Test func `it is ready when it says so, and its records are passed on`() async throws {
        try await withRealWorld { _, loop in
            let bench = try await Bench(loop, "/bin/sh", ["-c", chatty])
            let ready = try await bench.on { $0.start() }
            #expect(ready["port"] == 7)
            #expect(try await bench.state() == .running)
            try await bench.on { $0.kill() }
            #expect(try await bench.state() == .dead)
            #expect(bench.told.records.withLock(\.self) == [["kind": "served", "n": 1]])
            let changes = bench.told.changes.withLock(\.self)
            #expect(changes.count == 3)
            #expect(changes.last == .exited(.signal(9), isExpected: true))
        }
    }

    @Test func `a child that ends before it is ready gives its exit and the end of its log`() async throws {
        try await withRealWorld { _, loop in
            try await withTemporaryDirectory { directory in
                let script = "for i in 1 2 3; do echo trouble $i >&2; done; exit 2"
                let bench = try await Bench(loop, "/bin/sh", ["-c", script], log: directory + "/api.log")
                let error = await #expect(throws: TopologyError.self) { _ = try await bench.on { $0.start() } }
                #expect(error?.message == "api exited with code 2 before it was ready; its log ends with")
                #expect(error?.logTail == ["trouble 1", "trouble 2", "trouble 3"])
                #expect(try await bench.state() == .dead)
            }
        }
    }

    @Test func `a child that never says ready is given up and killed`() async throws {
        try await withRealWorld { _, loop in
            let bench = try await Bench(loop, "/bin/cat", [], startTimeout: .milliseconds(50))
            let error = await #expect(throws: TopologyError.self) { _ = try await bench.on { $0.start() } }
            #expect(error?.message.hasPrefix("api was not ready within") == true)
            try await bench.on { $0.kill() }
            #expect(bench.told.changes.withLock(\.last) == .exited(.signal(9), isExpected: true))
        }
    }

    @Test func `an exit that nobody asked for is unexpected`() async throws {
        try await withRealWorld { _, loop in
            let bench = try await Bench(loop, "/bin/sh", ["-c", #"echo '{"kind":"ready"}'; exit 7"#])
            _ = try await bench.on { $0.start() }
            #expect(
                try await eventually(.seconds(10), on: loop) {
                    bench.told.changes.withLock(\.last) == .exited(.code(7), isExpected: false)
                })
        }
    }

    @Test func `pausing and resuming complete when the process has stopped and goes on`() async throws {
        try await withRealWorld { _, loop in
            let bench = try await Bench(loop, "/bin/sh", ["-c", chatty])
            _ = try await bench.on { $0.start() }
            for _ in 1...3 {
                try await bench.on { $0.pause() }
                #expect(try await bench.state() == .paused)
                await #expect(throws: TopologyError.self) { try await bench.on { $0.pause() } }
                try await bench.on { $0.resume() }
                #expect(try await bench.state() == .running)
            }
            try await bench.on { $0.pause() }
            try await bench.on { $0.kill() }
            let kinds = bench.told.changes.withLock(\.self).dropFirst(2)
            #expect(
                kinds.elementsEqual([
                    .paused, .resumed, .paused, .resumed, .paused, .resumed, .paused,
                    .exited(.signal(9), isExpected: true),
                ]))
        }
    }

    @Test func `a process that does not stop in time is an error, and paused when it stops after all`() async throws {
        try await withRealWorld { _, loop in
            try await withTemporaryDirectory { directory in
                let fifos = ["entrance", "gate"].map { directory + "/" + $0 }
                for fifo in fifos { #expect(mkfifo(fifo, 0o600) == 0) }
                let bench = try await Bench(
                    loop, supervisionFixture, ["held"] + fifos, signalTimeout: .milliseconds(100))
                _ = try await bench.on { $0.start() }
                let error = await #expect(throws: TopologyError.self) { try await bench.on { $0.pause() } }
                #expect(error?.message == "api did not stop within 0.1 s of the signal")
                close(open(fifos[1], O_RDONLY))
                #expect(try await eventually(.seconds(10), on: loop) { bench.told.changes.withLock(\.last) == .paused })
                try await bench.on { $0.kill() }
            }
        }
    }

    @Test func `stopping is SIGTERM, also for a paused process, and SIGKILL for a deaf one`() async throws {
        try await withRealWorld { _, loop in
            for (arguments, expected) in [(["child"], ProcessExit.signal(15)), (["child", "--deaf"], .signal(9))] {
                let bench = try await Bench(loop, supervisionFixture, arguments)
                _ = try await bench.on { $0.start() }
                try await bench.on { $0.pause() }
                try await bench.on { $0.stop(drain: .milliseconds(expected == .signal(9) ? 100 : 10_000)) }
                #expect(bench.told.changes.withLock(\.last) == .exited(expected, isExpected: true))
            }
        }
    }

    @Test func `a killed node starts again`() async throws {
        try await withRealWorld { _, loop in
            let bench = try await Bench(loop, supervisionFixture, ["child"])
            var pids: [Int] = []
            for _ in 1...3 {
                pids.append(try await bench.on { $0.start() }["pid"]?.intValue ?? 0)
                try await bench.on { $0.kill() }
            }
            #expect(Set(pids).count == 3)
            await #expect(throws: TopologyError.self) { try await bench.on { $0.pause() } }
        }
    }

    @Test func `a reserved port refuses, can be listened on again and again, and is nobody else's`() async throws {
        try await withRealWorld { world, loop in
            let reservation = try PortReservation()
            for _ in 1...3 {
                let error = await #expect(throws: NetworkError.self) {
                    _ = try await world.network.connect(
                        to: reservation.address, on: loop, timeout: .seconds(5)
                    ) { $0.eventLoop.makeSucceededVoidFuture() }.get()
                }
                #expect(error?.code == .refused)
                let listener = try await world.network.listen(
                    on: reservation.address, loops: loop, options: ListenOptions()
                ) { $0.eventLoop.makeSucceededVoidFuture() }.get()
                #expect(listener.localAddress?.port == reservation.port)
                try await listener.close().get()
            }
            let others = try (0..<200).map { _ in try PortReservation().port }
            #expect(!others.contains(reservation.port))
        }
    }
}

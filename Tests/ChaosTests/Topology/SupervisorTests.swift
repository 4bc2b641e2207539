// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import FoundationEssentials
import NIOCore
import Testing
import World

#if canImport(Glibc)
import Glibc
#endif

@Suite(.timeLimit(.minutes(1))) struct SupervisorTests {
    /// A started child and what it does.
    private struct Started {
        var process: ChildProcess
        var events: AsyncStream<ChildEvent>.Iterator

        mutating func nextLine() async -> String? { await nextOutput()?.first }

        mutating func nextOutput() async -> [String]? {
            while let event = await events.next() {
                if case .output(let lines) = event { return lines.map { String(buffer: $0) } }
            }
            return nil
        }

        mutating func exit() async -> ProcessExit? {
            while let event = await events.next() {
                if case .exited(let status, _) = event { return status }
            }
            return nil
        }
    }

    private func start(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:], log: String = "/dev/null",
        _ supervisor: Supervisor, _ loop: any EventLoop
    ) async throws -> Started {
        let (stream, continuation) = AsyncStream.makeStream(of: ChildEvent.self)
        let specification = ChildSpecification(
            name: "child", executable: executable, arguments: arguments, environment: environment, logPath: log)
        let process = try await supervisor.spawn(specification, on: loop) { continuation.yield($0) }.get()
        return Started(process: process, events: stream.makeAsyncIterator())
    }

    @Test(arguments: [
        ("exit 0", ProcessExit.code(0)), ("exit 3", .code(3)), ("kill -TERM $$", .signal(SIGTERM)),
        ("kill -SEGV $$", .signal(SIGSEGV)),
    ])
    func `how a child ended is reported`(script: String, expected: ProcessExit) async throws {
        try await withRealWorld { _, loop in
            let supervisor = try Supervisor()
            var child = try await start("/bin/sh", ["-c", script], supervisor, loop)
            #expect(await child.exit() == expected)
            #expect(!child.process.signal(SIGKILL), "a reaped child's pid may be a stranger's")
        }
    }

    @Test func `every line of a child arrives before its output ends`() async throws {
        try await withRealWorld { _, loop in
            let supervisor = try Supervisor()
            let script = "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; printf last"
            var child = try await start("/bin/sh", ["-c", script], supervisor, loop)
            var lines: [String] = []
            reading: while let event = await child.events.next() {
                switch event {
                case .output(let more): lines += more.map { String(buffer: $0) }
                case .outputEnded: break reading
                case .exited, .stopped, .continued: continue
                }
            }
            #expect(lines == (0..<5000).map { "line \($0)" } + ["last"])
        }
    }

    @Test func `a program that does not exist is an error that names it`() async throws {
        try await withRealWorld { _, loop in
            let supervisor = try Supervisor()
            let error = await #expect(throws: TopologyError.self) {
                _ = try await start("/no/such/program", [], supervisor, loop)
            }
            #expect(error?.message == "child cannot be started: /no/such/program: No such file or directory")
        }
    }

    @Test func `stderr goes to the log, the environment is what was given, descriptors are three`() async throws {
        try await withRealWorld { _, loop in
            try await withTemporaryDirectory { directory in
                let supervisor = try Supervisor()
                // Descriptors that careless code would hand on: a file without close-on-exec and another child's pipes.
                let leak = open("/dev/null", O_RDONLY)
                defer { close(leak) }
                let other = try await start("/bin/cat", [], supervisor, loop)
                let script = "echo to the log >&2; echo $COLOUR $HOME; ls /proc/self/fd | tr '\\n' ' '"
                var child = try await start(
                    "/bin/sh", ["-c", script], environment: ["COLOUR": "green", "PATH": "/usr/bin:/bin"],
                    log: directory + "/child.log", supervisor, loop)
                var text = ""
                reading: while let event = await child.events.next() {
                    if case .output(let lines) = event { text += lines.map { String(buffer: $0) + "\n" }.joined() }
                    if case .outputEnded = event { break reading }
                }
                // ls itself opens /proc/self/fd as number 3.
                #expect(text == "green\n0 1 2 3 \n")
                #expect(try String(contentsOfFile: directory + "/child.log", encoding: .utf8) == "to the log\n")
                other.process.signal(SIGKILL)
            }
        }
    }

    @Test func `a signal reaches the whole process group, and nothing of it survives the leader`() async throws {
        try await withRealWorld { _, loop in
            let supervisor = try Supervisor()
            var child = try await start(
                "/bin/sh", ["-c", "sleep 1000 </dev/null >/dev/null & echo $!; wait"],
                environment: ["PATH": "/usr/bin:/bin"], supervisor, loop)
            let helper = try #require(await child.nextLine().flatMap { Int32($0) })
            kill(child.process.pid, SIGKILL)  // the leader alone, as a crash would
            #expect(await child.exit() == .signal(SIGKILL))
            #expect(try await eventually(.seconds(10), on: loop) { isGone(helper) })
        }
    }

    @Test func `a child is stopped and goes on again`() async throws {
        try await withRealWorld { _, loop in
            let supervisor = try Supervisor()
            var fixture = try await start(supervisionFixture, ["child"], supervisor, loop)
            #expect(await fixture.nextLine()?.contains("ready") == true)
            let pid = fixture.process.pid
            fixture.process.signal(SIGSTOP)
            #expect(try await eventually(.seconds(10), on: loop) { processState(pid) == "T" })
            fixture.process.signal(SIGCONT)
            #expect(try await eventually(.seconds(10), on: loop) { processState(pid) != "T" })
            fixture.process.signal(SIGKILL)
            #expect(await fixture.exit() == .signal(SIGKILL))
        }
    }

    @Test func `the end of its stdin ends a supervised child`() async throws {
        try await withRealWorld { _, loop in
            let supervisor = try Supervisor()
            var child = try await start(supervisionFixture, ["child"], supervisor, loop)
            #expect(await child.nextLine()?.contains("ready") == true)
            child.process.closeInput()
            #expect(await child.exit() == .code(0))
        }
    }

    @Test func `a supervised child whose supervisor is another process exits with 1`() async throws {
        // Started by hand, so that the variable names a process that is not its parent.
        try await withRealWorld { _, loop in
            let supervisor = try Supervisor()
            var child = try await start(
                "/bin/sh", ["-c", "GATECRASH_SUPERVISOR=1 \(supervisionFixture) child"], supervisor, loop)
            #expect(await child.exit() == .code(1))
        }
    }

    @Test(arguments: [[], ["--stopped"]])
    func `no child survives a supervisor that is killed`(options: [String]) async throws {
        try await withRealWorld { _, loop in
            let supervisor = try Supervisor()
            var other = try await start(supervisionFixture, ["supervise", "3"] + options, supervisor, loop)
            var text: [String] = []
            while text.last != "ready", let line = await other.nextOutput() { text += line }
            let children = text.compactMap { Int32($0) }
            #expect(children.count == 3)
            #expect(children.allSatisfy { !isGone($0) })
            other.process.signal(SIGKILL)
            #expect(await other.exit() == .signal(SIGKILL))
            #expect(try await eventually(.seconds(10), on: loop) { children.allSatisfy(isGone) })
            for child in children { kill(child, SIGKILL) }
        }
    }

    @Test func `children die when their supervisor is let go`() async throws {
        try await withRealWorld { _, loop in
            var supervisor: Supervisor? = try Supervisor()
            var child = try await start(supervisionFixture, ["child", "--deaf"], try #require(supervisor), loop)
            #expect(await child.nextLine()?.contains("ready") == true)
            supervisor = nil
            #expect(await child.exit() == .signal(SIGKILL))
        }
    }
}

/// The letter of a process's state in /proc (R, S, T, Z…).
private func processState(_ pid: Int32) -> Character? {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/stat")) else { return nil }
    let text = String(decoding: data, as: UTF8.self)
    return text.lastIndex(of: ")").flatMap { text[$0...].dropFirst(2).first }
}

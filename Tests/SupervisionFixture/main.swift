// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

// A process for the tests of supervision to start and to kill.
//
//     supervision-fixture child [--deaf]           a supervised child; --deaf: takes no notice of SIGTERM
//     supervision-fixture held ENTRANCE GATE       one that the kernel does not stop until somebody reads the FIFO GATE
//     supervision-fixture supervise N [--stopped]  a supervisor of N such children; --stopped: it stops them (SIGSTOP)
//     supervision-fixture run FILE PROGRAM         a runner of a scenario, whose children are PROGRAM; prints the pids
//                                                  of those that are ready, "paused", and "request" for every request
//
// Each prints a line when it is ready, and then lives until somebody ends it.

import Chaos
import NIOCore
import World

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

func say(_ text: String) {
    print(text)
    fflush(nil)
}

func child(isDeaf: Bool) {
    Supervised.enter()
    if isDeaf { signal(SIGTERM, SIG_IGN) }
    say(#"{"kind":"ready","role":"child","pid":\#(getpid())}"#)
}

/// A thread waits in a system call, as for a dead disk, which ends for SIGKILL alone: vfork(2), until the new process
/// has become its program. That one has opened `entrance` and waits to open `gate`.
func holdInSystemCall(_ entrance: String, _ gate: String) throws {
    try DedicatedThread.start {
        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
        #else
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        // In a group of its own, so that no signal is for it.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        for (index, path) in [entrance, gate].enumerated() {
            posix_spawn_file_actions_addopen(&actions, 100 + CInt(index), path, O_WRONLY, 0)
        }
        typealias Words = [UnsafeMutablePointer<CChar>?]
        var pid: pid_t = 0
        var (arguments, environment): (Words, Words) = ([strdup("true"), nil], [nil])
        posix_spawn(&pid, "/bin/true", &actions, &attributes, &arguments, &environment)
    }
    // Opens when the new process opens its end.
    close(open(entrance, O_RDONLY))
}

func supervise(count: Int, isStopping: Bool) throws {
    let supervisor = try Supervisor()
    let loop = World.real().loops.next()
    let program = CommandLine.arguments[0]
    for number in 1...count {
        let specification = ChildSpecification(
            name: "child-\(number)", executable: program, arguments: ["child", "--deaf"], environment: [:],
            logPath: "/dev/null")
        let ready = loop.makePromise(of: Void.self)
        let child = supervisor.spawn(specification, on: loop) { if case .output = $0 { ready.succeed() } }
        let process = try child.and(ready.futureResult).wait().0
        if isStopping { process.signal(SIGSTOP) }
        say("\(process.pid)")
    }
    say("ready")
    while true { pause() }
}

func run(file: String, program: String) async throws {
    var options = SuiteRun.Options()
    options.executable = program
    let plan = try Plan.cells(ScenarioFile(path: file))[0]
    let suite = try SuiteRun([SuiteEntry(plan: plan, file: file, text: "")], options: options) { update in
        switch update {
        case .run(_, _, .event(.process(let event))) where event.change == .ready: say("\(event.pid ?? 0)")
        case .run(_, _, .event(.process(let event))) where event.change == .paused: say("paused")
        case .run(_, _, .event(.request)): say("request")
        default: break
        }
    }
    _ = await suite.run()
}

switch CommandLine.arguments.dropFirst().first {
case "supervise":
    try supervise(
        count: Int(CommandLine.arguments[2]) ?? 1, isStopping: CommandLine.arguments.contains("--stopped"))
case "held":
    try holdInSystemCall(CommandLine.arguments[2], CommandLine.arguments[3])
    child(isDeaf: false)
case "run": try await run(file: CommandLine.arguments[2], program: CommandLine.arguments[3])
default: child(isDeaf: CommandLine.arguments.contains("--deaf"))
}
while true { pause() }

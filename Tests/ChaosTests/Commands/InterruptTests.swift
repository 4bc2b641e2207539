// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A Ctrl-C reaches every process of the terminal's group, in whatever state the run is.
@Suite(.serialized, .timeLimit(.minutes(2))) struct InterruptTests {
    private static let scenario = """
        scenario: long
        topology:
          mocks: { api: {} }
          gateway:
            inline:
              _format_version: "3.0"
              services: [{ name: s, host: up, routes: [{ name: r, paths: [/] }] }]
              upstreams: [{ name: up, targets: [{ target: "api:8080" }] }]
        load: [{ rate: 1/s, for: 3m, request: { path: / } }]
        expect:
          - { id: first, availability: ">= 0%" }
          - { id: second, sometimes: { status: 200 } }
        """

    /// The moments are spread over the start of the runner, of the mock, of the gateway, and the load.
    @Test(arguments: [0, 4, 8, 12, 16, 20, 25, 30, 40, 60, 90, 150, 400])
    func `an interrupt at any moment ends the run with 130 and one line`(milliseconds: Int) async throws {
        try await withTemporaryDirectory { folder in
            let file = folder + "/long.yml"
            try Self.scenario.write(toFile: file, atomically: true, encoding: .utf8)
            let group = try ProcessGroup([ProgramRun.path, "run", file], output: folder + "/out")
            try await withRealWorld { _, loop in
                try await loop.scheduleTask(in: .milliseconds(Int64(milliseconds))) {}.futureResult.get()
            }
            group.signal(SIGINT)
            let end = group.wait()
            let output = try String(contentsOfFile: folder + "/out", encoding: .utf8)
            // Before it can have taken the signal over, the kernel's way of ending is the right one.
            guard end != .signal(SIGINT) else {
                #expect(output == "")
                return
            }
            #expect(end == .code(130), "\(output)")
            #expect(!output.contains("first"), "no paragraph an expectation: \(output)")
            #expect(output.contains("interrupted (exit code 130)"), "\(output)")
            #expect(group.isEmpty, "a process is left")
        }
    }
}

/// A program in a process group of its own, as a shell starts it, with all of its output in one file.
private struct ProcessGroup {
    enum End: Equatable { case code(CInt), signal(CInt) }
    struct NotStarted: Error { var code: CInt }

    private let pid: pid_t

    init(_ words: [String], output: String) throws {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var arguments = words.map { strdup($0) } + [nil]
        var variables = [strdup("PATH=/usr/bin:/bin"), nil]
        defer { for text in arguments + variables { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, words[0], &actions, &attributes, &arguments, &variables)
        guard code == 0 else { throw NotStarted(code: code) }
        self.pid = pid
    }

    func signal(_ number: CInt) { kill(-pid, number) }

    func wait() -> End {
        var status: CInt = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? .code((status >> 8) & 0xFF) : .signal(status & 0x7F)
    }

    /// No process of the group is there any more.
    var isEmpty: Bool { kill(-pid, 0) != 0 && errno == ESRCH }
}

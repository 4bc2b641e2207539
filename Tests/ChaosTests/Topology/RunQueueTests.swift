// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chaos

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What processes wait for a core, measured where others have all of them.
@Suite(
    .serialized, .enabled(if: FileManager.default.fileExists(atPath: "/proc/self/schedstat"), "no schedstat"),
    .timeLimit(.minutes(1)))
struct RunQueueTests {
    @Test func `threads that are not let run are seen waiting, from the second look on`() {
        let meter = RunQueueMeter()
        let crowd = Crowd.gather()
        defer { crowd.disperse() }
        func look() -> Int64 { meter.look(at: [(node: nil, pid: OwnProcess.identifier)])[0].waited }
        // The first look knows nothing of before; one in twenty finds threads that are new.
        #expect(look() == 0)
        var waited: Int64 = 0
        while waited < 50_000_000 { waited += look() }
    }

    @Test func `a process that ended has waited for nothing, and neither has its successor`() throws {
        let meter = RunQueueMeter()
        let first = try Sleeper()
        #expect(meter.look(at: [(node: "api", pid: first.pid)]) == [NodeWait(node: "api", waited: 0)])
        first.kill()
        #expect(meter.look(at: [(node: "api", pid: first.pid)])[0].waited == 0)
        #expect(meter.look(at: []) == [])
        let second = try Sleeper()
        defer { second.kill() }
        #expect(meter.look(at: [(node: "api", pid: second.pid)]) == [NodeWait(node: "api", waited: 0)])
    }

    private struct Sleeper {
        private let process: Process
        var pid: Int32 { process.processIdentifier }

        init() throws { process = try Process.run(URL(filePath: "/bin/sleep"), arguments: ["60"]) }

        func kill() {
            end(pid)
            process.waitUntilExit()
        }
    }
}

/// `kill(2)`, where a method of that name hides it. SIGTERM may be blocked in the thread that a child was started by.
private func end(_ pid: Int32) { kill(pid, SIGKILL) }

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What to start as a child.
package struct ChildSpecification: Hashable, Sendable {
    /// The node's id in the scenario.
    package var name: String
    /// The path of the program; it is not searched for.
    package var executable: String
    /// Without the program itself.
    package var arguments: [String]
    /// All of the child's environment: nothing is inherited.
    package var environment: [String: String]
    /// Where stderr goes; appended to.
    package var logPath: String

    package init(
        name: String, executable: String, arguments: [String], environment: [String: String], logPath: String
    ) {
        self.name = name
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.logPath = logPath
    }
}

/// What a child does, in order. Lines may still arrive after the exit: they were in the pipe.
package enum ChildEvent: Hashable, Sendable {
    /// Lines of its stdout, without line feeds.
    case output([ByteBuffer])
    /// It was stopped (SIGSTOP), it goes on (SIGCONT).
    case stopped(at: NIODeadline)
    case continued(at: NIODeadline)
    /// It ended at this instant (the runner learnt of it then).
    case exited(ProcessExit, at: NIODeadline)
    /// Its stdout is closed: every line has been delivered.
    case outputEnded
}

/// A started child, until it is reaped: what can be done to it from any thread. Every signal goes to its process group,
/// so that helpers of a child share its fate.
package final class ChildProcess: Sendable {
    private struct State {
        var isRunning = true
        var input: CInt?
    }

    package let name: String
    package let pid: Int32
    private let state: Mutex<State>

    /// - Parameter input: the descriptor of the writing end of the child's stdin; owned from here on.
    init(name: String, pid: pid_t, input: CInt) {
        self.name = name
        self.pid = pid
        state = Mutex(State(input: input))
    }

    deinit { closeInput() }

    package var isRunning: Bool { state.withLock(\.isRunning) }

    /// - Returns: false when the child has ended already (its pid may be somebody else's by now, so nothing is sent).
    @discardableResult
    package func signal(_ number: CInt) -> Bool {
        state.withLock { state in state.isRunning && kill(-pid, number) == 0 }
    }

    /// Ends the child's stdin, which tells a supervised child to exit at once.
    package func closeInput() {
        state.withLock { state in
            if let input = state.input { close(input) }
            state.input = nil
        }
    }

    /// Blocks until the child has ended, takes what is left of its process group along, and reaps it.
    /// - Parameter onChange: called when it is stopped (true) or goes on (false) meanwhile.
    func waitUntilExit(onChange: (_ isStopped: Bool) -> Void) -> ProcessExit {
        var information = siginfo_t()
        while true {
            // WNOWAIT leaves a zombie, so that the pid stays ours until `isRunning` is false: no signal can hit a
            // stranger.
            guard waitid(P_PID, id_t(pid), &information, WEXITED | WSTOPPED | WCONTINUED | WNOWAIT) == 0 else {
                if errno == EINTR { continue } else { break }
            }
            let code = CInt(information.si_code)
            guard code == stoppedCode || code == continuedCode else { break }
            // Takes the news off, which WNOWAIT has left; it cannot take an exit.
            _ = waitid(P_PID, id_t(pid), &information, WSTOPPED | WCONTINUED | WNOHANG)
            onChange(code == stoppedCode)
        }
        return state.withLock { state in
            kill(-pid, SIGKILL)
            var status: CInt = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            state.isRunning = false
            if let input = state.input { close(input) }
            state.input = nil
            return ProcessExit(waitStatus: status)
        }
    }
}

// CLD_STOPPED and CLD_CONTINUED of waitid(2): macros or enumerators, by platform, with these values on all of them.
private let stoppedCode: CInt = 5
private let continuedCode: CInt = 6

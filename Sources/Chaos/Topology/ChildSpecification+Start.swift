// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import CPlatform

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension ChildSpecification {
    /// Starts the program with posix_spawn(3): in a process group of its own (a Ctrl-C of the terminal is the runner's
    /// to handle), with default signals, and with no descriptor but its three.
    ///
    /// - Returns: the child and the reading end of its stdout, which the caller owns.
    func start() throws(TopologyError) -> (child: ChildProcess, output: CInt) {
        let log = open(logPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard log >= 0 else { throw TopologyError("log \(logPath) cannot be opened: \(systemMessage(errno))") }
        defer { close(log) }
        let input = try Pipe.make()
        defer { close(input.read) }
        let output: (read: CInt, write: CInt)
        do {
            output = try Pipe.make()
        } catch {
            close(input.write)
            throw error
        }
        defer { close(output.write) }
        do {
            let pid = try spawn(input: input.read, output: output.write, log: log)
            return (ChildProcess(name: name, pid: pid, input: input.write), output.read)
        } catch {
            close(input.write)
            close(output.read)
            throw error
        }
    }

    private func spawn(input: CInt, output: CInt, log: CInt) throws(TopologyError) -> pid_t {
        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
        #else
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        for (descriptor, target) in [(input, STDIN_FILENO), (output, STDOUT_FILENO), (log, STDERR_FILENO)] {
            posix_spawn_file_actions_adddup2(&actions, descriptor, target)
        }
        var flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        #if canImport(Darwin)
        flags |= POSIX_SPAWN_CLOEXEC_DEFAULT
        #endif
        // Ours are all closed on exec; this is for what the runner itself inherited from a careless parent.
        gatecrash_spawn_close_from(&actions, 3)
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        for number in [SIGKILL, SIGSTOP] { sigdelset(&all, number) }
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(truncatingIfNeeded: flags))

        var settings = environment
        settings[Supervised.parentVariable] = "\(getpid())"
        let words = ([executable] + arguments).map { strdup($0) } + [nil]
        let variables = settings.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, executable, &actions, &attributes, words, variables)
        guard code == 0 else {
            throw TopologyError("\(name) cannot be started: \(executable): \(systemMessage(code))")
        }
        return pid
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Foundation
import Synchronization

/// A process that a test starts: what it prints, how it ends. It does not outlive the test, whatever happens to that.
final class Child: Sendable {
    enum End: Equatable, Sendable {
        case exited(Int32)
        case killed(Int32)
    }

    private struct State {
        var pid: pid_t = 0
        var end: End?
    }

    /// The program, which is built beside the tests.
    static let gatecrash: String = {
        var path = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        let own = String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)]) + "/gatecrash"
    }()

    /// False under a sanitizer: its shadow, and freed memory that it keeps, are memory of the process as well.
    static let memoryIsItsOwn = dlsym(nil, "__asan_init") == nil && dlsym(nil, "__tsan_init") == nil

    let output: RawSocket
    let errors: RawSocket
    private let input: RawSocket
    private let state = Mutex(State())

    /// - Parameter environment: nothing of the test's own is inherited but PATH.
    init(_ arguments: [String], program: String = Child.gatecrash, environment: [String: String] = [:]) throws {
        let (input, itsInput) = try Self.pair()
        let (output, itsOutput) = try Self.pair()
        let (errors, itsErrors) = try Self.pair()
        (self.input, self.output, self.errors) = (input, output, errors)
        var environment = environment
        environment["PATH"] = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let variables = environment.map { "\($0)=\($1)" }
        let started = DispatchSemaphore(value: 0)
        // Supervised children end with the thread that started them, so that thread lives as long as they do.
        Thread.detachNewThread { [self] in
            let pid = Self.spawn([program] + arguments, variables, [itsInput, itsOutput, itsErrors])
            for descriptor in [itsInput, itsOutput, itsErrors] { close(descriptor) }
            state.withLock {
                $0.pid = pid
                if pid <= 0 { $0.end = .exited(127) }
            }
            started.signal()
            guard pid > 0 else { return }
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7f
            state.withLock { $0.end = signal == 0 ? .exited((status >> 8) & 0xff) : .killed(signal) }
        }
        started.wait()
    }

    deinit {
        if end == nil { kill(pid, SIGKILL) }
    }

    private static func pair() throws -> (ours: RawSocket, theirs: CInt) {
        var pair: [CInt] = [0, 0]
        guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0, &pair) == 0 else {
            throw RawSocket.Failure.system("socketpair", errno)
        }
        return (RawSocket(descriptor: pair[0]), pair[1])
    }

    private static func spawn(_ arguments: [String], _ environment: [String], _ descriptors: [CInt]) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, CInt(number))
        }
        var argv = arguments.map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        return posix_spawn(&pid, arguments[0], &actions, nil, &argv, &envp) == 0 ? pid : -1
    }

    var pid: pid_t { state.withLock { $0.pid } }
    var end: End? { state.withLock { $0.end } }

    func signal(_ number: CInt) { kill(pid, number) }

    /// Waits for the end; nil when it does not come.
    func wait(milliseconds: Int = 10_000) -> End? {
        _ = eventually(within: milliseconds) { end != nil }
        return end
    }

    /// A value in kB of /proc/<pid>/status.
    func memory(_ name: String) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return line?.split(separator: " ").dropFirst().compactMap { Int($0) }.first
            ?? line?.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }.first ?? 0
    }

    /// From now on `VmHWM` is the highest since this moment.
    func forgetPeak() throws { try Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/\(pid)/clear_refs")) }

    var descriptorCount: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count) ?? 0
    }
}

/// A supervised `gatecrash gateway` or `gatecrash mock`.
struct ReadyChild {
    let child: Child
    let ready: JSONValue
    /// From before the start to the line that says so.
    let readyMilliseconds: Double

    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        let start = monotonic()
        child = try Child(arguments + ["--supervised"], environment: environment)
        guard let line = try child.output.line(endingWith: "\n") else {
            throw RawSocket.Failure.ended(got: (try? child.errors.everything()) ?? "")
        }
        readyMilliseconds = Double(monotonic() - start) / 1_000_000
        ready = try JSONValue(parsing: Array(line.utf8))
    }

    static func gateway(_ arguments: [String] = []) throws -> ReadyChild {
        try ReadyChild(["gateway", "--proxy-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"] + arguments)
    }

    static func mock(_ arguments: [String] = []) throws -> ReadyChild {
        try ReadyChild(["mock", "--port", "0"] + arguments)
    }

    func port(_ name: String) -> Int {
        let text = ready[name]?.stringValue ?? ""
        return Int(text[text.index(after: text.lastIndex(of: ":") ?? text.startIndex)...]) ?? 0
    }

    func connect(_ name: String) throws -> RawSocket { try RawSocket.connect(port: port(name)) }
}

/// A file that goes away with the test.
final class TemporaryFile {
    let path: String

    init(_ name: String, _ text: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.appendingPathComponent(name).path
        try write(text)
    }

    func write(_ text: String) throws { try text.write(toFile: path, atomically: true, encoding: .utf8) }

    deinit { try? FileManager.default.removeItem(atPath: String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])) }
}

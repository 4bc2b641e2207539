// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Document

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Text to the standard streams, whole lines at once, so that lines of several threads do not mix.
enum Console {
    static func out(_ text: String) { _ = put(text + "\n", to: STDOUT_FILENO) }
    static func error(_ text: String) { _ = put(text + "\n", to: STDERR_FILENO) }

    /// One line a problem, as `gatecrash: what; what to do`, and the exit code of bad usage.
    static func refuse(_ problems: Problems) -> ExitCode {
        for problem in problems.sorted { error("gatecrash: \(problem)") }
        return ExitCode(2)
    }

    /// Text as it is, without a line feed.
    static func write(_ text: String) {
        if !text.isEmpty { _ = put(text, to: STDOUT_FILENO) }
    }

    /// Replaces a file, or adds to its end.
    ///
    /// - Throws: `ExitCode` 2, after one line that says why it cannot be written.
    static func write(_ text: String, toFile path: String, appends: Bool = false) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | (appends ? O_APPEND : O_TRUNC) | O_CLOEXEC, 0o644)
        defer { if descriptor >= 0 { close(descriptor) } }
        guard descriptor >= 0, put(text, to: descriptor) else {
            throw refuse(
                Problems([Problem(at: nil, "\(path): cannot be written: \(String(cString: strerror(errno)))")]))
        }
    }

    /// Looks whether files can be written, and leaves them as they are.
    ///
    /// - Throws: `ExitCode` 2, after one line a file that cannot be written.
    static func checkWritable(_ files: [(flag: String, path: String)]) throws {
        var problems = Problems()
        for (flag, path) in files {
            guard let reason = reasonNotWritable(path) else { continue }
            problems.add(
                Problem(
                    at: nil, "\(flag) \(path): cannot be written: \(reason)",
                    advice: "name a file in a folder that exists and may be written to"))
        }
        if !problems.isEmpty { throw refuse(problems) }
    }

    private static func reasonNotWritable(_ path: String) -> String? {
        let made = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        if made >= 0 {
            close(made)
            unlink(path)
            return nil
        }
        guard errno == EEXIST else { return String(cString: strerror(errno)) }
        // Without O_NONBLOCK a pipe would wait for its reader; one that has none yet (ENXIO) may get one.
        let descriptor = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor < 0 else {
            close(descriptor)
            return nil
        }
        return errno == ENXIO ? nil : String(cString: strerror(errno))
    }

    /// Of the machine.
    static var cores: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// Makes a folder if there is none, with those above it.
    ///
    /// - Throws: `ExitCode` 2, after one line that says why files cannot be written to it.
    static func makeFolder(_ path: String, flag: String) throws {
        func refusal(_ reason: String) -> ExitCode {
            refuse(Problems([Problem(at: nil, "\(flag) \(path): \(reason)", advice: "name a folder")]))
        }
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += part + "/"
            guard mkdir(made, 0o755) == 0 || errno == EEXIST else {
                throw refusal("cannot be made: \(String(cString: strerror(errno)))")
            }
        }
        var status = stat()
        guard stat(path, &status) == 0 else { throw refusal("cannot be made: \(String(cString: strerror(errno)))") }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw refusal("is a file, not a folder") }
        guard access(path, W_OK | X_OK) == 0 else {
            throw refusal("cannot be written to: \(String(cString: strerror(errno)))")
        }
    }

    /// Columns of the terminal that standard output is; nil when it is none.
    static var columns: Int? {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Operating system and cores, for a person who wonders why a run was slow.
    static var host: String {
        var name = utsname()
        uname(&name)
        func text<Tuple>(_ field: Tuple) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return "\(text(name.sysname)) \(text(name.release)), \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) cores"
    }

    /// False when not all of it could be written.
    private static func put(_ text: String, to descriptor: CInt) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return false }
        }
        return true
    }

    private static func systemWrite(_ descriptor: CInt, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
        Glibc.write(descriptor, bytes, count)
        #elseif canImport(Musl)
        Musl.write(descriptor, bytes, count)
        #else
        Darwin.write(descriptor, bytes, count)
        #endif
    }

    /// The environment of the process.
    static var environment: [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
            entry += 1
        }
        return variables
    }
}

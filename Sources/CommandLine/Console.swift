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
    static func out(_ text: String) { put(text, to: STDOUT_FILENO) }
    static func error(_ text: String) { put(text, to: STDERR_FILENO) }

    /// One line a problem, as `gatecrash: what; what to do`, and the exit code of bad usage.
    static func refuse(_ problems: Problems) -> ExitCode {
        for problem in problems.sorted { error("gatecrash: \(problem)") }
        return ExitCode(2)
    }

    private static func put(_ text: String, to descriptor: CInt) {
        var rest = Array((text + "\n").utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
        }
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

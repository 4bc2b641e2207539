// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Why the processes and links of a scenario could not be started or told something: what, where, what to do.
package struct TopologyError: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String
    /// The last lines a child wrote to its log, when they can explain it.
    package var logTail: [String]

    package init(_ message: String, logTail: [String] = []) {
        self.message = message
        self.logTail = logTail
    }

    package var description: String {
        ([message] + logTail.map { "    | \($0)" }).joined(separator: "\n")
    }
}

/// The system's words for an `errno`.
func systemMessage(_ code: CInt) -> String {
    String(cString: strerror(code))
}

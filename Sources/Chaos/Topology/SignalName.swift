// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Signals as people write them: `TERM`, `SIGTERM`, `term` or a number.
package enum SignalName {
    private static let table: [(name: String, number: CInt)] = [
        ("HUP", SIGHUP), ("INT", SIGINT), ("QUIT", SIGQUIT), ("ILL", SIGILL), ("TRAP", SIGTRAP), ("ABRT", SIGABRT),
        ("BUS", SIGBUS), ("FPE", SIGFPE), ("KILL", SIGKILL), ("USR1", SIGUSR1), ("SEGV", SIGSEGV), ("USR2", SIGUSR2),
        ("PIPE", SIGPIPE), ("ALRM", SIGALRM), ("TERM", SIGTERM), ("CHLD", SIGCHLD), ("CONT", SIGCONT),
        ("STOP", SIGSTOP),
        ("TSTP", SIGTSTP), ("TTIN", SIGTTIN), ("TTOU", SIGTTOU), ("WINCH", SIGWINCH),
    ]

    /// The number of a signal, nil for a word that names none.
    package static func number(of name: String) -> CInt? {
        if let number = CInt(name) { return (1..<65).contains(number) ? number : nil }
        let word = name.uppercased()
        let short = word.hasPrefix("SIG") ? String(word.dropFirst(3)) : word
        return table.first { $0.name == short }?.number
    }

    /// What a signal does to a process that does not handle it.
    package enum Effect: Hashable, Sendable { case ends, stops, goesOn, none }

    /// - Parameter name: as `name(of:)` gives it.
    package static func effect(of name: String) -> Effect {
        switch name {
        case "CHLD", "WINCH": .none
        case "CONT": .goesOn
        case "STOP", "TSTP", "TTIN", "TTOU": .stops
        default: .ends
        }
    }

    /// Every name there is.
    package static var names: [String] { table.map(\.name) }

    /// The name without `SIG`, or the number where it has none.
    package static func name(of number: CInt) -> String {
        table.first { $0.number == number }?.name ?? "\(number)"
    }
}

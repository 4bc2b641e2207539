// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// How a process ended.
package enum ProcessExit: Hashable, Sendable, CustomStringConvertible {
    case code(CInt)
    /// Killed by a signal.
    case signal(CInt)

    /// - Parameter waitStatus: as waitpid(2) gives it: the signal in the low seven bits, the code in the byte above.
    package init(waitStatus: CInt) {
        let signal = waitStatus & 0x7F
        self = signal == 0 ? .code((waitStatus >> 8) & 0xFF) : .signal(signal)
    }

    package var description: String {
        switch self {
        case .code(let code): "exited with code \(code)"
        case .signal(let signal): "killed by SIG\(SignalName.name(of: signal))"
        }
    }
}

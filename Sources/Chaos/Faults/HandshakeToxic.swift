// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The TLS handshake does not come off: whoever connects says hello, and gets something else than an answer.
package struct HandshakeToxic: Hashable, Sendable {
    package enum Mode: String, Hashable, Sendable, CaseIterable {
        /// No answer at all. Taking the fault off lets the handshake go on.
        case stall
        /// A reset (RST) behind the hello.
        case reset
        /// The alert `handshake_failure`, and the end.
        case alert
    }

    package var mode: Mode

    package init(_ mode: Mode) { self.mode = mode }

    /// What is said to a hello: nothing, or one record with a fatal alert, number 40 (RFC 8446 sections 5.1 and 6.2).
    /// The record has the version that every TLS client takes before one is agreed on.
    package var answer: [UInt8] { mode == .alert ? [21, 3, 3, 0, 2, 2, 40] : [] }

    package var phrase: String {
        switch mode {
        case .stall: "TLS handshakes are not answered"
        case .reset: "TLS handshakes are reset"
        case .alert: "TLS handshakes are refused by an alert"
        }
    }
}

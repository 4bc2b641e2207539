// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// Where a gateway writes what a person should know: one line a thing. The process gives it the standard error stream,
/// a test collects it.
package struct GatewayLog: Sendable {
    package enum Level: String, Sendable { case notice, warning, error }

    package var write: @Sendable (Level, String) -> Void

    package init(_ write: @escaping @Sendable (Level, String) -> Void) { self.write = write }

    package static let silent = GatewayLog { _, _ in }

    package func notice(_ text: @autoclosure () -> String) { write(.notice, text()) }
    package func warning(_ text: @autoclosure () -> String) { write(.warning, text()) }
    package func error(_ text: @autoclosure () -> String) { write(.error, text()) }
}

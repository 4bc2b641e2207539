// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The one executable. Each subcommand has a file of its own and no logic: it reads flags, calls a module, prints.
@main
struct Gatecrash: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gatecrash",
        abstract: "A test harness for API gateways and their health checks.",
        discussion: """
            Starts a Kong-compatible gateway and mock APIs on loopback, breaks them on purpose, and judges what was \
            seen: health transitions, windows of 503, recovery times.

            Exit codes: 0 pass, 1 fail, 2 bad usage or invalid file, 3 precondition not met, 4 inconclusive, \
            5 topology could not start, 6 internal error, 130 interrupted.
            """,
        version: version,
        subcommands: [
            RunCommand.self, ValidateCommand.self, ExplainCommand.self, GatewayCommand.self, MockCommand.self,
        ])

    static let version = "0.1.0"
}

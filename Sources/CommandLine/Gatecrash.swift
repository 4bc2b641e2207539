// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chaos
import Document

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
            RunCommand.self, ValidateCommand.self, ExplainCommand.self, CheckCommand.self, ReportCommand.self,
            BenchCommand.self, DiffCommand.self, GatewayCommand.self, MockCommand.self, ToxicsCommand.self,
            SchemaCommand.self, NewCommand.self, SuperviseCommand.self, BurnCommand.self,
        ])

    static let version = "0.1.0"

    /// Bad flags are one line and the exit code of bad usage, as every other mistake of a person; the argument parser
    /// would print the usage too and exit with 64.
    static func main() async {
        var command: any ParsableCommand
        do { command = try parseAsRoot() } catch { end(error) }
        do {
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            end(error)
        }
    }

    private static func end(_ error: any Error) -> Never {
        let code = exitCode(for: error)
        // A request for help or the version, or a command that has said what there is to say.
        if code == .success || error is ExitCode { exit(withError: error) }
        let name = CommandLine.arguments.dropFirst().first { argument in
            configuration.subcommands.contains { $0.configuration.commandName == argument }
        }
        let help = ([configuration.commandName ?? "gatecrash"] + [name].compactMap(\.self)).joined(separator: " ")
        let isUsage = code == .validationFailure
        // "Unknown option '--job'. Did you mean '--jobs'?" is one sentence of several.
        let text = message(for: error).replacing(/\. Did you mean (.*)\?$/) { " (did you mean \($0.1)?)" }
        let problem = Problem(at: nil, text, advice: isUsage ? "see \(help) --help" : nil)
        Console.error("gatecrash: \(problem)")
        exit(withError: ExitCode(isUsage ? RunResult.invalid.exitCode : RunResult.internalError.exitCode))
    }
}

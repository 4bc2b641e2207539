// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chaos
import Document
import Gateway
import World

/// What `run`, `validate` and `explain` share: which scenarios, with which variables.
struct ScenarioOptions: ParsableArguments {
    @Argument(help: "Scenario files, or folders of which every *.yml counts.")
    var paths: [String]
    @Option(name: .customLong("var"), help: ArgumentHelp("Sets a variable of the file.", valueName: "name=value"))
    var variables: [String] = []
    @Option(name: .long, help: "Only scenarios whose id matches this pattern (* and ?).")
    var only: [String] = []
    @Option(name: .customLong("tag"), help: "Only scenarios that have this tag.")
    var tags: [String] = []
    @Option(
        name: .customLong("allow-remote"),
        help: ArgumentHelp(
            "A host beyond this machine that the file may lead to; nothing else is connected to or looked up.",
            valueName: "host[:port]"))
    var remotes: [String] = []
    @Option(name: .long, help: "Seed of every random draw.")
    var seed: UInt64?

    /// - Throws: `ExitCode` 2, after one line a mistake.
    func entries(checksCapabilities: Bool = true) throws -> [SuiteEntry] {
        var selection = SuiteSelection(paths: paths)
        selection.only = only
        selection.tags = tags
        var problems = Problems()
        let pairs = variables.compactMap { text -> (name: String, value: String)? in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2, !parts[0].isEmpty { return (parts[0], parts[1]) }
            problems.add(Problem(at: nil, "--var \(text): not name=value", advice: "write --var rate=80/s"))
            return nil
        }
        if !problems.isEmpty { throw Console.refuse(problems) }
        selection.options = PlanOptions(
            variables: pairs, environment: Console.environment, seed: seed, checksCapabilities: checksCapabilities)
        selection.options.remotes = Remotes(remotes)
        selection.options.checkKong = { DeclarativeFile.problems(in: $0) }
        do { return try selection.entries() } catch { throw Console.refuse(error) }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chaos

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Print a scenario's plan with its computed bounds.",
        discussion: "Nothing is run. What the runner cannot do yet is explained too.")

    @OptionGroup var scenarios: ScenarioOptions

    func run() throws {
        let entries = try scenarios.entries(checksCapabilities: false)
        Console.out(entries.map { explain($0.plan) }.joined(separator: "\n\n"))
    }
}

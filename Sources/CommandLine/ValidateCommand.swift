// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chaos

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check scenario files without running them.",
        discussion: "Prints every mistake as file:line:column with what to do about it. Exit codes: 0 valid, 2 not.")

    @OptionGroup var scenarios: ScenarioOptions

    func run() throws {
        let entries = try scenarios.entries()
        var counts: [(file: String, cells: Int)] = []
        for entry in entries {
            if counts.last?.file == entry.file {
                counts[counts.count - 1].cells += 1
            } else {
                counts.append((entry.file, 1))
            }
        }
        for (file, cells) in counts { Console.out("\(file): valid, \(cells == 1 ? "1 run" : "\(cells) runs")") }
    }
}

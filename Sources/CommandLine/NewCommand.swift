// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chaos
import Document
import FoundationEssentials

struct NewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Write a commented scenario file to begin with.",
        discussion: """
            The file is valid and passes as it is. One that is there already is left alone unless --force is given.

            Templates:
            \(templates)
            """)

    private static var templates: String {
        StarterFile.allCases.map { "\($0.rawValue): \($0.summary)" }.joined(separator: "\n")
    }

    @Argument(help: "The scenario's id: a-z, 0-9 and -.")
    var name = "my-outage"
    @Option(name: .long, help: "What it begins with: errors, crash, slow or reload.")
    var template = StarterFile.errors.rawValue
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where to write it (default NAME.yml; - for stdout).", valueName: "file"))
    var output: String?
    @Flag(name: .long, help: "Overwrite a file that is there already.")
    var force = false

    func run() throws {
        let names = StarterFile.allCases.map(\.rawValue)
        guard let template = StarterFile(rawValue: template) else {
            let near = nearestKey(to: template, among: names).map { "did you mean \($0)?" }
            throw refusal("there is no template '\(template)'; \(near ?? "there are \(names.joined(separator: ", "))")")
        }
        guard StarterFile.isName(name) else {
            throw refusal("a scenario cannot be called '\(name)'; use a-z, 0-9 and -")
        }
        let text = template.text(name: name)
        if output == "-" { return print(text, terminator: "") }
        let path = output ?? "\(name).yml"
        if !force, FileManager.default.fileExists(atPath: path) {
            throw refusal("\(path) is there already; choose another with -o, or overwrite it with --force")
        }
        guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8)) else {
            throw refusal("\(path) cannot be written; give a path in a folder that exists")
        }
        Console.error("\(path) is written; run it with: gatecrash run \(path)")
    }

    private func refusal(_ message: String) -> ExitCode {
        Console.error("gatecrash: \(message)")
        return ExitCode(2)
    }
}

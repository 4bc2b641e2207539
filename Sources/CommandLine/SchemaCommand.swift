// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chaos

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of scenario files, for editors.",
        discussion: """
            Save it beside your scenarios and begin them with

                # yaml-language-server: $schema=./scenario.schema.json

            so that an editor completes keys and shows mistakes while you write. What it cannot know (names, marks, \
            units that fit) is for gatecrash validate.
            """)

    func run() { print(SchemaDocument.text, terminator: "") }
}

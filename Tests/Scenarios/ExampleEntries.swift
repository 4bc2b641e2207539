// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import Foundation

/// Scenarios that are run though they do not lie in the suite's folder: the examples of the documentation, the whole
/// scenarios of the language's reference, and what `gatecrash new` writes.
enum ExampleEntries {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func all() throws -> [SuiteEntry] {
        let examples = try SuiteSelection(paths: [root.appending(path: "docs/examples").path]).entries()
        let starters = StarterFile.allCases.map { (path: "\($0.rawValue).yml", text: $0.text(name: $0.rawValue)) }
        return try examples
            + (starters + reference()).flatMap { file in
                try Plan.cells(try ScenarioFile(parsing: file.text, path: file.path)).map {
                    SuiteEntry(plan: $0, file: file.path, text: file.text)
                }
            }
    }

    /// The files that they name are seen from the package's root.
    private static func reference() throws -> [(path: String, text: String)] {
        let page = try String(contentsOf: root.appending(path: "docs/scenario-language.md"), encoding: .utf8)
        return page.components(separatedBy: "```yaml\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
            .filter { $0.hasPrefix("scenario:") }
            .enumerated().map { (root.appending(path: "reference-\($0 + 1).yml").path, $1) }
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Foundation

@testable import Chaos

/// The scenarios of the repository, and the small one that the tests break.
enum Examples {
    /// The package's root, from this file's place.
    static let root = #filePath.components(separatedBy: "/Tests/")[0]

    static let walkThrough = root + "/Tests/Scenarios/files/walk-through.yml"
    static let killTheOnlyTarget = root + "/Tests/Scenarios/files/kill-the-only-target.yml"
    static let shortSlowUpstream = root + "/Tests/Scenarios/files/slow-upstream.yml"
    static let crashOneOfThree = root + "/docs/examples/crash-one-of-three.yml"
    static let slowUpstream = root + "/docs/examples/slow-upstream.yml"

    static func plans(
        _ text: String, _ options: PlanOptions = PlanOptions(), path: String = "s.yml"
    ) throws(Problems) -> [Plan] {
        try Plan.cells(try ScenarioFile(parsing: text, path: path), options)
    }

    static func plans(file: String, _ options: PlanOptions = PlanOptions()) throws(Problems) -> [Plan] {
        try Plan.cells(try ScenarioFile(path: file), options)
    }

    /// What a person reads; empty for a good file.
    static func messages(
        _ text: String, _ options: PlanOptions = PlanOptions(), path: String = "s.yml"
    ) -> [String] {
        do {
            _ = try plans(text, options, path: path)
            return []
        } catch {
            return error.list.map(\.description)
        }
    }
}

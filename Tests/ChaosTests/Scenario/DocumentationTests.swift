// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document
import Foundation
import Testing

@testable import Chaos

/// The reference shows only what works, and everything that works.
struct DocumentationTests {
    private static let page = (try? ScenarioFile.text(ofFile: Examples.root + "/docs/scenario-language.md")) ?? ""

    /// The fenced YAML blocks that are whole scenarios.
    static let examples: [String] = page.components(separatedBy: "```yaml\n").dropFirst()
        .map { $0.components(separatedBy: "```")[0] }.filter { $0.hasPrefix("scenario:") }

    @Test func `the reference has examples`() { #expect(Self.examples.count >= 4) }

    @Test(arguments: examples)
    func `every example of the reference is valid`(text: String) {
        // The files that they name are seen from the package's root.
        #expect(Examples.messages(text, path: Examples.root + "/example.yml") == [])
    }

    @Test func `every key is in the reference`() {
        let keys =
            Reader.scenarioKeys + Reader.loadKeys + Reader.gatewayKeys + Reader.topologyKeys + Reader.stepKeys
            + Reader.filterKeys
            + ExpectationShape.allKeys
        let missing = Set(keys).filter { key in
            !["`\(key)", " \(key):", "## \(key.capitalized)"].contains { Self.page.contains($0) }
        }
        #expect(missing.sorted() == [])
    }
}

// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Chaos
import Testing

struct StarterFileTests {
    @Test(arguments: StarterFile.allCases)
    func `a starter file is valid and explains itself`(file: StarterFile) throws {
        let text = file.text(name: "my-outage")
        #expect(Examples.messages(text) == [])
        #expect(text.split(separator: "\n").count { $0.contains("#") } >= 5, "it is commented")
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 140 })
        let plan = try #require(try Examples.plans(text).first)
        #expect(plan.scenario == "my-outage")
        #expect(configurationWarnings(plan) == [], "it teaches nothing that is seldom meant")
    }

    @Test func `names are those of scenarios`() {
        for name in ["my-outage", "a", "x-2"] { #expect(StarterFile.isName(name)) }
        for name in ["", "My", "a b", "ä", "../x"] { #expect(!StarterFile.isName(name)) }
    }
}
